"""EN: registering, attacked. Each row of the catalogue by its id; what the steps' own tests prove is not repeated here."""

import re
from collections.abc import Callable
from datetime import datetime
from queue import SimpleQueue
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from idp.affiliations.models import Affiliation
from idp.affiliations.requests.models import AccessRequest
from idp.authenticators.password.kdf import Kdf
from idp.consent.models import AgreementAcceptance
from idp.directory.models import PinLetter
from idp.enrollment import runs
from idp.enrollment.models import Enrollment
from idp.foundation.database import reading, writing
from idp.messaging import service as messaging
from idp.relying_parties import service as relying_parties
from idp.relying_parties import stored
from idp.relying_parties.models import Client
from idp.subjects.models import Subject
from tests.affiliations.pins.posted import PIN, post
from tests.attacks.strings import POLYGLOTS, SEEDED
from tests.authenticators.browsing import post_form, signed_in
from tests.directory.files import GROUP, MEMBER, PARTNER, PRACTITIONER, taken
from tests.enrollment.steps.test_same_work import statements
from tests.enrollment.worlds import (
    ACCOUNT,
    PORTAL,
    TEXT,
    follow,
    link_of,
    mailed,
    open_ceremony,
    portal,
    press,
    send,
)
from tests.factories import Make
from tests.factories.make import PASSWORD
from tests.factories.manifests import manifest
from tests.races import race

pytestmark = pytest.mark.both
Browsers = Callable[[], FlaskClient]

MALLORY = ACCOUNT | {"email": "mallory@attacker.test", "confirm_email": "mallory@attacker.test"}
VICTIM = ACCOUNT | {"email": "victim@harwood.test", "confirm_email": "victim@harwood.test"}


def back(browser: FlaskClient, page: TestResponse, slug: str) -> TestResponse:
    """The page of the same run with this address."""
    return browser.get(f"{page.request.path.rsplit('/', 1)[0]}/{slug}")


