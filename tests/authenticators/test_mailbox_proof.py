"""Who brought an account from elsewhere proves its mailbox: by a mailed link and the password, never by one of them."""

from urllib.parse import urlsplit

import pytest

from idp.audit.models import AuditEvent
from idp.authenticators.password.models import PasswordCredential
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.subjects import legacy, service
from idp.subjects.legacy import OldLogin
from idp.subjects.models import Subject
from tests.attacks.test_rc import ask, mails
from tests.authenticators.browsing import bare, post_form, sign_in, signed_in
from tests.factories.make import PASSWORD

pytestmark = pytest.mark.both
HERE = Origin.local("test")


def unproven(make, user_id="rosa.delgado", **changed):
    return make.subject(user_id, status="unverified", email_verified_at=None, **changed)


def links(notice="prove_mailbox"):
    urls = [urlsplit(mail.payload.context["url"]) for mail in mails() if mail.notice == notice]
    return [f"{url.path}?{url.query}" for url in urls]


def prove(browser, link, password=PASSWORD, **more):
    return post_form(browser, browser.get(link), "prove-mailbox-form", password=password, **more)


def test_SI_01_a_right_password_is_answered_like_a_wrong_one_and_the_way_in_is_asked_for_by_mail(new_browser, make):
    unproven(make)
    right = sign_in(new_browser(), "rosa.delgado")
    wrong = sign_in(new_browser(), "rosa.delgado", "CNRY-wrong-password")
    assert (right.status_code, bare(right)) == (wrong.status_code, bare(wrong))
    assert mails() == []
    ask(new_browser(), "rosa.delgado")
    [mail] = mails()
    assert (mail.notice, mail.payload.recipient.email) == ("prove_mailbox", "rosa.delgado@mail.test")


def test_X4_RC_01_link_and_password_open_the_account_once(new_browser, make):
    rosa = unproven(make)
    ask(new_browser(), "rosa.delgado")
    [link] = links()
    browser = new_browser()
    page = browser.get(link)
    assert make.row(Subject, rosa.id).status == "unverified", "opening it changes nothing (RC-09)"
    assert post_form(browser, page, "prove-mailbox-form", password=PASSWORD).status_code == 200
    row = make.row(Subject, rosa.id)
    assert (row.status, row.email_verified_at, row.epoch) == ("active", make.now, 2)
    assert post_form(browser, page, "prove-mailbox-form", password=PASSWORD).status_code == 410
    assert new_browser().get("/account/").status_code == 303, "nobody is signed in by it (RC-10)"
    signed_in(new_browser(), "rosa.delgado")
    assert [event.outcome for event in make.rows(AuditEvent) if event.type == "mailbox_proven"] == ["ok"]


def test_RC_19_the_link_alone_opens_nothing_and_wrong_passwords_count_as_anywhere(new_browser, make, hands):
    rosa = unproven(make)
    ask(new_browser(), "rosa.delgado")
    [link] = links()
    answers = [prove(new_browser(), link, "CNRY-wrong-password") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {422}
    assert all("CNRY" not in answer.text for answer in answers)
    assert prove(new_browser(), link).status_code == 422, "paused after five failures (SI-20)"
    assert make.row(Subject, rosa.id).status == "unverified"
    hands.forward(minutes=16)
    assert prove(new_browser(), link).status_code == 200


def test_RC_14_no_password_appears_by_a_reset_of_an_unproven_account(new_browser, make):
    unproven(make)
    ask(new_browser(), "rosa.delgado")
    assert links("password_reset") == []
    digest = make.rows(PasswordCredential)[0].digest
    prove(new_browser(), links()[0])
    assert make.rows(PasswordCredential)[0].digest == digest


def test_RC_19_whoever_proves_the_mailbox_elsewhere_first_leaves_the_link_dead(new_browser, make, now):
    unproven(make)
    ask(new_browser(), "rosa.delgado")
    [link] = links()
    with writing() as tx:
        assert service.free_unproven_email(tx, email="rosa.delgado@mail.test", actor="system", now=now, origin=HERE)
    assert new_browser().get(link).status_code == 410
    answer = sign_in(new_browser(), "rosa.delgado")
    assert (answer.status_code, len(mails())) == (422, 1)


def test_RC_01_RC_13_the_last_of_five_links_an_hour_works_and_for_a_day_at_most(new_browser, make, hands):
    unproven(make)
    for _ in range(6):
        ask(new_browser(), "rosa.delgado")
        hands.forward(minutes=1)
    assert len(links()) == 5
    assert [new_browser().get(link).status_code for link in links()] == [410, 410, 410, 410, 200]
    hands.forward(hours=25)
    assert new_browser().get(links()[-1]).status_code == 410


@pytest.mark.parametrize("token", ["", "x", "%", "a" * 43, "a" * 5000])
def test_RC_03_a_foreign_or_ill_formed_token_opens_nothing(client, make, token):
    unproven(make)
    assert client.get("/sign-in/prove-mailbox", query_string={"token": token}).status_code in {400, 410}


def test_TK_07_a_reset_link_proves_no_mailbox_and_the_other_way_round(new_browser, make):
    unproven(make)
    make.subject("can.reset")
    ask(new_browser(), "rosa.delgado")
    ask(new_browser(), "can.reset")
    proof, reset = links()[0].split("=")[1], links("password_reset")[0].split("=")[1]
    dead = new_browser().get(f"/sign-in/reset?token={proof}")
    assert dead.status_code == 410
    assert 'href="/sign-in/forgot-password" id="ask-again"' in dead.text, "a new link is one press away"
    assert new_browser().get(f"/sign-in/prove-mailbox?token={reset}").status_code == 410


def test_X5_who_came_without_a_hash_sets_a_first_password_by_mail(new_browser, make, now):
    rosa = make.subject("rosa.delgado", password=None)
    with writing() as tx:
        old = OldLogin("ozark-exchange", "r.delgado", "R.Delgado", "rosa.delgado@mail.test")
        legacy.add(tx, old, subject_id=rosa.id, actor="system", now=now, origin=HERE)
    ask(new_browser(), "rosa.delgado@mail.test")
    assert len(links("password_reset")) == 1


def test_X5_a_forgotten_old_user_id_is_mailed(new_browser, make, now):
    rosa = make.subject("rosa.delgado", user_id_key=None)
    with writing() as tx:
        tx.get(Subject, rosa.id).user_id = None
        old = OldLogin("ozark-exchange", "r.delgado", "R.Delgado", None)
        legacy.add(tx, old, subject_id=rosa.id, actor="system", now=now, origin=HERE)
    browser = new_browser()
    post_form(browser, browser.get("/sign-in/forgot-user-id"), None, email="rosa.delgado@mail.test")
    assert [mail.payload.context["user_id"] for mail in mails()] == ["R.Delgado"]
    assert len(make.rows(OutboxMessage)) == 1
