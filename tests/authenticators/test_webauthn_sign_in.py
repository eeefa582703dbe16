"""Signing in by passkey, without a user ID: whose page, whose challenge, whose key, and what is remembered of it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.webauthn.models import WebauthnCredential
from idp.foundation.artefacts import Artefact
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession
from idp.subjects import service as subjects
from tests.authenticators.browsing import bare, follow, open_sign_in, post_form, sign_in, signed_in
from tests.authenticators.passkeys import challenge_of, hold, options, post, use
from tests.authenticators.software_key import ELIGIBLE, PRESENT, VERIFIED, SoftwareKey
from tests.conftest import ISSUER, Hands
from tests.factories import Make
from tests.sign_in.visiting import SESSION, ask, token_in, txn_of, walk

pytestmark = pytest.mark.both
ORIGIN = Origin("192.0.2.7", "r")
DEVICE_BOUND = PRESENT | VERIFIED


@pytest.fixture
def key() -> SoftwareKey:
    return SoftwareKey()


@pytest.fixture
def held(make: Make, key: SoftwareKey) -> HeldFactor:
    """Rosa's passkey."""
    return hold(make, make.subject("rosa.delgado"), key)


def is_in(client: FlaskClient, answer: TestResponse) -> bool:
    if answer.status_code != 303:
        return False
    return follow(client, answer).request.path == "/account/"


def outcomes(make: Make, kind: str = "sign_in_refused") -> list[str]:
    return [event.outcome for event in make.rows(AuditEvent) if event.type == kind]