def test_EN_12_RC_19_the_link_of_one_mailbox_never_proves_another_typed_since(
    client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    """Trojan identifier: a link to my own mailbox, then the victim's address, for which no more mail is sent this hour."""
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    page = send(client, open_ceremony(client), **MALLORY)
    mine = link_of(make)
    for _ in range(5):
        other = new_browser()
        send(other, open_ceremony(other), **VICTIM)
    send(client, back(client, page, "create-account"), **VICTIM)
    assert len(mailed(make, "verify_email")) == 6, "the victim's address had its five"
    assert client.get(mine).status_code == 410
    assert make.rows(Subject) == []


def test_EN_12_RC_19_nor_while_another_page_stands_between(client: FlaskClient, make: Make) -> None:
    portal(make, "create_account", "agreement", "verify_email", "confirmation")
    page = send(client, send(client, open_ceremony(client), **MALLORY), agree="yes")
    mine = link_of(make)
    send(client, back(client, page, "create-account"), **VICTIM)
    assert len(mailed(make, "verify_email")) == 1, "the agreement is asked again first"
    assert client.get(mine).status_code == 410
    assert make.rows(Subject) == []


def test_EN_12_another_spelling_of_the_same_mailbox_keeps_its_link(client: FlaskClient, make: Make) -> None:
    portal(make, "create_account", "agreement", "verify_email", "confirmation")
    page = send(client, send(client, open_ceremony(client), **MALLORY), agree="yes")
    loud = {"email": "MALLORY@attacker.test", "confirm_email": "MALLORY@attacker.test"}
    send(client, back(client, page, "create-account"), **MALLORY | loud)
    assert client.get(link_of(make)).status_code == 200


def test_RC_19_an_agreement_that_somebody_else_checked_is_not_the_persons(
    client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    """A stranger prepares a registration for my address: what they agreed to is never recorded in my name."""
    portal(make, "create_account + agreement", "verify_email", "confirmation")
    known = make.subject("victim", email=VICTIM["email"])
    send(client, open_ceremony(client), **VICTIM, agree="yes")
    victim = new_browser()
    page = press(victim, link_of(make, "already_registered"))
    page = follow(victim, post_form(victim, page, "login-form", username="victim", password=PASSWORD))
    assert make.rows(AgreementAcceptance) == [] and 'name="agree"' in page.text
    send(victim, page, agree="yes")
    assert [row.subject_id for row in make.rows(AgreementAcceptance)] == [known.id]


def test_X4_who_lacks_nothing_is_asked_once_more_and_done(
    client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    """The mailed way to sign in ends well even where the portal has nothing left to ask."""
    portal(make, "create_account", "verify_email", "confirmation")
    make.subject("june.harwood", email=ACCOUNT["email"])
    send(client, open_ceremony(client), **ACCOUNT)
    page = press(client, link_of(make, "already_registered"))
    assert 'id="login-form"' in page.text, page.text
    page = follow(client, post_form(client, page, "login-form", username="june.harwood", password=PASSWORD))
    assert page.status_code == 200 and mailed(make, "welcome") == []
    page = send(client, page)
    assert 'id="enroll-done"' in page.text and len(mailed(make, "welcome")) == 1


def test_EN_15_only_its_person_finishes_and_only_what_lacks_nothing(
    client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    portal(make, "create_account", "verify_email", "confirmation")
    make.subject("june.harwood", email=ACCOUNT["email"])
    make.subject("mallory")
    waiting = send(client, open_ceremony(client), **ACCOUNT)
    assert post_form_to(client, waiting, "finish").status_code == 303, "nobody is signed in"
    press(client, link_of(make, "already_registered"))
    run = make.rows(Enrollment)[0]
    signed_in(client, "mallory")
    page = client.get(f"/enroll/{PORTAL}/register/{run.id}")
    assert page.status_code == 409 and 'id="enroll-form"' not in page.text
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    for browser in (client, new_browser()):
        browser.post(f"/enroll/{PORTAL}/register/{run.id}/finish", data={"csrf_token": token})
    assert make.rows(Enrollment)[0].finished_at is None and mailed(make, "welcome") == []


def test_EN_15_what_still_waits_is_not_finished_by_a_direct_post(client: FlaskClient, make: Make) -> None:
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    make.subject("june.harwood")
    signed_in(client, "june.harwood")
    page = send(client, open_ceremony(client))
    assert page.request.path.endswith("/agreement")
    assert post_form_to(client, page, "finish").location == page.request.path.rsplit("/", 1)[0]
    assert make.rows(Enrollment)[0].finished_at is None and make.rows(AgreementAcceptance) == []


@pytest.mark.parametrize("password", [False, True])
def test_RC_19_whoever_begins_for_anothers_address_keeps_nothing_once_its_owner_is_there(
    client: FlaskClient, new_browser: Browsers, make: Make, password: bool
) -> None:
    """Classic pre-hijacking: two runs for one mailbox; the owner's becomes the account, the other opens nothing."""
    portal(make, "create_account", "verify_email", "confirmation", options={"verify_email": {"password": password}})
    theirs = ACCOUNT | {"password": "mallory-knows-this-1", "confirm_password": "mallory-knows-this-1"}
    send(client, open_ceremony(client), **theirs)
    victim = new_browser()
    send(victim, open_ceremony(victim), **ACCOUNT)
    typed = {"password": PASSWORD} if password else {}
    press(victim, link_of(make), **typed)
    assert len(make.rows(Subject)) == 1
    page = post_form(
        client, follow(client, client.get("/account/")), "login-form",
        username=ACCOUNT["email"], password="mallory-knows-this-1",
    )  # fmt: skip
    assert page.status_code == 422, "their password is nobody's"
    assert follow(client, client.get(f"/enroll/{PORTAL}/register/")).request.path.endswith("/verify-email")
    assert len(make.rows(Subject)) == 1


def test_ST_04_cancel_forgets_what_was_typed(client: FlaskClient, make: Make) -> None:
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    page = send(client, open_ceremony(client), **ACCOUNT)
    assert post_form_to(client, page, "leave").status_code == 303
    (row,) = make.rows(Enrollment)
    with reading() as tx:
        run = runs.ended(tx, row.id, browser_digest=row.browser_digest, now=make.now)
    assert run is not None and (dict(run.typed), dict(run.kept)) == ({}, {"told": {}})
    for path in (page.request.path, page.request.path.replace("verify-email", "create-account")):
        assert "harwood" not in follow(client, client.get(path)).text


def planned_anew(*steps: str, enabled: bool = True, **changed: Any) -> None:
    """The portal's operator applies another manifest, or switches the portal off, while somebody is half way."""
    enrollment = {"register": {"title": TEXT, "steps": list(steps), "options": {}}} if steps else {}
    made = manifest(PORTAL, enrollment=enrollment, agreement={"version": "1", "title": TEXT}, **changed)
    with writing() as tx:
        tx.execute(
            update(Client)
            .where(Client.client_id == PORTAL)
            .values(manifest=stored.to_row(made, client_id=PORTAL), enabled=enabled)
        )
        relying_parties.changed(tx)
    relying_parties.forget()


@pytest.mark.parametrize(
    ("steps", "link"),
    [
        ((), 410),
        (("coverage", "find_provider", "requestor_details"), 410),
        (("create_account", "agreement", "verify_email"), 200),
    ],
)
def test_EN_12_G2_a_ceremony_that_is_planned_anew_half_way_is_no_fault(
    client: FlaskClient, make: Make, steps: tuple[str, ...], link: int
) -> None:
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    page = send(client, open_ceremony(client), **ACCOUNT)
    planned_anew(*steps)
    opened = client.get(link_of(make))
    assert opened.status_code == link
    assert follow(client, client.get(page.request.path)).status_code in {200, 404}
    if link == 410:
        assert make.rows(Subject) == []


def test_EN_12_a_portal_switched_off_half_way_takes_and_opens_nothing(client: FlaskClient, make: Make) -> None:
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    page = send(client, open_ceremony(client), **ACCOUNT)
    opened = client.get(link_of(make))
    planned_anew("create_account", "verify_email", "agreement", "confirmation", enabled=False)
    assert client.get(page.request.path).status_code == 404
    assert post_form(client, opened, "link-form").status_code == 410
    assert make.rows(Subject) == []


TERMS = {"accepts": "directory", "accepts_for_manager": "directory", "acting_for": ["provider", "practice"]}
ONE = {
    "provider_type": "practitioner", "practitioner_first_name": "Inés", "practitioner_last_name": "Halvorsen",
    "practitioner_tin": "666025841", "practitioner_provider_id": "123456789", "practitioner_zip_code": "06002",
}  # fmt: skip


@pytest.mark.parametrize("changed", [{"status": "terminated", "end_date": "2026-02-28"}, {"tin": "666025842"}])
def test_EN_04_what_the_roster_changes_before_the_last_proof_counts(
    client: FlaskClient, make: Make, now: datetime, changed: dict[str, str], hands: Any
) -> None:
    """Ended, or passed on to another TIN after it was matched: nobody acts by a proof of yesterday."""
    portal(make, "create_account", "verify_email", "associate_provider", "agreement", "confirmation", portal=TERMS)
    taken([PRACTITIONER, GROUP, MEMBER], now=now)
    make.subject("june.harwood")
    signed_in(client, "june.harwood")
    page = send(client, send(client, open_ceremony(client)), **ONE)
    assert page.request.path.endswith("/agreement")
    taken([PRACTITIONER | changed, GROUP, MEMBER], now=hands.forward(minutes=5))
    page = post_form(client, page, "enroll-form", agree="yes")
    assert page.status_code == 422 and make.rows(Affiliation) == []


def at_once(app: Flask, ready: list[tuple[FlaskClient, TestResponse, str, dict[str, str]]]) -> list[int]:
    """Each browser sends the form that is open in it, all at the same moment."""
    waiting = SimpleQueue[tuple[FlaskClient, TestResponse, str, dict[str, str]]]()
    for each in ready:
        waiting.put(each)

    def sent() -> int:
        browser, page, form, typed = waiting.get()
        return post_form(browser, page, form, **typed).status_code

    return sorted(race(app, sent, threads=len(ready)))


def test_EN_17_C9_two_at_their_last_page_at_once_are_one_manager_and_one_request(
    app: Flask, new_browser: Browsers, make: Make, now: datetime
) -> None:
    portal(make, "create_account", "verify_email", "associate_provider", "agreement", "confirmation", portal=TERMS)
    taken([PRACTITIONER, GROUP, MEMBER], now=now)
    ready = []
    for name in ("june.harwood", "rosa.delgado"):
        make.subject(name, email=f"{name}@people.test")
        browser = signed_in(new_browser(), name)
        page = send(browser, send(browser, open_ceremony(browser)), **ONE)
        ready.append((browser, page, "enroll-form", {"agree": "yes"}))
    assert at_once(app, ready) == [303, 303]
    assert [(row.status, row.account_manager) for row in make.rows(Affiliation)] == [("active", True)]
    assert len(make.rows(AccessRequest)) == 1
    assert sorted(str(row.outcome) for row in make.rows(Enrollment)) == ["active", "requested"]


def test_EN_02_one_PIN_in_two_ceremonies_at_once_opens_one_and_leaves_nothing_of_the_other(
    app: Flask, new_browser: Browsers, make: Make, now: datetime
) -> None:
    terms = {"acting_for": ["provider"], "accepts": "letter", "accepts_for_manager": "letter"}
    portal(make, "pin_letter", "create_account", "verify_email", portal=terms, help={"phone": "555-0100"})
    post(make.provider("017631564", registry_name="ozark"), now=now)
    ready = []
    for name in ("june", "rosa"):
        email = f"{name}@people.test"
        browser = new_browser()
        page = send(browser, open_ceremony(browser), login_id="017631564", pin=PIN)
        send(browser, page, **ACCOUNT | {"email": email, "confirm_email": email})
        ready.append((browser, browser.get(link_of(make)), "link-form", {}))
    assert at_once(app, ready) == [303, 409]
    assert len(make.rows(Subject)) == len(make.rows(Affiliation)) == 1
    assert [row.used_on is None for row in make.rows(PinLetter)] == [False]


def test_G5_EN_10_a_known_and_an_unknown_address_are_one_to_whoever_types_them(
    client: FlaskClient, new_browser: Browsers, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, headers, cookies, bytes, statements and hashes: equal (ruling 12)."""
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    make.subject("june.harwood", email="one@harwood.test")
    make.subject("unproven", email="two@harwood.test", email_verified_at=None)
    hashed: list[str] = []
    whole = Kdf.digest

    def counted(self: Kdf, *given: Any, **named: Any) -> Any:
        hashed.append("hash")
        return whole(self, *given, **named)

    monkeypatch.setattr(Kdf, "digest", counted)
    seen = []
    for name in ("zero", "one", "two", "nobody"):
        email = f"{name}@harwood.test"
        browser = new_browser()
        page, answers = open_ceremony(browser), []
        hashed.clear()
        typed = ACCOUNT | {"email": email, "confirm_email": email}
        said = statements(lambda b=browser, p=page, t=typed, a=answers: a.append(post_form(b, p, "enroll-form", **t)))  # type: ignore[misc]
        waiting = follow(browser, answers[0])
        send_again = post_form_to(browser, waiting, "send-again")
        seen.append((shape(answers[0]), shape(waiting), shape(send_again), kinds(said), len(hashed)))
    assert seen[1] == seen[3] and seen[2] == seen[3], "the first one reads what is read once"


def post_form_to(browser: FlaskClient, page: TestResponse, action: str) -> TestResponse:
    """Press a button of the waiting page, which is not in its form."""
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    return browser.post(f"{page.request.path.rsplit('/', 1)[0]}/{action}", data={"csrf_token": token})


def shape(answer: TestResponse) -> tuple[object, ...]:
    """What an answer shows, less what is new in each: run, token, mailbox, version of a cookie."""
    text = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "RUN", answer.text)
    text = re.sub(r'name="csrf_token" value="[^"]*"', "TOKEN", text)
    text = re.sub(r"\w{2}•••@harwood\.test", "MAILBOX", text)
    names = sorted(name for name, _ in answer.headers if name not in {"Date"})
    cookies = sorted(cookie.split("=", 1)[0] for cookie in answer.headers.getlist("Set-Cookie"))
    return answer.status_code, tuple(names), tuple(cookies), text


def kinds(said: list[str]) -> list[str]:
    """Statements less their parameters' names."""
    return [re.sub(r"\s+", " ", each)[:160] for each in said]


@pytest.mark.parametrize("email", ["june@ｈarwood.test", "june@\u212aarwood.test", "jun\u0435@harwood.test", "june\u200b@harwood.test",
    "june@har\u0131wood.test", "june@xn--hrwood-rta.test", "=?utf-8?q?june?=@harwood.test", '"june"@harwood.test',
    "june@a@harwood.test", "june@[127.0.0.1]", "june,eve@harwood.test", "june@harwood.test\r\nBcc: eve@x.test",
    "june@harwood.test\x00", "june eve@harwood.test"])  # fmt: skip
def test_EN_08_EN_09_no_look_alike_and_no_trick_of_an_address_begins_anything(
    client: FlaskClient, make: Make, email: str
) -> None:
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    page = post_form(client, open_ceremony(client), "enroll-form", **ACCOUNT | {"email": email, "confirm_email": email})
    assert page.status_code in {400, 422}
    assert make.rows(Enrollment) == [] and make.rows(messaging.OutboxMessage) == []


@pytest.mark.parametrize(
    "user_id", ["admin", "r00t", "support", "victim@harwood.test", "\u0430dmin", "rosa.delgado", "ROSA.DELGADO"]
)
def test_EN_14_reserved_look_alike_and_taken_user_ids_begin_nothing(
    client: FlaskClient, make: Make, user_id: str
) -> None:
    fields = ["user_id", "email", "password", "first_name", "last_name"]
    portal(make, "create_account", "verify_email", "agreement", options={"create_account": {"fields": fields}})
    make.subject("rosa.delgado")
    typed = {name: value for name, value in ACCOUNT.items() if name in fields}
    page = post_form(client, open_ceremony(client), "enroll-form", **typed, user_id=user_id)
    assert page.status_code == 422 and 'id="user_id-error"' in page.text
    assert make.rows(Enrollment) == [] and make.rows(messaging.OutboxMessage) == []


def test_EN_01_EN_04_one_trading_partner_is_tried_ten_times_however_it_is_spelled(
    client: FlaskClient, make: Make, now: datetime
) -> None:
    portal(
        make, "identify_trading_partner", "create_account", "verify_email",
        portal={"accepts": "directory", "accepts_for_manager": "payer", "acting_for": ["trading_partner"]},
    )  # fmt: skip
    taken([PARTNER], format_name="trading-partners", now=now)
    for number in range(10):
        spelled = ("TP000001", "tp000001", " TP000001", "TP000001 ", "Tp000001")[number % 5]
        page = post_form(client, open_ceremony(client), "enroll-form", trading_partner_id=spelled, zip_code="99999")
        assert "do not match our records" in page.text
    for spelled in ("TP000001", "tP000001 "):
        page = post_form(client, open_ceremony(client), "enroll-form", trading_partner_id=spelled, zip_code="65801")
        assert page.status_code == 422 and "too many attempts" in page.text, "the right ZIP code comes too late"


@pytest.mark.parametrize("evil", POLYGLOTS[:3])
def test_AD_15_what_a_registrant_is_called_is_text_on_every_page_and_in_every_mail(
    client: FlaskClient, make: Make, evil: str
) -> None:
    """Names that an account cannot have are refused with what was typed shown as text; the others are shown so."""
    portal(make, "create_account", "verify_email", "confirmation")
    page = post_form(client, open_ceremony(client), "enroll-form", **ACCOUNT | {"first_name": evil, "phone": "1"})
    assert page.status_code in {400, 422}
    assert "<script>alert" not in page.text and "onerror=" not in re.sub(r'value="[^"]*"', "", page.text)


_FIELD = re.compile(r'<(?:input|textarea|select)[^>]*\bname="([^"]+)"')
_FREE = (
    "coverage", "find_provider", "requestor_details", "identify_trading_partner", "claim_practice", "pin_letter",
    "associate_provider", "create_account", "site_key", "challenge_questions", "agreement",
)  # fmt: skip


@pytest.mark.parametrize("evil", SEEDED)
@pytest.mark.parametrize("step", _FREE)
def test_AD_15_every_field_of_every_step_shows_what_was_typed_as_text(
    client: FlaskClient, make: Make, step: str, evil: str
) -> None:
    """All fields of the page at once, by its own form; what comes back shows none of it as markup."""
    portal(make, step, "confirmation", portal=TERMS, options={"challenge_questions": {"mode": "own"}})
    page = open_ceremony(client)
    form = page.text.split('id="enroll-form"', 1)[1].split("</form>", 1)[0]
    names = {name for name in _FIELD.findall(form) if name != "csrf_token"}
    assert names, "a step without fields is not in this list"
    kinds = {"provider_type": "practitioner", "program": "medicaid"}
    answer = post_form(client, page, "enroll-form", **{name: kinds.get(name, evil) for name in names})
    assert answer.status_code in {400, 422}
    assert evil not in answer.text and "<script>alert(1)" not in answer.text
    assert make.rows(messaging.OutboxMessage) == [] and make.rows(Subject) == []


@pytest.mark.parametrize("evil", SEEDED)
def test_AD_15_a_search_and_a_question_show_what_was_typed_as_text(client: FlaskClient, make: Make, evil: str) -> None:
    portal(make, "find_provider", "requestor_details", "confirmation", portal=TERMS)
    found = post_form(client, open_ceremony(client), "enroll-form", provider_name=evil, search="yes")
    assert found.status_code == 200 and evil not in found.text and "&lt;script&gt;alert(1)&lt;/script&gt;" in found.text
