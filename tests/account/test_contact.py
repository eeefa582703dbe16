"""RC-15 and what hangs on it: another e-mail address, its proof, its way back (ASVS 7.5.1, 6.3.7)."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp.account.contact import service
from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.foundation.artefacts import Artefact
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession
from idp.subjects import service as subjects
from idp.subjects.models import FormerContact, Subject
from idp.subjects.rules import NewSubject
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused
from idp.worker.sweep import sweep
from tests.account.contacting import ask, change, disown, letters, newest, path_in, press, signed_in
from tests.account.merging import OLD_PASSWORD, prove
from tests.attacks import test_rc as recovery
from tests.authenticators.browsing import post_form, sign_in
from tests.conftest import Hands
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both
HERE = Origin.local("test")


def events(make: Make, kind: str) -> list[str]:
    return sorted(each.outcome for each in make.rows(AuditEvent) if each.type == kind)


def test_RC_15_an_address_is_changed_by_its_own_mailbox_and_both_are_told(
    new_browser: Any, make: Make, hands: Hands
) -> None:
    rosa = make.subject("rosa.delgado")
    browser, other = signed_in(new_browser(), "rosa.delgado"), signed_in(new_browser(), "rosa.delgado")
    assert ask(browser, " New.Rosa@mail.test ").location == "/account/email/mailed"
    assert make.row(Subject, rosa.id).email == "rosa.delgado@mail.test"
    assert [to for to, _ in letters("confirm_email")] == ["New.Rosa@mail.test"]
    path = path_in("confirm_email")
    assert browser.get(path).status_code == 200  # a mail scanner too (RC-09)
    assert make.row(Subject, rosa.id).email == "rosa.delgado@mail.test"
    hands.forward(minutes=20)
    assert press(browser, path).location == "/account/profile?done=email"
    row = make.row(Subject, rosa.id)
    assert (row.email, row.email_key, row.email_verified_at) == (
        "New.Rosa@mail.test", "new.rosa@mail.test", hands.now,
    )  # fmt: skip
    assert [to for to, _ in letters("email_changed")] == ["rosa.delgado@mail.test"]
    assert [to for to, _ in letters("email_is_yours")] == ["New.Rosa@mail.test"]
    assert browser.get("/account/profile").status_code == 200
    assert other.get("/account/profile").status_code == 303
    assert events(make, "email_changed") == ["ok"]
    assert browser.get(path).status_code == 410
    assert sign_in(new_browser(), "new.rosa@mail.test").status_code == 303


def test_RC_15_nobody_asks_without_a_fresh_proof(new_browser: Any, make: Make, hands: Hands) -> None:
    make.subject("rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    page = browser.get("/account/email")
    hands.forward(minutes=15)
    for answer in (browser.get("/account/email"), post_form(browser, page, "email-form", email="thief@mail.test")):
        assert answer.location == "/account/sign-in?to=contact.email&fresh=1" or "fresh=1" in answer.location
    assert letters("confirm_email") == []


def test_RC_01_links_sent_to_the_former_address_die(new_browser: Any, make: Make) -> None:
    make.subject("rosa.delgado")
    recovery.ask(new_browser(), "rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    change(browser, "new@mail.test")
    assert new_browser().get(recovery.links()[0]).status_code == 410


def test_RC_01_the_older_of_two_changes_and_one_from_before_a_new_password_die(new_browser: Any, make: Make) -> None:
    make.subject("rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    ask(browser, "one@mail.test")
    ask(browser, "two@mail.test")
    assert browser.get(newest("confirm_email", "one@mail.test")).status_code == 410
    path = newest("confirm_email", "two@mail.test")
    assert browser.get(path).status_code == 200
    page = browser.get("/account/security")
    new = "Orbit-walnut-kettle-77"
    post_form(
        browser, page, "change-password-form",
        current_password="kettle-orbit-walnut-42", new_password=new, repeat_password=new,
    )  # fmt: skip
    assert browser.get(path).status_code == 410


def test_RC_15_the_former_mailbox_puts_everything_back(new_browser: Any, make: Make, hands: Hands) -> None:
    rosa = make.subject("rosa.delgado")
    thief = signed_in(new_browser(), "rosa.delgado")
    hands.forward(minutes=1)
    change(thief, "thief@mail.test")
    hands.forward(minutes=1)
    assert change(thief, "thief2@mail.test").status_code == 303
    make.factor(rosa, Factor.TOTP, created_at=hands.now)
    hands.forward(days=6)
    owner = new_browser()
    assert disown(owner, newest("email_changed", "rosa.delgado@mail.test")).status_code == 200
    row = make.row(Subject, rosa.id)
    assert (row.email, row.email_verified_at) == ("rosa.delgado@mail.test", hands.now)
    assert make.rows(HeldFactor) == []
    assert make.rows(FormerContact) == []
    assert thief.get("/account/profile").status_code == 303
    assert {to for to, _ in letters("contact_restored")} == {"thief@mail.test", "thief2@mail.test"}
    assert [to for to, _ in letters("password_reset")] == ["rosa.delgado@mail.test"]
    assert events(make, "contact_restored") == ["ok"]
    assert new_browser().get(newest("email_changed", "thief@mail.test")).status_code == 410  # no way back for him


def test_RC_15_an_earlier_link_outlives_a_later_one(new_browser: Any, make: Make, hands: Hands) -> None:
    """Who took the address and moved on holds only the later link: using it first does not save it."""
    rosa = make.subject("rosa.delgado")
    thief = signed_in(new_browser(), "rosa.delgado")
    hands.forward(minutes=1)
    change(thief, "thief@mail.test")
    hands.forward(minutes=1)
    change(thief, "thief2@mail.test")
    assert disown(new_browser(), newest("email_changed", "thief@mail.test")).status_code == 200
    assert make.row(Subject, rosa.id).email == "thief@mail.test"
    assert disown(new_browser(), newest("email_changed", "rosa.delgado@mail.test")).status_code == 200
    assert make.row(Subject, rosa.id).email == "rosa.delgado@mail.test"


def test_RC_15_when_the_link_is_out_of_time_the_change_stands(new_browser: Any, make: Make, hands: Hands) -> None:
    rosa = make.subject("rosa.delgado")
    change(signed_in(new_browser(), "rosa.delgado"), "new@mail.test")
    hands.forward(days=8)
    assert new_browser().get(newest("email_changed", "rosa.delgado@mail.test")).status_code == 410
    assert make.row(Subject, rosa.id).email == "new@mail.test"
    assert sweep(now=hands.now)["former_contacts"] == 1


def test_RA_08_the_former_address_is_nobody_elses_while_it_can_be_undone(
    new_browser: Any, make: Make, hands: Hands
) -> None:
    make.subject("rosa.delgado")
    make.subject("ines.ortega")
    change(signed_in(new_browser(), "rosa.delgado"), "new@mail.test")
    ines = signed_in(new_browser(), "ines.ortega")
    new = NewSubject(user_id="somebody", email="rosa.delgado@mail.test", email_proven=True)
    made = make.subject("clerk", email=None)
    with writing() as tx:
        assert isinstance(subjects.create(tx, new=new, actor="test", now=hands.now, origin=HERE), Refused)
        claimed = subjects.claim_email(
            tx, subject_id=made.id, email="Rosa.Delgado@mail.test", actor="test", now=hands.now, origin=HERE
        )
        assert not claimed
    assert change(ines, "rosa.delgado@mail.test").status_code == 409
    assert letters("email_changed")[1:] == []
    hands.forward(days=8)
    ines = signed_in(new_browser(), "ines.ortega")
    assert change(ines, "rosa.delgado@mail.test").status_code == 303


def test_RC_19_a_strangers_pending_change_dies_at_the_owners_first_proof(
    new_browser: Any, make: Make, hands: Hands
) -> None:
    make.subject("thief")
    thief = signed_in(new_browser(), "thief")
    ask(thief, "victim@mail.test")
    path = path_in("confirm_email")
    with writing() as tx:
        subjects.free_unproven_email(tx, email="Victim@mail.test", actor="test", now=hands.now, origin=HERE)
    assert thief.get(path).status_code == 410


def test_RC_19_a_click_on_a_strangers_link_gives_nothing_away(new_browser: Any, make: Make) -> None:
    thief_row = make.subject("thief")
    make.subject("rosa.delgado")
    ask(signed_in(new_browser(), "thief"), "victim@mail.test")
    path = path_in("confirm_email")
    victim = new_browser()
    assert "Sign in first" in victim.get(path).text
    rosa = signed_in(new_browser(), "rosa.delgado")
    assert rosa.get(path).status_code == 403
    page = rosa.get("/account/profile")
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "token": path.split("token=")[1]}
    answer = rosa.post("/account/email/confirm", data=data, headers={"Origin": "https://credence.test"})
    assert answer.status_code == 403
    assert make.row(Subject, thief_row.id).email == "thief@mail.test"


def test_RC_19_who_claimed_the_address_unproven_loses_it(new_browser: Any, make: Make) -> None:
    claimant = make.subject("claimant", email="mine@mail.test", status="unverified", email_verified_at=None)
    make.subject("rosa.delgado")
    assert change(signed_in(new_browser(), "rosa.delgado"), "mine@mail.test").status_code == 303
    assert make.row(Subject, claimant.id).email is None


def test_SI_01_an_address_that_somebody_has_is_answered_alike(new_browser: Any, make: Make) -> None:
    make.subject("rosa.delgado")
    make.subject("ines.ortega")
    browser = signed_in(new_browser(), "rosa.delgado")
    assert ask(browser, "INES.ortega@mail.test").location == "/account/email/mailed"
    assert letters("confirm_email") == []
    assert [to for to, _ in letters("address_wanted")] == ["ines.ortega@mail.test"]


@pytest.mark.parametrize(
    "email", ["rosa.delgado@mail.test", "nobody", "a@b@c", "v@mail.test,e@mail.test", "v@mail.test\r\nbcc: e@mail.test"]
)
def test_RC_06_what_is_no_new_address_changes_nothing(new_browser: Any, make: Make, email: str) -> None:
    make.subject("rosa.delgado")
    assert ask(signed_in(new_browser(), "rosa.delgado"), email).status_code in {400, 422}
    assert letters("confirm_email") == []


def test_RX_10_a_mailbox_is_written_to_three_times_an_hour(new_browser: Any, make: Make) -> None:
    make.subject("rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    answers = [ask(browser, "new@mail.test").status_code for _ in range(4)]
    assert answers == [303, 303, 303, 422]
    assert events(make, "email_change_asked") == ["ok", "ok", "ok", "too_many"]


def test_RC_17_no_field_proves_an_address(new_browser: Any, make: Make) -> None:
    rosa = make.subject("rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    page = browser.get("/account/email")
    answer = post_form(browser, page, "email-form", email="new@mail.test", email_verified="true")
    assert answer.status_code == 400
    assert make.row(Subject, rosa.id).email == "rosa.delgado@mail.test"


def test_RC_15_an_account_whose_address_was_changed_is_not_merged_away(new_browser: Any, make: Make) -> None:
    make.subject("rosa.delgado")
    make.subject("r.delgado", password=OLD_PASSWORD)
    change(signed_in(new_browser(), "r.delgado", OLD_PASSWORD), "thief@mail.test")
    answer = prove(signed_in(new_browser(), "rosa.delgado"))
    assert answer.status_code == 422
    assert "within the last seven days" in answer.text


def test_RA_08_a_link_pressed_many_times_at_once_counts_once(
    app: Flask, new_browser: Any, make: Make, hands: Hands
) -> None:
    rosa = make.subject("rosa.delgado")
    ask(signed_in(new_browser(), "rosa.delgado"), "new@mail.test")
    token = path_in("confirm_email").split("token=")[1]
    with reading() as tx:
        (session,) = sessions.list_sessions(tx, subject_id=rosa.id, now=hands.now)
    outcomes = race(app, lambda: service.confirm(session, token, now=hands.now, origin=HERE), threads=6)
    assert sum(not isinstance(each, Refused) for each in outcomes) == 1
    assert make.row(Subject, rosa.id).email == "new@mail.test"
    assert len(make.rows(FormerContact)) == 1


def test_RA_08_two_people_who_prove_one_address_at_once_do_not_both_get_it(
    app: Flask, new_browser: Any, make: Make, hands: Hands
) -> None:
    tokens = []
    for user in ("rosa.delgado", "ines.ortega"):
        row = make.subject(user)
        ask(signed_in(new_browser(), user), "shared@mail.test")
        with reading() as tx:
            (session,) = sessions.list_sessions(tx, subject_id=row.id, now=hands.now)
        tokens.append((session, letters("confirm_email")[-1][1]["url"].split("token=")[1]))
    turns = iter(tokens)
    outcomes = race(app, lambda: service.confirm(*next(turns), now=hands.now, origin=HERE), threads=2)
    assert sum(not isinstance(each, Refused) for each in outcomes) == 1
    with reading() as tx:
        owners = tx.scalars(select(Subject.id).where(Subject.email_key == "shared@mail.test")).all()
    assert len(owners) == 1
    assert make.rows(Artefact)
    assert len([each for each in make.rows(BrowserSession) if each.ended_at is None]) == 2
