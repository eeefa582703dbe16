"""SECURITY SI: sign-in. Judged by work and rows, not by the clock (ruling 12)."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from idp.audit.models import AuditEvent
from idp.authenticators.password import budgets
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.password.models import PasswordCredential
from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.foundation.limiter import AttemptBudget
from idp.foundation.origin import Origin
from idp.sessions.models import BrowserSession, Transaction
from idp.subjects import service as subjects
from tests.authenticators.browsing import bare, follow, open_sign_in, post_form, press, sign_in, signed_in
from tests.authenticators.conftest import work  # noqa: F401 - a fixture
from tests.conftest import ISSUER
from tests.factories.make import PASSWORD

WRONG = "CNRY-not-the-password"
FROM = "REMOTE_ADDR"


def everybody_refused(make) -> dict[str, tuple[str, str]]:
    """One login of each kind that is refused, with the password typed for it."""
    make.subject("wrong.password")
    make.subject("is.disabled", status="disabled")
    make.subject("is.unverified", status="unverified", email_verified_at=None)
    make.subject("has.none", password=None)
    make.subject("is.locked")
    return {
        "unknown": ("no.such.person", PASSWORD),
        "unknown e-mail": ("nobody@mail.test", PASSWORD),
        "impossible": ("not a login at all!", PASSWORD),
        "over-long": ("x" * 250, PASSWORD),
        "wrong": ("wrong.password", WRONG),
        "disabled": ("is.disabled", PASSWORD),
        "unverified": ("is.unverified", PASSWORD),
        "no password": ("has.none", PASSWORD),
    }


def lock(browser, login: str) -> None:
    page = open_sign_in(browser)
    for _ in range(5):
        post_form(browser, page, "login-form", username=login, password=WRONG)


def test_SI_01_every_refusal_is_the_same_page(new_browser, make):
    answers = {}
    for kind, (login, password) in everybody_refused(make).items():
        answer = sign_in(new_browser(), login, password)
        answers[kind] = (answer.status_code, bare(answer, login), sorted(answer.headers.keys()))
    locked = new_browser()
    lock(locked, "is.locked")
    answer = sign_in(locked, "is.locked", PASSWORD)
    unlocked = (answer.status_code, bare(answer, "is.locked"))
    assert len({(status, text) for status, text, _ in answers.values()} | {unlocked}) == 1
    assert len({str(headers) for *_, headers in answers.values()}) == 1


@pytest.mark.both
def test_SI_02_every_refusal_costs_the_same_work(new_browser, make, work):  # noqa: F811
    costs = {}
    for kind, (login, password) in everybody_refused(make).items():
        browser = new_browser()
        page = open_sign_in(browser)
        costs[kind] = work.of(
            lambda b=browser, p=page, n=login, w=password: post_form(b, p, "login-form", username=n, password=w)
        )
    assert {hashes for hashes, _ in costs.values()} == {1}
    assert len({tuple(statements) for _, statements in costs.values()}) == 1, costs


def test_RX_03_a_locked_account_costs_no_hash_known_or_not(new_browser, make, work):  # noqa: F811
    make.subject("rosa.delgado")
    for login in ("rosa.delgado", "no.such.person"):
        browser = new_browser()
        lock(browser, login)
        page = open_sign_in(browser)
        hashes, _ = work.of(
            lambda b=browser, p=page, n=login: post_form(b, p, "login-form", username=n, password=PASSWORD)
        )
        assert hashes == 0


def try_from(browser, address: str, login: str, password: str):
    browser.environ_base[FROM] = address
    return sign_in(browser, login, password)


def test_SI_04_one_account_from_many_addresses_is_throttled_and_never_fails_a_hundred_times(
    new_browser,
    make,
    hands,
    work,  # noqa: F811
):
    subject = make.subject("rosa.delgado")
    tried = 0
    for day in range(45):
        for number in range(6):
            browser = new_browser()
            address = f"10.{day}.0.{number + 1}"
            browser.environ_base[FROM] = address
            page = open_sign_in(browser)
            hashes, _ = work.of(
                lambda b=browser, p=page: post_form(b, p, "login-form", username="rosa.delgado", password=WRONG)
            )
            tried += hashes
        hands.forward(hours=25)
    assert tried <= 100
    assert try_from(new_browser(), "10.200.0.1", "rosa.delgado", PASSWORD).status_code == 422
    with writing() as tx:
        budgets.succeeded_at_setting(tx, account=subject.id, now=hands.now)
    signed_in(new_browser(), "rosa.delgado")


def test_SI_05_one_address_is_stopped_after_twenty_a_minute(client, make, hands):
    page = open_sign_in(client)
    statuses = [
        post_form(client, page, "login-form", username=f"person{number}", password="Winter2026!").status_code
        for number in range(22)
    ]
    assert statuses[:20] == [422] * 20
    assert statuses[20:] == [429, 429]
    hands.forward(minutes=1)
    assert post_form(client, page, "login-form", username="person", password="Winter2026!").status_code == 422


@pytest.mark.both
def test_SI_06_every_spelling_counts_against_the_one_account(new_browser, make):
    make.subject("rosa.delgado")
    for spelling in ("rosa.delgado", "ROSA.DELGADO", " rosa.delgado ", "rosa.delgado@mail.test", "rosa.delgado."):
        assert sign_in(new_browser(), spelling, WRONG).status_code == 422
    assert sign_in(new_browser(), "Rosa.Delgado@MAIL.test", PASSWORD).status_code == 422
    counted = [row for row in make.rows(AttemptBudget) if row.name == "password"]
    assert len(counted) == 1


def test_SI_08_ones_own_sign_in_or_a_new_browser_resets_no_others_counter(new_browser, make):
    make.subject("victim")
    make.subject("attacker")
    for _ in range(5):
        browser = new_browser()
        sign_in(browser, "victim", WRONG)
        signed_in(browser, "attacker")
    assert sign_in(new_browser(), "victim", PASSWORD).status_code == 422


def test_SI_09_a_lock_ends_by_time_and_doubles_up_to_a_day(new_browser, make, hands):
    make.subject("victim")
    lock(new_browser(), "victim")
    hands.forward(minutes=14, seconds=59)
    assert sign_in(new_browser(), "victim").status_code == 422
    hands.forward(seconds=1)
    lock(new_browser(), "victim")
    hands.forward(minutes=29, seconds=59)
    assert sign_in(new_browser(), "victim").status_code == 422
    hands.forward(seconds=1)
    signed_in(new_browser(), "victim")


def test_SI_12_a_planted_session_cookie_is_never_adopted_and_a_new_sign_in_rotates(new_browser, make):
    make.subject("rosa.delgado")
    browser = new_browser()
    planted = "p" * 43
    browser.set_cookie("__Host-credence_session", planted, domain="credence.test")
    signed_in(browser, "rosa.delgado")
    first = browser.get_cookie("__Host-credence_session", domain="credence.test").value
    assert first != planted
    old = new_browser()
    old.set_cookie("__Host-credence_session", planted, domain="credence.test")
    assert old.get("/account/").status_code == 303
    assert len(make.rows(BrowserSession)) == 1


def test_SI_13_a_cross_site_post_of_credentials_is_403(client, make):
    make.subject("attacker")
    page = open_sign_in(client)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    data = {"username": "attacker", "password": PASSWORD}
    path = page.request.path
    assert client.post(path, data=data).status_code == 403
    for headers in (
        {"Origin": "https://evil.test"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert client.post(path, data={**data, "csrf_token": token}, headers=headers).status_code == 403
    assert make.rows(BrowserSession) == []


@pytest.mark.parametrize(
    "evil",
    ["//evil", "///evil", "/\\evil", "https:evil", "\x01//evil", "/%09/evil", "javascript:alert(1)", "https://evil"],
)
def test_SI_14_there_is_no_address_to_return_to(client, make, evil):
    make.subject("rosa.delgado")
    assert client.get("/sign-in", query_string={"to": evil}).status_code == 404
    page = follow(client, client.get("/account/", query_string={"next": evil, "return_to": evil}))
    answer = post_form(client, page, "login-form", username="rosa.delgado", password=PASSWORD)
    assert answer.location.startswith("/sign-in/")
    assert follow(client, answer).request.path == "/account/"
    extra = post_form(client, page, "login-form", username="rosa.delgado", password=PASSWORD, next=evil)
    assert extra.status_code in {303, 400}
    assert "evil" not in (extra.location or "")


@pytest.mark.parametrize(
    "plain",
    [
        " lead and trail of it ",
        "🔑🗝️ walnut orbit 🔑",
        "e\u0301tude in five keys",
        "étude in five keys",
        "k" * 127 + "7",
    ],
)
def test_SI_16_passwords_are_verified_as_typed(new_browser, make, plain):
    make.subject("rosa.delgado", password=plain)
    assert sign_in(new_browser(), "rosa.delgado", plain[:72] + "!").status_code == 422
    assert sign_in(new_browser(), "rosa.delgado", plain.strip() + " x").status_code == 422
    signed_in(new_browser(), "rosa.delgado", plain)


@pytest.mark.parametrize(
    "sent",
    [
        {"username[]": "rosa.delgado", "password": PASSWORD},
        {"username": ["rosa.delgado", "other"], "password": PASSWORD},
        {"username": "rosa.delgado", "password": [PASSWORD, PASSWORD]},
        {"username": "rosa.delgado", "password[$ne]": "x"},
        {"username": "rosa.delgado", "password": PASSWORD, "admin": "1"},
        {"username": "rosa.delgado\x00", "password": PASSWORD},
    ],
)
def test_SI_17_arrays_objects_and_unknown_fields_are_400(client, make, sent):
    make.subject("rosa.delgado")
    page = open_sign_in(client)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    answer = client.post(page.request.path, data={"csrf_token": token, **sent}, headers={"Origin": ISSUER})
    assert answer.status_code == 400
    assert make.rows(BrowserSession) == []


@pytest.mark.parametrize("digest", ["", "!", "*", "$1$abc$def"])
def test_SI_18_no_password_opens_an_account_without_one(new_browser, make, digest):
    subject = make.subject("rosa.delgado")
    with writing() as tx:
        tx.get(PasswordCredential, subject.id).digest = digest
    for plain in (" ", "!", "*", PASSWORD):
        assert sign_in(new_browser(), "rosa.delgado", plain).status_code == 422


def test_SI_20_changing_the_password_is_no_oracle(client, new_browser, make):
    make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    page = client.get("/account/security")
    new = {"new_password": "Orbit-walnut-kettle-77", "repeat_password": "Orbit-walnut-kettle-77"}
    for _ in range(5):
        assert post_form(client, page, "change-password-form", current_password=WRONG, **new).status_code == 422
    locked = post_form(client, page, "change-password-form", current_password=PASSWORD, **new)
    assert locked.status_code == 422
    assert sign_in(new_browser(), "rosa.delgado", PASSWORD).status_code == 422


@pytest.mark.both
def test_SI_21_a_disabled_person_is_out_at_once(client, new_browser, make, now):
    subject = make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    pending = new_browser()
    page = open_sign_in(pending)
    with writing() as tx:
        subjects.disable(tx, subject_id=subject.id, reason="left", actor="system", now=now, origin=Origin.local("test"))
    assert client.get("/account/").status_code == 303
    assert post_form(pending, page, "login-form", username="rosa.delgado", password=PASSWORD).status_code == 422


def test_AU_07_a_password_typed_as_user_id_is_stored_nowhere(client, make, app):
    page = open_sign_in(client)
    post_form(client, page, "login-form", username="CNRY typed in the wrong field!", password=PASSWORD)
    rows = [str(vars(row)) for kind in (AuditEvent, Transaction, AttemptBudget) for row in make.rows(kind)]
    assert rows
    assert not any("CNRY" in row or "wrong field" in row for row in rows)


def test_AU_04_each_refusal_and_each_sign_in_is_one_event(new_browser, make):
    for login, password in everybody_refused(make).values():
        sign_in(new_browser(), login, password)
    make.subject("rosa.delgado")
    signed_in(new_browser(), "rosa.delgado")
    events = [(event.type, event.outcome) for event in make.rows(AuditEvent)]
    assert events.count(("signed_in", "ok")) == 1
    outcomes = sorted(outcome for kind, outcome in events if kind == "sign_in_refused")
    assert outcomes == sorted(["unknown_login"] * 4 + ["wrong_password", "disabled", "unverified", "no_password"])


@pytest.mark.both
def test_RA_14_fifty_parallel_failures_are_counted_exactly(app, make, now):
    subject = make.subject("rosa.delgado")
    allowed: list[object] = []

    def attempt() -> None:
        with app.app_context(), writing() as tx:
            allowed.append(budgets.reserve(tx, account=subject.id, now=now))

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(allowed) == 16
    assert allowed.count(None) == 5


@pytest.mark.both
def test_RA_09_a_password_changed_while_its_hash_was_checked_signs_nobody_in(client, make, monkeypatch):
    subject = make.subject("rosa.delgado")
    kdf = house.get(Kdf)
    check: Callable = kdf.check

    def meanwhile(plain, *, digest):
        verdict = check(plain, digest=digest)
        with writing() as tx:
            tx.get(PasswordCredential, subject.id).digest = kdf._dummy
        return verdict

    page = open_sign_in(client)
    monkeypatch.setattr(kdf, "check", meanwhile)
    from idp.foundation import database

    monkeypatch.setattr(database.write_budget.__wrapped__, "__defaults__", (3,))
    assert post_form(client, page, "login-form", username="rosa.delgado", password=PASSWORD).status_code == 422
    assert make.rows(BrowserSession) == []


def test_SE_02_an_ended_session_is_dead_in_a_copied_cookie(client, new_browser, make):
    make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    copied = new_browser()
    value = client.get_cookie("__Host-credence_session", domain="credence.test").value
    copied.set_cookie("__Host-credence_session", value, domain="credence.test")
    session = make.rows(BrowserSession)[0]
    press(client, client.get(f"/account/sessions/{session.id}/end"), f"/account/sessions/{session.id}/end")
    assert copied.get("/account/").status_code == 303
    with reading() as tx:
        assert tx.get(BrowserSession, session.id).ended_at - session.created_at < timedelta(minutes=1)


def test_SI_06_a_subject_id_is_nobodys_login(client, make):
    """The `sub` stands in every token: it opens no account, not even with the right password."""
    rosa = make.subject("rosa.delgado")
    page = open_sign_in(client)
    assert post_form(client, page, "login-form", username=rosa.id, password=PASSWORD).status_code == 422
    assert make.rows(BrowserSession) == []