def test_a_passkey_signs_in_without_a_user_id(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    answer = use(client, open_sign_in(client), key)
    assert is_in(client, answer)
    (session,) = make.rows(BrowserSession)
    assert session.subject_id == held.subject_id
    assert set(session.acr) == {"aal1", "aal2", "phr"}
    assert session.amr == ["swk", "user", "mfa"]
    assert make.row(HeldFactor, held.id).last_used_at == make.now
    (event,) = [event for event in make.rows(AuditEvent) if event.type == "signed_in"]
    assert (event.subject_id, event.details) == (held.subject_id, {"method": "passkey"})


def test_MODEL_8_an_attested_device_bound_key_is_aal3(client: FlaskClient, make: Make) -> None:
    key = SoftwareKey(flags=DEVICE_BOUND)
    hold(make, make.subject("rosa.delgado"), key, attested=True)
    assert is_in(client, use(client, open_sign_in(client), key))
    (session,) = make.rows(BrowserSession)
    assert set(session.acr) == {"aal1", "aal2", "aal3", "phr", "phrh"}
    assert session.amr == ["hwk", "user", "mfa"]


def test_the_options_name_nobody_and_demand_verification(client: FlaskClient, held: HeldFactor) -> None:
    told = options(client, open_sign_in(client))
    asked = told.get_json()
    assert told.mimetype == "application/json"
    assert told.headers["Cache-Control"] == "no-store"
    assert asked["allowCredentials"] == []
    assert (asked["rpId"], asked["userVerification"]) == ("credence.test", "required")
    assert len(asked["challenge"]) == 43


def test_SI_12_a_passkey_rotates_the_session_that_was_there(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    make.client()
    assert is_in(client, use(client, open_sign_in(client), key))
    first = client.get_cookie(SESSION, domain="credence.test")
    page = ask(client, prompt="login")
    answer = use(client, page, key)
    assert answer.status_code == 303
    second = client.get_cookie(SESSION, domain="credence.test")
    assert first is not None
    assert second is not None
    assert first.value != second.value
    assert len(make.rows(BrowserSession)) == 1


def test_MF_25_an_assertion_is_taken_once(client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor) -> None:
    page = open_sign_in(client)
    sent = key.get(challenge_of(client, page))
    assert post(client, page, sent).status_code == 303
    stolen = client.application.test_client()
    there = open_sign_in(stolen)
    assert post(stolen, there, sent).status_code == 422
    assert outcomes(make) == ["challenge_spent"]
    assert len(make.rows(BrowserSession)) == 1


def test_MF_25_a_challenge_of_another_browser_or_transaction_is_refused(
    new_browser: Callable[[], FlaskClient], make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    mine, theirs = new_browser(), new_browser()
    there, here = open_sign_in(theirs), open_sign_in(mine)
    foreign = challenge_of(theirs, there)
    assert post(mine, here, key.get(foreign)).status_code == 422
    second = open_sign_in(mine)
    assert post(mine, second, key.get(challenge_of(mine, here))).status_code == 422
    assert make.rows(BrowserSession) == []
    assert post(theirs, there, key.get(foreign)).status_code == 303


def test_MF_25_a_challenge_of_another_purpose_is_refused(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    page = post_form(
        client, open_sign_in(client), "login-form", username="rosa.delgado", password="kettle-orbit-walnut-42"
    )
    second = follow(client, page)
    for_second = challenge_of(client, second, "second-factor/passkey")
    elsewhere = open_sign_in(client)
    assert post(client, elsewhere, key.get(for_second)).status_code == 422
    assert outcomes(make)[-1] == "challenge_spent"


@pytest.mark.parametrize(("minutes", "taken"), [(9, True), (10, False), (50, False)])
def test_MF_25_a_challenge_expires_after_ten_minutes(
    client: FlaskClient, key: SoftwareKey, held: HeldFactor, hands: Hands, minutes: int, taken: bool
) -> None:
    page = open_sign_in(client)
    challenge = challenge_of(client, page)
    hands.forward(minutes=minutes)
    assert (post(client, page, key.get(challenge)).status_code == 303) is taken


def test_MF_25_a_challenge_is_used_up_by_whatever_answers_it(
    client: FlaskClient, key: SoftwareKey, held: HeldFactor
) -> None:
    page = open_sign_in(client)
    challenge = challenge_of(client, page)
    assert post(client, page, key.get(challenge, said={"origin": "https://evil.example"})).status_code == 422
    assert post(client, page, key.get(challenge)).status_code == 422


def test_MF_25_a_challenge_that_we_never_made_is_refused(
    client: FlaskClient, key: SoftwareKey, held: HeldFactor
) -> None:
    page = open_sign_in(client)
    for invented in ("A" * 43, "", "A" * 4000):
        assert post(client, page, key.get(invented)).status_code in {400, 422}


LIES: dict[str, dict[str, Any]] = {
    "MF-26 another origin": {"said": {"origin": "https://credence.test.evil.example"}},
    "MF-26 another port": {"said": {"origin": f"{ISSUER}:8443"}},
    "MF-26 another RP ID": {"rp_id": "evil.example"},
    "MF-26 in a frame": {"said": {"crossOrigin": True, "topOrigin": "https://evil.example"}},
    "MF-27 nobody verified": {"flags": PRESENT | ELIGIBLE},
    "MF-27 nobody present": {"flags": VERIFIED | ELIGIBLE},
    "MF-29 another handle": {"user_handle": b"zyxwvutsrqponmlkjihgfedcba"},
    "MF-29 no handle": {"user_handle": None},
    "MF-29 a key of nobody": {"credential_id": b"unknown"},
    "another kind of key": {"flags": DEVICE_BOUND},
    "the other ceremony": {"said": {"type": "webauthn.create"}},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_MF_26_27_29_no_lie_signs_in_and_all_look_the_same(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor, lie: dict[str, Any]
) -> None:
    page = open_sign_in(client)
    answer = use(client, page, key, **lie)
    stranger = use(client, page, SoftwareKey(user_handle=held.subject_id.encode()))
    assert answer.status_code == stranger.status_code == 422
    assert bare(answer) == bare(stranger)
    assert make.rows(BrowserSession) == []
    assert client.get_cookie(SESSION, domain="credence.test") is None
    assert len(outcomes(make)) == 2


def test_MF_29_the_victims_credential_id_with_the_attackers_signature(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    attacker = SoftwareKey()
    hold(make, make.subject("mallory"), attacker)
    page = open_sign_in(client)
    for handle in (held.subject_id.encode(), attacker.user_handle):
        answer = use(client, page, attacker, credential_id=key.credential_id, user_handle=handle)
        assert answer.status_code == 422
    assert make.rows(BrowserSession) == []


def test_MF_28_a_counter_that_went_back_is_refused_and_stops_the_key(client: FlaskClient, make: Make) -> None:
    key = SoftwareKey(sign_count=7, counts=True)
    held = hold(make, make.subject("rosa.delgado"), key)
    page = open_sign_in(client)
    refused = use(client, page, key, sign_count=7)
    assert refused.status_code == 422
    assert "is stopped" in refused.text
    assert make.rows(BrowserSession) == []
    (row,) = make.rows(WebauthnCredential)
    assert (make.row(HeldFactor, held.id).stopped_at, row.sign_count) == (make.now, 7)
    (event,) = [event for event in make.rows(AuditEvent) if event.type == "passkey_stopped"]
    assert event.details["stored"] == event.details["told"] == 7
    assert event.details["factor"] == str(held.id)
    assert [message.notice for message in make.rows(OutboxMessage)] == ["passkey_stopped"]
    genuine = use(client, page, key, sign_count=8)
    assert genuine.status_code == 422
    assert outcomes(make) == ["counter_went_back", "stopped"]
    assert len(make.rows(OutboxMessage)) == 1


def test_MF_28_only_a_right_signature_raises_the_alarm(client: FlaskClient, make: Make) -> None:
    key = SoftwareKey(sign_count=7, counts=True)
    held = hold(make, make.subject("rosa.delgado"), key)
    forger = SoftwareKey(user_handle=key.user_handle)
    assert use(client, open_sign_in(client), forger, credential_id=key.credential_id, sign_count=1).status_code == 422
    assert make.row(HeldFactor, held.id).stopped_at is None
    assert outcomes(make) == ["bad_signature"]


@pytest.mark.parametrize(
    ("stored", "told", "taken"),
    [
        (0, 0, True),
        (0, 1, True),
        (7, 8, True),
        (7, 2**32 - 1, True),
        (2**32 - 2, 2**32 - 1, True),
        (7, 6, False),
        (7, 0, False),
    ],
)
def test_MF_28_a_counter_that_counts_must_grow(
    client: FlaskClient, make: Make, stored: int, told: int, taken: bool
) -> None:
    key = SoftwareKey(sign_count=stored)
    held = hold(make, make.subject("rosa.delgado"), key)
    answer = use(client, open_sign_in(client), key, sign_count=told)
    (row,) = make.rows(WebauthnCredential)
    assert (answer.status_code, row.sign_count) == ((303, told) if taken else (422, stored))
    assert (make.row(HeldFactor, held.id).stopped_at is None) is taken


def test_MF_28_of_two_uses_with_one_counter_one_is_taken(
    app: Flask, new_browser: Callable[[], FlaskClient], make: Make
) -> None:
    key = SoftwareKey(sign_count=7, counts=True)
    hold(make, make.subject("rosa.delgado"), key)
    browsers = [new_browser() for _ in range(4)]
    pages = [open_sign_in(browser) for browser in browsers]
    answers = [key.get(challenge_of(*each), sign_count=8) for each in zip(browsers, pages, strict=True)]
    statuses: list[int] = []
    barrier = threading.Barrier(len(browsers))

    def send(number: int) -> None:
        barrier.wait(20)
        statuses.append(post(browsers[number], pages[number], answers[number]).status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(browsers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [303, 422, 422, 422]
    assert len(make.rows(BrowserSession)) == 1
    assert outcomes(make).count("counter_went_back") == 1


def test_MF_31_what_no_page_of_ours_sends_is_400(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    page = open_sign_in(client)
    sent = key.get(challenge_of(client, page))
    for wrong in ({"signature": "+/=="}, {"credential_id": ""}, {"user_handle": ["a", "a"]}, {"subject_id": "x"}):
        answer = post(client, page, sent, **wrong)
        assert answer.status_code == 400, wrong
        assert 'id="error"' in answer.text
    assert make.rows(BrowserSession) == []
    assert post(client, page, sent).status_code == 303


@pytest.mark.parametrize("raw", [b"[" * 2000, b"null", b"{}", b'{"challenge":["x"]}', b"\xff\xfe"])
def test_MF_31_malformed_client_data_signs_nobody_in(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor, raw: bytes
) -> None:
    page = open_sign_in(client)
    answer = post(client, page, replace(key.get(challenge_of(client, page)), client_data=raw))
    assert answer.status_code == 422
    assert outcomes(make) == ["malformed"]


def test_SI_09_a_passkey_enters_while_others_failures_lock_the_password(
    new_browser: Callable[[], FlaskClient], make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    attacker = new_browser()
    page = open_sign_in(attacker)
    for _ in range(6):
        post_form(attacker, page, "login-form", username="rosa.delgado", password="wrong")
    for _ in range(40):
        assert use(attacker, page, SoftwareKey(), credential_id=key.credential_id).status_code == 422
    assert sign_in(new_browser(), "rosa.delgado").status_code == 422
    owner = new_browser()
    assert is_in(owner, use(owner, open_sign_in(owner), key))


@pytest.mark.parametrize("state", ["disabled", "unverified"])
def test_SI_21_RC_19_a_key_of_an_account_that_may_not_sign_in_opens_nothing(
    client: FlaskClient, make: Make, state: str
) -> None:
    key = SoftwareKey()
    hold(make, make.subject("mallory", status=state, email_verified_at=None), key)
    answer = use(client, open_sign_in(client), key)
    assert answer.status_code == 422
    assert make.rows(BrowserSession) == []
    assert outcomes(make) == [state]


def test_SI_21_somebody_disabled_after_the_challenge_is_refused(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    page = open_sign_in(client)
    challenge = challenge_of(client, page)
    with writing() as tx:
        subjects.disable(tx, subject_id=held.subject_id, reason="left", actor="admin", now=make.now, origin=ORIGIN)
    assert post(client, page, key.get(challenge)).status_code == 422
    assert make.rows(BrowserSession) == []


def test_RC_19_a_planted_passkey_dies_with_the_mailbox_that_was_not_the_planters(
    new_browser: Callable[[], FlaskClient], make: Make
) -> None:
    """The planter's account never was let in; when the owner proves the mailbox, the owner's account is another one."""
    planted = SoftwareKey()
    planter = make.subject(None, email="owner@mail.test", status="unverified", email_verified_at=None)
    hold(make, planter, planted)
    with writing() as tx:
        assert subjects.free_unproven_email(tx, email="owner@mail.test", actor="x", now=make.now, origin=ORIGIN)
    owner = make.subject("owner", email="owner@mail.test")
    browser = new_browser()
    assert use(browser, open_sign_in(browser), planted).status_code == 422
    assert make.rows(BrowserSession) == []
    signed_in(new_browser(), "owner@mail.test")
    assert {session.subject_id for session in make.rows(BrowserSession)} == {owner.id}


def test_a_passkey_answers_only_where_a_sign_in_is_asked(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    make.client()
    page = ask(client)
    first = post(client, page, key.get(challenge_of(client, page)))
    early = key.get(challenge_of(client, page))
    assert walk(client, first).request.path.endswith("/cannot-act")
    assert options(client, page).status_code == 409
    again = post(client, page, early)
    assert (again.status_code, again.location) == (303, f"/sign-in/{txn_of(page)}")
    assert len(make.rows(BrowserSession)) == 1


def test_another_browser_cannot_use_the_transaction(
    new_browser: Callable[[], FlaskClient], make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    page = open_sign_in(new_browser())
    stranger = new_browser()
    own = open_sign_in(stranger)
    address = f"/sign-in/{txn_of(page)}/passkey/options"
    told = stranger.post(address, data={"csrf_token": token_in(own)}, headers={"Origin": ISSUER})
    assert told.status_code == 409
    assert [row for row in make.rows(Artefact) if row.kind == "webauthn_challenge"] == []


def test_challenges_are_limited_by_address_apart_from_passwords(client: FlaskClient, held: HeldFactor) -> None:
    page = open_sign_in(client)
    statuses = [options(client, page).status_code for _ in range(121)]
    assert statuses == [200] * 120 + [429]
    assert sign_in(client, "nobody").status_code == 422


def test_a_removed_key_opens_nothing(client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor) -> None:
    page = open_sign_in(client)
    challenge = challenge_of(client, page)
    with writing() as tx:
        factor = tx.get(HeldFactor, held.id)
        assert factor is not None
        tx.delete(factor)
    assert make.rows(WebauthnCredential) == []
    assert post(client, page, key.get(challenge)).status_code == 422
    assert outcomes(make) == ["unknown_credential"]
