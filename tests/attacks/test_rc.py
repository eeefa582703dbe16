"""SECURITY RC: recovery by mail, and what a changed password kills."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.authenticators.password import people
from idp.authenticators.password.models import PasswordCredential
from idp.consent import grants
from idp.foundation.artefacts import Artefact
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession, LogoutDelivery
from idp.subjects.models import Subject
from tests.authenticators.browsing import bare, open_sign_in, post_form, sign_in, signed_in
from tests.authenticators.conftest import work  # noqa: F401 - a fixture
from tests.factories.make import PASSWORD

NEW = "Orbit-walnut-kettle-77"


def ask(browser, login: str, **more: object):
    page = browser.get("/sign-in/forgot-password")
    return post_form(browser, page, "forgot-password-form", username=login, **more)


def mails() -> list[messaging.Owed]:
    """What the outbox owes, unsealed, oldest first."""
    with reading() as tx:
        rows = tx.execute(select(OutboxMessage.__table__).order_by(OutboxMessage.created_at, OutboxMessage.id))
        return [messaging.opened(row) for row in rows]


def links() -> list[str]:
    """Path and query of every reset link owed."""
    urls = [urlsplit(mail.payload.context["url"]) for mail in mails() if mail.notice == "password_reset"]
    return [f"{url.path}?{url.query}" for url in urls]


def use(browser, link: str, *, password: str = NEW, **more: object):
    return post_form(browser, browser.get(link), "reset-form", new_password=password, repeat_password=password, **more)


@pytest.mark.both
def test_RC_01_a_link_works_once(new_browser, make):
    make.subject("rosa.delgado")
    ask(new_browser(), "rosa.delgado")
    [link] = links()
    page = new_browser()
    opened = page.get(link)
    assert post_form(page, opened, "reset-form", new_password=NEW, repeat_password=NEW).status_code == 200
    again = post_form(
        page, opened, "reset-form", new_password="walnut kettle orbit 9", repeat_password="walnut kettle orbit 9"
    )
    assert again.status_code == 410
    assert new_browser().get(link).status_code == 410
    signed_in(new_browser(), "rosa.delgado", NEW)


def test_RC_01_the_older_of_two_links_is_dead(new_browser, make, hands):
    make.subject("rosa.delgado")
    ask(new_browser(), "rosa.delgado")
    hands.forward(seconds=5)
    ask(new_browser(), "ROSA.delgado@mail.test")
    older, newer = links()
    assert new_browser().get(older).status_code == 410
    assert new_browser().get(newer).status_code == 200


def test_RC_01_a_link_dies_when_the_password_or_the_address_changes(new_browser, make, hands):
    subject = make.subject("rosa.delgado")
    ask(new_browser(), "rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    page = browser.get("/account/security")
    post_form(browser, page, "change-password-form", current_password=PASSWORD, new_password=NEW, repeat_password=NEW)
    assert new_browser().get(links()[0]).status_code == 410
    ask(new_browser(), "rosa.delgado")
    assert new_browser().get(links()[-1]).status_code == 200
    with writing() as tx:
        tx.get(Subject, subject.id).email = "new@mail.test"
    assert new_browser().get(links()[-1]).status_code == 410


def test_RC_01_a_link_expires(new_browser, make, hands):
    make.subject("rosa.delgado")
    ask(new_browser(), "rosa.delgado")
    hands.forward(hours=25)
    assert new_browser().get(links()[0]).status_code == 410


@pytest.mark.parametrize("field", ["username", "user_id", "subject_id", "login", "account"])
def test_RC_02_whose_password_it_is_comes_from_the_link_alone(new_browser, make, field):
    rosa, victim = make.subject("rosa.delgado"), make.subject("victim")
    before = make.row(PasswordCredential, victim.id).digest
    ask(new_browser(), "rosa.delgado")
    browser = new_browser()
    assert use(browser, links()[0], **{field: "victim"}).status_code == 400
    assert make.row(PasswordCredential, victim.id).digest == before
    assert make.row(Subject, rosa.id).epoch == rosa.epoch


@pytest.mark.parametrize(
    "token", ["", " ", "null", "[]", "%", "*", "a" * 42, "a" * 5000, "é" * 43, "0", "a" * 42 + "\n"]
)
def test_RC_03_an_ill_formed_token_is_400(client, make, token):
    assert client.get("/sign-in/reset", query_string={"token": token}).status_code == 400
    page = client.get("/sign-in/forgot-password")
    hidden = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": hidden, "token": token, "new_password": NEW, "repeat_password": NEW}
    sent = client.post("/sign-in/reset", data=data, headers={"Origin": "https://credence.test"})
    assert sent.status_code == 400


def test_RC_05_a_link_stands_on_the_configured_issuer(client, make):
    make.subject("rosa.delgado")
    page = client.get("/sign-in/forgot-password")
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    forged = {"X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.test"}
    client.post(
        "/sign-in/forgot-password",
        data={"csrf_token": token, "username": "rosa.delgado"},
        headers={"Origin": "https://credence.test", **forged},
    )
    assert [mail.payload.context["url"].startswith("https://credence.test/sign-in/reset?") for mail in mails()] == [
        True
    ]


@pytest.mark.parametrize(
    "login",
    [
        ["rosa.delgado@mail.test", "evil@evil.test"],
        "rosa.delgado@mail.test,evil@evil.test",
        "rosa.delgado@mail.test\r\nbcc: evil@evil.test",
        "rosa.delgado@mail.test\x00evil@evil.test",
        "evil@evil.test, rosa.delgado@mail.test",
        "ros\u0430.delgado@mail.test",
        "rosa.delgado@mail.test evil@evil.test",
    ],
)
def test_RC_06_RC_07_mail_goes_to_the_one_stored_address_or_to_nobody(client, make, login):
    make.subject("rosa.delgado")
    assert ask(client, login).status_code in {200, 400}
    assert {mail.payload.recipient.email for mail in mails()} <= {"rosa.delgado@mail.test"}


def test_RC_07_the_stored_spelling_is_written_to_not_the_typed_one(client, make):
    make.subject("rosa.delgado", email="Rosa.Delgado@mail.test")
    ask(client, "rosa.delgado@MAIL.test")
    assert [mail.payload.recipient.email for mail in mails()] == ["Rosa.Delgado@mail.test"]


@pytest.mark.both
def test_RC_09_opening_the_link_uses_nothing_up(new_browser, make):
    make.subject("rosa.delgado")
    ask(new_browser(), "rosa.delgado")
    [link] = links()
    before = [vars(row) | {"_sa_instance_state": None} for row in make.rows(Artefact)]
    scanner = new_browser()
    for _ in range(3):
        assert scanner.get(link).status_code == 200
        assert scanner.head(link).status_code == 200
    assert [vars(row) | {"_sa_instance_state": None} for row in make.rows(Artefact)] == before
    assert use(new_browser(), link).status_code == 200


def test_RC_09_the_links_page_hands_its_address_to_nobody(client, make):
    make.subject("rosa.delgado")
    ask(client, "rosa.delgado")
    [link] = links()
    [token] = parse_qs(urlsplit(link).query)["token"]
    page = client.get(link)
    assert page.text.count(token) == 1
    assert "return_to" not in page.text


def test_RC_10_a_reset_signs_nobody_in(client, make):
    make.subject("rosa.delgado")
    ask(client, "rosa.delgado")
    done = use(client, links()[0])
    assert done.status_code == 200
    assert client.get_cookie("__Host-credence_session", domain="credence.test") is None
    assert make.rows(BrowserSession) == []


@pytest.mark.both
def test_RC_11_a_reset_ends_sessions_grants_and_locks_and_tells_portals(new_browser, make, hands):
    subject = make.subject("rosa.delgado")
    make.client("ozark-secure")
    session, _ = make.session(subject)
    grant = make.grant(session, "ozark-secure")
    stale = signed_in(new_browser(), "rosa.delgado")
    for _ in range(5):
        sign_in(new_browser(), "rosa.delgado", "CNRY-wrong-password")
    ask(new_browser(), "rosa.delgado")
    assert use(new_browser(), links()[0]).status_code == 200
    assert stale.get("/account/").status_code == 303
    assert all(row.ended_at is not None for row in make.rows(BrowserSession))
    with reading() as tx:
        assert grants.live(tx, grant_id=grant.id, now=hands.now) is None
    assert [row.client_id for row in make.rows(LogoutDelivery)] == ["ozark-secure"]
    assert sign_in(new_browser(), "rosa.delgado", PASSWORD).status_code == 422
    signed_in(new_browser(), "rosa.delgado", NEW)
    assert [mail.notice for mail in mails()][-1] == "password_changed"
    assert "password_reset" in {event.type for event in make.rows(AuditEvent)}


def test_RC_13_an_account_gets_five_mails_an_hour_and_an_address_asks_ten_times(new_browser, make, hands):
    make.subject("rosa.delgado")
    statuses = []
    for number in range(30):
        browser = new_browser()
        browser.environ_base["REMOTE_ADDR"] = f"10.0.0.{number // 6}"
        statuses.append(ask(browser, "rosa.delgado").status_code)
    assert set(statuses) == {200}
    assert len(links()) == 5
    assert new_browser().get(links()[-1]).status_code == 200
    flood = new_browser()
    assert [ask(flood, f"person{number}").status_code for number in range(11)][-1] == 429
    hands.forward(hours=1)
    ask(new_browser(), "rosa.delgado")
    assert len(links()) == 6


def everybody(make) -> list[str]:
    make.subject("can.reset")
    make.subject("is.disabled", status="disabled")
    make.subject("is.unverified", status="unverified", email_verified_at=None)
    make.subject("has.none", password=None)
    make.subject("no.mailbox", email=None, email_verified_at=None)
    return ["can.reset", "is.disabled", "is.unverified", "has.none", "no.mailbox", "unknown.person", "nobody@mail.test"]


def test_RC_14_everybody_gets_the_same_answer_and_only_one_gets_a_link_to_a_new_password(new_browser, make):
    answers = {
        (answer.status_code, bare(answer, login)) for login in everybody(make) for answer in [ask(new_browser(), login)]
    }
    assert len(answers) == 1
    owed = {mail.notice: mail.payload.recipient.email for mail in mails()}
    assert owed == {"password_reset": "can.reset@mail.test", "prove_mailbox": "is.unverified@mail.test"}


@pytest.mark.both
def test_RC_14_asking_costs_the_same_work_for_everybody(new_browser, make, work):  # noqa: F811
    costs = {}
    for login in everybody(make):
        browser = new_browser()
        page = browser.get("/sign-in/forgot-password")
        costs[login] = work.of(lambda b=browser, p=page, n=login: post_form(b, p, "forgot-password-form", username=n))
    assert {hashes for hashes, _ in costs.values()} == {0}
    assert len({tuple(statements) for _, statements in costs.values()}) == 1, costs


def test_RC_14_a_person_disabled_after_asking_gets_no_password(new_browser, make, now):
    subject = make.subject("rosa.delgado")
    ask(new_browser(), "rosa.delgado")
    people.disable("rosa.delgado", reason="left", now=now, origin=Origin.local("test"))
    before = make.row(PasswordCredential, subject.id).digest
    assert new_browser().get(links()[0]).status_code == 410
    assert make.row(PasswordCredential, subject.id).digest == before


def test_X5_a_forgotten_user_id_is_mailed_to_its_address_and_nobody_learns_of_it(new_browser, make):
    make.subject("rosa.delgado")
    answers = set()
    for email in ("Rosa.Delgado@mail.test", "nobody@mail.test"):
        browser = new_browser()
        page = browser.get("/sign-in/forgot-user-id")
        answer = post_form(browser, page, "forgot-user-id-form", email=email)
        answers.add((answer.status_code, bare(answer, email)))
    assert len(answers) == 1
    assert [(mail.notice, mail.payload.context["user_id"]) for mail in mails()] == [
        ("user_id_reminder", "rosa.delgado")
    ]


def test_X5_the_sign_in_goes_on_after_a_reset_in_the_same_browser_only(client, new_browser, make):
    make.subject("rosa.delgado")
    page = open_sign_in(client)
    forgot = client.get(re.search(r'href="(/sign-in/forgot-password[^"]*)"', page.text)[1])
    post_form(client, forgot, "forgot-password-form", username="rosa.delgado")
    [link] = links()
    other = new_browser().get(link)
    assert other.status_code == 200
    done = use(client, link)
    txn = page.request.path.split("/")[2]
    assert f"/sign-in/{txn}" in done.text
    assert NEW not in done.text


def test_A4_C2_a_reset_obeys_the_policies_and_an_unfit_password_uses_nothing_up(client, make):
    make.subject("rosa.delgado")
    ask(client, "rosa.delgado")
    [link] = links()
    for unfit in ("short", "passwordpassword1", "rosadelgado12345"):
        refused = use(client, link, password=unfit)
        assert refused.status_code == 422
        assert unfit not in refused.text
    page = client.get(link)
    differ = post_form(client, page, "reset-form", new_password=NEW, repeat_password=NEW + "x")
    assert differ.status_code == 422
    assert use(client, link).status_code == 200


@pytest.mark.parametrize("step", ["site-key", "challenge-questions", "security-questions", "recovery-questions"])
def test_RC_21_where_questions_and_site_keys_are_off_they_do_not_exist(client, step):
    page = open_sign_in(client)
    txn = page.request.path.split("/")[2]
    for path in (
        f"/sign-in/{txn}/{step}",
        f"/sign-in/{step}",
        f"/account/{step}",
        f"/enroll/heartland-selfservice/{step}/",
    ):
        assert client.get(path).status_code == 404
    assert step not in page.text
