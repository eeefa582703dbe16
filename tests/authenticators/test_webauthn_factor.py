"""Passkeys at the second-factor step and at set-up: only the person asked, only the session shown, each once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.authenticators.webauthn.models import WebauthnCredential
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession
from idp.subjects.models import Subject
from tests.authenticators.browsing import follow, open_sign_in, post_form, press
from tests.authenticators.passkeys import challenge_of, hold, options, post, use
from tests.authenticators.software_key import PRESENT, VERIFIED, SoftwareKey, b64
from tests.conftest import ISSUER, Hands
from tests.factories import Make
from tests.factories.make import PASSWORD
from tests.sign_in.visiting import SESSION, token_in, txn_of

pytestmark = pytest.mark.both
SECOND = "second-factor/passkey"
SET_UP = "set-up-mfa/passkey"


@pytest.fixture
def rosa(make: Make) -> Subject:
    return make.subject("rosa.delgado")


@pytest.fixture
def key() -> SoftwareKey:
    return SoftwareKey()


@pytest.fixture
def held(make: Make, rosa: Subject, key: SoftwareKey) -> HeldFactor:
    return hold(make, rosa, key)


def type_password(client: FlaskClient, user_id: str = "rosa.delgado") -> TestResponse:
    """The page after a right password."""
    return follow(client, post_form(client, open_sign_in(client), "login-form", username=user_id, password=PASSWORD))


def outcomes(make: Make, kind: str = "sign_in_refused") -> list[str]:
    return [event.outcome for event in make.rows(AuditEvent) if event.type == kind]


def test_a_passkey_is_the_second_factor_after_a_password(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    page = type_password(client)
    assert page.request.path.endswith("/second-factor/passkey")
    assert make.rows(BrowserSession) == []
    answer = use(client, page, key, SECOND)
    assert follow(client, answer).request.path == "/account/"
    (session,) = make.rows(BrowserSession)
    assert session.amr == ["pwd", "swk", "user", "mfa"]
    assert set(session.acr) == {"aal1", "aal2", "phr"}
    assert set(session.proven) == {"password", "passkey"}
    assert make.row(HeldFactor, held.id).last_used_at == make.now


def test_C5_a_passkey_after_a_password_may_have_the_device_remembered(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    page = type_password(client)
    assert 'name="remember"' in page.text
    lie = use(client, page, SoftwareKey(), SECOND, credential_id=key.credential_id)
    assert lie.status_code == 422
    assert make.rows(RememberedDevice) == []
    sent = key.get(challenge_of(client, page, SECOND))
    assert post(client, page, sent, SECOND, remember="yes").status_code == 303
    (device,) = make.rows(RememberedDevice)
    assert device.subject_id == held.subject_id


def test_the_options_name_the_persons_own_keys(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    hold(make, make.subject("mallory"), SoftwareKey())
    asked = options(client, type_password(client), SECOND).get_json()
    assert [named["id"] for named in asked["allowCredentials"]] == [b64(key.credential_id)]
    assert asked["userVerification"] == "required"


def test_MF_29_a_key_of_somebody_else_is_no_second_factor(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    attacker = SoftwareKey()
    hold(make, make.subject("mallory"), attacker)
    page = type_password(client)
    borrowed = {"credential_id": key.credential_id}
    mine = {"user_handle": key.user_handle}
    for lie in ({}, mine, {"user_handle": None}, borrowed, borrowed | mine):
        assert use(client, page, attacker, SECOND, **lie).status_code == 422
    assert make.rows(BrowserSession) == []
    assert set(outcomes(make)) == {"unknown_credential", "bad_signature", "wrong_user_handle"}


def test_MF_29_the_password_of_another_tab_changes_whose_key_is_asked(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    """The victim's password and the attacker's own key in one transaction: whoever is pending last is asked."""
    attacker = SoftwareKey()
    hold(make, make.subject("mallory"), attacker)
    page = type_password(client, "mallory")
    sent = attacker.get(challenge_of(client, page, SECOND))
    start_over = f"/sign-in/{txn_of(page)}/start-over"
    client.post(start_over, data={"csrf_token": token_in(page)}, headers={"Origin": ISSUER})
    again = follow(client, client.get(f"/sign-in/{txn_of(page)}"))
    follow(client, post_form(client, again, "login-form", username="rosa.delgado", password=PASSWORD))
    assert post(client, page, sent, SECOND).status_code == 422
    assert make.rows(BrowserSession) == []


def test_MF_25_a_second_factor_is_taken_once_and_only_here(
    new_browser: Callable[[], FlaskClient], make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    client, thief = new_browser(), new_browser()
    page, there = type_password(client), type_password(thief)
    sent = key.get(challenge_of(client, page, SECOND))
    assert post(thief, there, sent, SECOND).status_code == 422
    assert post(client, page, sent, SECOND).status_code == 303
    assert post(thief, there, sent, SECOND).status_code == 422
    assert len(make.rows(BrowserSession)) == 1


def test_MF_25_a_challenge_for_signing_in_is_none_for_the_second_factor(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    page = open_sign_in(client)
    for_sign_in = challenge_of(client, page)
    second = follow(client, post_form(client, page, "login-form", username="rosa.delgado", password=PASSWORD))
    assert txn_of(second) == txn_of(page)
    assert post(client, second, key.get(for_sign_in), SECOND).status_code == 422
    assert outcomes(make) == ["challenge_spent"]


@pytest.mark.parametrize(
    "lie", [{"flags": PRESENT | 0x08}, {"flags": VERIFIED | 0x08}, {"rp_id": "evil.example"}, {"said": {"origin": "x"}}]
)
def test_MF_26_27_no_lie_is_a_second_factor(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor, lie: dict[str, Any]
) -> None:
    assert use(client, type_password(client), key, SECOND, **lie).status_code == 422
    assert make.rows(BrowserSession) == []


def test_MF_28_a_copied_key_is_no_second_factor(client: FlaskClient, make: Make, rosa: Subject) -> None:
    key = SoftwareKey(sign_count=7, counts=True)
    hold(make, rosa, key)
    page = type_password(client)
    refused = use(client, page, key, SECOND, sign_count=3)
    assert refused.status_code == 422
    assert "is stopped" in refused.text
    assert "passkey_stopped" in [message.notice for message in make.rows(OutboxMessage)]
    assert follow(client, use(client, page, key, SECOND, sign_count=9)).request.path.endswith("/ways")
    assert make.rows(BrowserSession) == []


def test_MF_31_malformed_second_factors_are_400(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor
) -> None:
    page = type_password(client)
    sent = key.get(challenge_of(client, page, SECOND))
    assert post(client, page, sent, SECOND, signature="+").status_code == 400
    assert post(client, page, sent, SECOND, extra="1").status_code == 400
    assert post(client, page, replace(sent, client_data=b"[]"), SECOND).status_code == 422
    assert make.rows(BrowserSession) == []


def setting_up(client: FlaskClient) -> TestResponse:
    """The page that makes a passkey, for somebody signed in a moment ago."""
    page = follow(client, client.get("/sign-in?to=account.overview&set-up=1"))
    made = client.get(f"/sign-in/{txn_of(page)}/{SET_UP}")
    assert made.status_code == 200, (made.status_code, made.location)
    return made


def make_one(client: FlaskClient, page: TestResponse, key: SoftwareKey, **changed: Any) -> TestResponse:
    name = changed.pop("name", "Desk key")
    return post(client, page, key.create(challenge_of(client, page, SET_UP), **changed), SET_UP, name=name)


@pytest.fixture
def signed_in(client: FlaskClient, rosa: Subject) -> FlaskClient:
    assert type_password(client).request.path == "/account/"
    return client


def test_a_passkey_is_made_named_and_lifts_the_session(
    signed_in: FlaskClient, make: Make, rosa: Subject, new_browser: Callable[[], FlaskClient]
) -> None:
    before = signed_in.get_cookie(SESSION, domain="credence.test")
    page = setting_up(signed_in)
    asked = options(signed_in, page, SET_UP).get_json()
    assert asked["user"]["name"] == "rosa.delgado"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["attestation"] == "none"
    key = SoftwareKey(user_handle=rosa.id.encode())
    answer = make_one(signed_in, page, key, name="  Work   laptop ")
    assert answer.status_code == 303
    (factor,) = [row for row in make.rows(HeldFactor) if row.kind == "passkey"]
    (row,) = make.rows(WebauthnCredential)
    assert (factor.name, factor.subject_id, row.factor_id) == ("Work laptop", rosa.id, factor.id)
    assert (row.credential_id, row.public_key, row.transports) == (key.credential_id, key.cose, ["internal"])
    (session,) = make.rows(BrowserSession)
    assert "phr" in session.acr
    after = signed_in.get_cookie(SESSION, domain="credence.test")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert outcomes(make, "factor_added") == ["ok"]
    assert "factor_added" in [message.notice for message in make.rows(OutboxMessage)]
    elsewhere = new_browser()
    assert follow(elsewhere, use(elsewhere, open_sign_in(elsewhere), key)).request.path == "/account/"


def test_keys_held_already_are_excluded(signed_in: FlaskClient, make: Make, rosa: Subject) -> None:
    page = setting_up(signed_in)
    key = SoftwareKey(user_handle=rosa.id.encode())
    assert make_one(signed_in, page, key).status_code == 303
    again = options(signed_in, page, SET_UP).get_json()
    assert len(again["excludeCredentials"]) == 1


def test_a_key_that_somebody_registered_already_is_refused(signed_in: FlaskClient, make: Make) -> None:
    key = SoftwareKey()
    hold(make, make.subject("mallory"), key)
    answer = make_one(signed_in, setting_up(signed_in), key)
    assert answer.status_code == 422
    assert "already in use" in answer.text
    assert len(make.rows(WebauthnCredential)) == 1
    assert [row.subject_id for row in make.rows(HeldFactor) if row.kind == "passkey"] == [
        event.id for event in make.rows(Subject) if event.user_id == "mallory"
    ]
    assert outcomes(make, "factor_added") == ["taken"]
    assert make.rows(OutboxMessage) == []


@pytest.mark.parametrize(
    "lie",
    [
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"rp_id": "evil.example"},
        {"said": {"origin": "https://evil.example"}},
        {"said": {"crossOrigin": True}},
        {"said": {"type": "webauthn.get"}},
    ],
)
def test_MF_26_27_no_lie_makes_a_key(signed_in: FlaskClient, make: Make, lie: dict[str, Any]) -> None:
    answer = make_one(signed_in, setting_up(signed_in), SoftwareKey(), **lie)
    assert answer.status_code == 422
    assert make.rows(WebauthnCredential) == []
    assert len(outcomes(make, "factor_added")) == 1


def test_MF_25_one_challenge_makes_one_key(signed_in: FlaskClient, make: Make) -> None:
    page = setting_up(signed_in)
    challenge = challenge_of(signed_in, page, SET_UP)
    assert post(signed_in, page, SoftwareKey().create(challenge), SET_UP, name="One").status_code == 303
    second = post(signed_in, page, SoftwareKey().create(challenge), SET_UP, name="Two")
    assert second.status_code == 422
    assert len(make.rows(WebauthnCredential)) == 1


def test_MF_25_a_challenge_to_sign_in_makes_no_key(
    signed_in: FlaskClient, make: Make, new_browser: Callable[[], FlaskClient]
) -> None:
    other = new_browser()
    foreign = challenge_of(other, open_sign_in(other))
    page = setting_up(signed_in)
    assert post(signed_in, page, SoftwareKey().create(foreign), SET_UP, name="X").status_code == 422
    assert make.rows(WebauthnCredential) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(signed_in: FlaskClient, make: Make, name: str) -> None:
    page = setting_up(signed_in)
    key = SoftwareKey()
    answer = post(signed_in, page, key.create(challenge_of(signed_in, page, SET_UP)), SET_UP, name=name)
    assert answer.status_code == 422
    assert make.rows(WebauthnCredential) == []


@pytest.mark.parametrize("attestation", ["", "A", "oA", "_" * 20_000, "B" * 30_000])
def test_MF_31_malformed_attestations_make_no_key(signed_in: FlaskClient, make: Make, attestation: str) -> None:
    page = setting_up(signed_in)
    sent = SoftwareKey().create(challenge_of(signed_in, page, SET_UP))
    answer = post(signed_in, page, sent, SET_UP, name="X", attestation=attestation)
    assert answer.status_code in {400, 422}
    assert make.rows(WebauthnCredential) == []


def test_MF_33_a_key_made_in_one_session_lifts_no_other(
    signed_in: FlaskClient, make: Make, new_browser: Callable[[], FlaskClient]
) -> None:
    other = new_browser()
    assert type_password(other).request.path == "/account/"
    assert make_one(signed_in, setting_up(signed_in), SoftwareKey()).status_code == 303
    assert sorted("phr" in session.acr for session in make.rows(BrowserSession)) == [False, True]


def test_MF_11_adding_a_key_needs_a_fresh_proof(signed_in: FlaskClient, make: Make, hands: Hands) -> None:
    hands.forward(minutes=16)
    landed = follow(signed_in, signed_in.get("/sign-in?to=account.overview&set-up=1"))
    assert not landed.request.path.endswith("set-up-mfa")
    address = f"/sign-in/{txn_of(landed)}/{SET_UP}"
    assert signed_in.get(address).status_code == 303
    refused = signed_in.post(f"{address}/options", data={"csrf_token": token_in(landed)}, headers={"Origin": ISSUER})
    assert refused.status_code == 409


def test_MF_11_a_passkey_is_listed_renamed_and_removed_after_a_fresh_proof(
    client: FlaskClient,
    new_browser: Callable[[], FlaskClient],
    make: Make,
    key: SoftwareKey,
    held: HeldFactor,
    hands: Hands,
) -> None:
    make.totp(make.row(Subject, held.subject_id))
    follow(client, use(client, open_sign_in(client), key))
    assert "Desk key" in client.get("/account/factors").text
    post_form(client, client.get(f"/account/factors/{held.id}"), "factor-name-form", name="Blue key")
    assert "Blue key" in client.get("/account/factors").text
    removal = f"/account/factors/{held.id}/remove"
    hands.forward(minutes=16)
    asked = follow(client, client.get(removal))
    assert asked.request.path.endswith("/second-factor/passkey")
    back = follow(client, use(client, asked, key, SECOND))
    assert back.request.path == "/account/factors"
    assert press(client, client.get(removal), removal).status_code == 303
    assert make.rows(WebauthnCredential) == []
    assert "factor_removed" in [message.notice for message in make.rows(OutboxMessage)]
    other = new_browser()
    assert use(other, open_sign_in(other), key).status_code == 422


def test_a_session_by_passkey_alone_is_lifted_by_none_but_its_owners_key(
    client: FlaskClient, make: Make, key: SoftwareKey, held: HeldFactor, hands: Hands
) -> None:
    """MF-33: a step-up in this browser takes no other person's key, though it is a right one."""
    stranger = SoftwareKey()
    hold(make, make.subject("mallory"), stranger)
    follow(client, use(client, open_sign_in(client), key))
    hands.forward(minutes=16)
    asked = follow(client, client.get("/sign-in?to=account.overview&fresh=1"))
    assert use(client, asked, stranger, SECOND).status_code == 422
    (session,) = make.rows(BrowserSession)
    assert session.subject_id == held.subject_id


BODIES: dict[str, tuple[bytes, str]] = {
    "JSON": (b'{"csrf_token": "x"}', "application/json"),
    "deep JSON": (b"[" * 50_000, "application/json"),
    "NaN": (b"NaN", "application/json"),
    "CBOR": (b"\xa1\x01\x02", "application/cbor"),
    "nothing": (b"", "text/plain"),
    "no UTF-8": (b"csrf_token=%ff", "application/x-www-form-urlencoded"),
    "many fields": (b"&".join(b"a%d=1" % number for number in range(2000)), "application/x-www-form-urlencoded"),
    "multipart": (b"--x--", "multipart/form-data; boundary=x"),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["passkey/options", "passkey", "second-factor/passkey/options", "set-up-mfa/passkey"])
def test_MF_31_RX_06_no_other_body_is_read(client: FlaskClient, path: str, body: tuple[bytes, str]) -> None:
    page = open_sign_in(client)
    answer = client.post(
        f"/sign-in/{txn_of(page)}/{path}", data=body[0], content_type=body[1], headers={"Origin": ISSUER}
    )
    assert answer.status_code in {400, 403, 413, 415}
