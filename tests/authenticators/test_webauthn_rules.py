"""What an authenticator's answer must say. No database, no application; the signatures are real."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from werkzeug.datastructures import MultiDict

from idp.authenticators.webauthn import rules
from idp.authenticators.webauthn.forms import AssertionForm
from idp.authenticators.webauthn.rules import Assertion, Attestation, Credential, Reason, RelyingPartyId
from idp.authenticators.webauthn.verifying import NewKey, verify_new, verify_use
from idp.foundation import parsing
from idp.foundation.parsing import FormErrors
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.refused import Refused
from tests.authenticators.software_key import BACKED_UP, ELIGIBLE, PRESENT, US, VERIFIED, Maker, SoftwareKey

ROSA = "abcdefghijklmnopqrstuvwxyz"
CHALLENGE = "pH7Qk0dpXOoqLwMSZBz4dL9ZVv7j1nq2v6yG0r8l3cI"
OTHER = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
SOFT = frozenset({Acr.AAL1, Acr.AAL2, Acr.PHR})


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker()


def a_key(**changed: Any) -> SoftwareKey:
    return SoftwareKey(user_handle=ROSA.encode(), **changed)


def stored(key: SoftwareKey, **changed: Any) -> Credential:
    """The row of a key as it was registered."""
    eligible = bool(key.flags & ELIGIBLE)
    acr, amr = rules.assurance_of(attested=False, backup_eligible=eligible)
    usual: dict[str, Any] = {
        "factor_id": uuid4(),
        "subject_id": ROSA,
        "credential_id": key.credential_id,
        "public_key": key.cose,
        "sign_count": key.sign_count,
        "backup_eligible": eligible,
        "backed_up": False,
        "attested": False,
        "transports": ("internal",),
        "acr": acr,
        "amr": amr,
    }
    return Credential(**(usual | changed))


def use(sent: Assertion, key: SoftwareKey, *, named_by_key: bool = True, **changed: Any) -> object:
    outcome = verify_use(sent, challenge=CHALLENGE, credential=stored(key, **changed), us=US, named_by_key=named_by_key)
    return outcome.reason if isinstance(outcome, Refused) else outcome


def new(sent: Attestation, *roots: bytes) -> Any:
    outcome = verify_new(sent, challenge=CHALLENGE, us=US, roots=roots)
    return outcome.reason if isinstance(outcome, Refused) else outcome


PRIVATE_KEYS = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("alg", PRIVATE_KEYS)
def test_a_key_is_made_and_used(alg: str) -> None:
    key = a_key(private=PRIVATE_KEYS[alg]())
    made = new(key.create(CHALLENGE))
    assert isinstance(made, NewKey)
    assert (made.credential_id, made.attested, made.backup_eligible) == (key.credential_id, False, True)
    used = use(key.get(CHALLENGE), key, public_key=made.public_key)
    assert isinstance(used, rules.AuthenticatorData)


ORIGINS = {
    "plain http": "http://credence.test",
    "a suffix": "https://credence.test.evil.example",
    "a subdomain": "https://login.credence.test",
    "a port": "https://credence.test:8443",
    "userinfo": "https://credence.test@evil.example",
    "upper case": "https://CREDENCE.test",
    "a slash": "https://credence.test/",
    "null": "null",
    "an app": "android:apk-key-hash:AAAA",
    "nothing": "",
}


@pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS)
def test_MF_26_another_origin_is_refused_at_use_and_at_making(origin: str) -> None:
    key = a_key()
    assert use(key.get(CHALLENGE, said={"origin": origin}), key) is Reason.WRONG_ORIGIN
    assert new(key.create(CHALLENGE, said={"origin": origin})) is Reason.WRONG_ORIGIN


def test_MF_26_an_answer_for_another_rp_id_is_refused() -> None:
    key = a_key()
    for rp_id in ("evil.example", "test", "login.credence.test"):
        assert use(key.get(CHALLENGE, rp_id=rp_id), key) is Reason.WRONG_RP_ID
        assert new(key.create(CHALLENGE, rp_id=rp_id)) is Reason.WRONG_RP_ID


@pytest.mark.parametrize(
    "said",
    [{"crossOrigin": True}, {"crossOrigin": True, "topOrigin": "https://evil.example"}, {"topOrigin": US.origin}],
)
def test_MF_26_an_answer_from_inside_a_frame_is_refused(said: dict[str, Any]) -> None:
    key = a_key()
    assert use(key.get(CHALLENGE, said=said), key) is Reason.IN_A_FRAME
    assert new(key.create(CHALLENGE, said=said)) is Reason.IN_A_FRAME


def test_MF_26_browsers_that_do_not_tell_about_frames_are_taken() -> None:
    key = a_key()
    assert isinstance(use(key.get(CHALLENGE, said={"crossOrigin": ...}), key), rules.AuthenticatorData)


def test_MF_27_nobody_verified_or_nobody_present_is_refused() -> None:
    key = a_key()
    for flags, reason in ((PRESENT | ELIGIBLE, Reason.NOT_VERIFIED), (VERIFIED | ELIGIBLE, Reason.NOT_PRESENT)):
        assert use(key.get(CHALLENGE, flags=flags), key) is reason
        assert new(key.create(CHALLENGE, flags=flags)) is reason


def test_MF_25_the_answer_to_another_challenge_is_refused() -> None:
    key = a_key()
    assert use(key.get(OTHER), key) is Reason.WRONG_CHALLENGE
    assert new(key.create(OTHER)) is Reason.WRONG_CHALLENGE


def test_MF_25_an_answer_of_the_other_ceremony_is_refused() -> None:
    key = a_key()
    assert use(key.get(CHALLENGE, said={"type": "webauthn.create"}), key) is Reason.WRONG_TYPE
    assert new(key.create(CHALLENGE, said={"type": "webauthn.get"})) is Reason.WRONG_TYPE
    assert use(key.get(CHALLENGE, said={"type": "payment.get"}), key) is Reason.WRONG_TYPE


def test_MF_29_the_victims_credential_id_with_the_attackers_signature_is_refused() -> None:
    victim, attacker = a_key(), a_key()
    assert use(attacker.get(CHALLENGE, credential_id=victim.credential_id), victim) is Reason.BAD_SIGNATURE


def test_MF_29_another_persons_user_handle_is_refused() -> None:
    key = a_key()
    for handle in (b"zyxwvutsrqponmlkjihgfedcba", ROSA.upper().encode(), ROSA.encode() + b"\0", b""):
        assert use(key.get(CHALLENGE, user_handle=handle), key) is Reason.WRONG_USER_HANDLE
        assert use(key.get(CHALLENGE, user_handle=handle), key, named_by_key=False) is Reason.WRONG_USER_HANDLE


def test_MF_29_a_sign_in_without_user_id_needs_the_handle_and_a_second_factor_does_not() -> None:
    key = a_key()
    silent = key.get(CHALLENGE, user_handle=None)
    assert use(silent, key) is Reason.WRONG_USER_HANDLE
    assert isinstance(use(silent, key, named_by_key=False), rules.AuthenticatorData)


def test_a_changed_byte_anywhere_breaks_the_signature() -> None:
    key = a_key()
    good = key.get(CHALLENGE)
    head = bytearray(good.authenticator_data)
    head[36] ^= 1
    spoilt = replace(good, authenticator_data=bytes(head))
    assert use(spoilt, key) is Reason.BAD_SIGNATURE
    padded = replace(good, client_data=good.client_data.replace(b"{", b"{ "))
    assert use(padded, key) is Reason.BAD_SIGNATURE
    assert use(replace(good, signature=b""), key) is Reason.BAD_SIGNATURE


def test_KY_12_a_null_signature_is_refused() -> None:
    key = a_key()
    for signature in (bytes.fromhex("3006020100020100"), bytes(64), b"\x30"):
        assert use(replace(key.get(CHALLENGE), signature=signature), key) is Reason.BAD_SIGNATURE


def test_KY_12_weak_and_foreign_keys_are_not_taken() -> None:
    for private in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())):
        assert new(a_key(private=private).create(CHALLENGE)) is Reason.MALFORMED


def test_a_key_that_claims_a_copy_it_cannot_have_is_refused() -> None:
    key = a_key()
    flags = PRESENT | VERIFIED | BACKED_UP
    assert use(key.get(CHALLENGE, flags=flags), key) is Reason.BACKUP_FLAGS
    assert new(key.create(CHALLENGE, flags=flags)) is Reason.BACKUP_FLAGS


def test_a_key_never_becomes_copyable_after_it_was_made() -> None:
    key = a_key(flags=PRESENT | VERIFIED)
    assert use(key.get(CHALLENGE, flags=PRESENT | VERIFIED | ELIGIBLE), key) is Reason.BACKUP_FLAGS


CLIENT_DATA: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "a list": b"[]",
    "a text": b'"webauthn.get"',
    "null": b"null",
    "deep": b"[" * 2000 + b"]" * 2000,
    "deep objects": b'{"a":' * 700,
    "NaN": b'{"type":"webauthn.get","challenge":"x","origin":"y","a":NaN}',
    "a name twice": b'{"type":"webauthn.get","type":"webauthn.get","challenge":"x","origin":"y"}',
    "type is a list": b'{"type":["webauthn.get"],"challenge":"x","origin":"y"}',
    "challenge is a number": b'{"type":"webauthn.get","challenge":1,"origin":"y"}',
    "origin is null": b'{"type":"webauthn.get","challenge":"x","origin":null}',
    "no origin": b'{"type":"webauthn.get","challenge":"x"}',
    "crossOrigin is a text": b'{"type":"webauthn.get","challenge":"x","origin":"y","crossOrigin":"false"}',
    "crossOrigin is zero": b'{"type":"webauthn.get","challenge":"x","origin":"y","crossOrigin":0}',
    "topOrigin is null": b'{"type":"webauthn.get","challenge":"x","origin":"y","topOrigin":null}',
    "no UTF-8": b'{"type":"webauthn.get","challenge":"\xff","origin":"y"}',
    "a byte order mark": b'\xef\xbb\xbf{"type":"webauthn.get","challenge":"x","origin":"y"}',
    "UTF-16": '{"type":"webauthn.get","challenge":"x","origin":"y"}'.encode("utf-16"),
    "5,000 digits": b'{"type":"webauthn.get","challenge":"x","origin":"y","a":' + b"9" * 4400 + b"}",
    "too long": json.dumps({"type": "webauthn.get", "challenge": "x", "origin": "y" * 4096}).encode(),
}


@pytest.mark.parametrize("raw", CLIENT_DATA.values(), ids=CLIENT_DATA)
def test_MF_31_malformed_client_data_is_refused(raw: bytes) -> None:
    key = a_key()
    assert rules.client_data_of(raw) == Refused(Reason.MALFORMED)
    assert use(replace(key.get(CHALLENGE), client_data=raw), key) is Reason.MALFORMED
    assert new(replace(key.create(CHALLENGE), client_data=raw)) is Reason.MALFORMED


def test_MF_31_names_that_later_browsers_add_are_passed_over() -> None:
    key = a_key()
    said = {"other_keys_can_be_added_here": "do not compare clientDataJSON against a template"}
    assert isinstance(use(key.get(CHALLENGE, said=said), key), rules.AuthenticatorData)


def cbor_parts(**changed: Any) -> bytes:
    key = a_key()
    parts = cbor2.loads(key.create(CHALLENGE).attestation_object)
    return cbor2.dumps({name: value for name, value in (parts | changed).items() if value is not ...})


def signed_of(**changed: Any) -> bytes:
    parts: dict[str, Any] = cbor2.loads(a_key().create(CHALLENGE, **changed).attestation_object)
    return bytes(parts["authData"])


ATTESTATIONS: dict[str, bytes] = {
    "nothing": b"",
    "no CBOR": b"\xff",
    "a number": b"\x01",
    "a list": b"\x80",
    "deep": b"\x81" * 10_000 + b"\x00",
    "deep maps": b"\xa1\x00" * 10_000,
    "an endless text": b"\x7f" + b"\x61a" * 50,
    "a text of 2^63": b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
    "a shared value that holds itself": b"\xd8\x1c\x81\xd8\x1d\x00",
    "no authData": cbor_parts(authData=...),
    "authData is a text": cbor_parts(authData="x" * 200),
    "authData is a list": cbor_parts(authData=[1] * 200),
    "authData too short": cbor_parts(authData=bytes(36)),
    "authData without a key": cbor_parts(authData=a_key().signed_head()),
    "authData cut": cbor_parts(authData=signed_of()[:-1]),
    "authData longer": cbor_parts(authData=signed_of() + b"\0"),
    "a key that is no map": cbor_parts(authData=signed_of()[:87] + b"\x81\x01"),
    "a key of nothing": cbor_parts(authData=signed_of()[:87] + b"\xa0"),
    "a point off the curve": cbor_parts(
        authData=signed_of()[:87] + cbor2.dumps({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: b"\1" * 32})
    ),
    "no fmt": cbor_parts(fmt=...),
    "fmt is a list": cbor_parts(fmt=["none"]),
    "fmt unknown": cbor_parts(fmt="compound"),
    "no attStmt": cbor_parts(attStmt=...),
    "attStmt is a list": cbor_parts(attStmt=["x5c"]),
    "none with a statement": cbor_parts(attStmt={"sig": b"x", "alg": -7}),
    "packed without a signature": cbor_parts(fmt="packed", attStmt={"alg": -7}),
    "packed with texts": cbor_parts(fmt="packed", attStmt={"alg": "-7", "sig": "x", "x5c": "y"}),
    "packed with no certificate": cbor_parts(fmt="packed", attStmt={"alg": -7, "sig": b"x", "x5c": [b"y"]}),
    "tpm of nothing": cbor_parts(fmt="tpm", attStmt={"ver": "2.0"}),
}


@pytest.mark.parametrize("raw", ATTESTATIONS.values(), ids=ATTESTATIONS)
@pytest.mark.parametrize("rooted", [False, True])
def test_MF_31_malformed_attestations_are_refused(raw: bytes, rooted: bool, maker: Maker) -> None:
    key = a_key()
    roots = [maker.root_pem] if rooted else []
    reason = new(replace(key.create(CHALLENGE), attestation_object=raw), *roots)
    assert reason in {Reason.MALFORMED, Reason.BAD_ATTESTATION}


@pytest.mark.parametrize("length", [0, 1, 36, 38, 200])
def test_MF_31_authenticator_data_of_any_other_length_is_refused(length: int) -> None:
    key = a_key()
    head = (key.signed_head() + bytes(200))[:length]
    sent = replace(key.get(CHALLENGE), authenticator_data=head)
    assert use(sent, key) in {Reason.MALFORMED, Reason.BAD_SIGNATURE}


def test_MF_31_a_stored_key_that_cannot_be_read_verifies_nothing() -> None:
    key = a_key()
    assert use(key.get(CHALLENGE), key, public_key=b"\xa0") is Reason.BAD_SIGNATURE


def test_attestation_counts_only_under_a_root_that_the_operator_trusts(maker: Maker) -> None:
    key = a_key(maker=maker, flags=PRESENT | VERIFIED)
    assert new(key.create(CHALLENGE)).attested is False
    assert new(key.create(CHALLENGE), Maker("Other Keys").root_pem).attested is False
    assert new(key.create(CHALLENGE), Maker("Other Keys").root_pem, maker.root_pem).attested is True


def test_a_self_made_attestation_proves_no_maker(maker: Maker) -> None:
    key = a_key(flags=PRESENT | VERIFIED)
    itself = new(key.create(CHALLENGE, fmt="packed", statement=lambda data: {"alg": -7, "sig": key._sign(data)}))
    assert itself.attested is False
    forged = key.create(
        CHALLENGE, fmt="packed", statement=lambda data: maker.statement(data) | {"sig": key._sign(data)}
    )
    assert new(forged, maker.root_pem) is Reason.BAD_ATTESTATION


def test_a_certificate_that_signed_something_else_proves_nothing(maker: Maker) -> None:
    key = a_key(flags=PRESENT | VERIFIED)
    borrowed = key.create(CHALLENGE, fmt="packed", statement=lambda _data: maker.statement(b"another ceremony"))
    assert new(borrowed, maker.root_pem) is Reason.BAD_ATTESTATION


def test_MODEL_8_a_passkey_is_aal2_and_only_an_attested_device_bound_key_is_aal3() -> None:
    software = (SOFT, (Amr.SOFTWARE_KEY, Amr.USER_PRESENCE, Amr.MULTI_FACTOR))
    hardware = (frozenset(Acr), (Amr.HARDWARE_KEY, Amr.USER_PRESENCE, Amr.MULTI_FACTOR))
    assert rules.assurance_of(attested=False, backup_eligible=True) == software
    assert rules.assurance_of(attested=False, backup_eligible=False) == software
    assert rules.assurance_of(attested=True, backup_eligible=True) == software
    assert rules.assurance_of(attested=True, backup_eligible=False) == hardware


def test_the_rp_id_is_the_issuers_host_and_its_pages_the_only_origin() -> None:
    assert RelyingPartyId.of("https://id.payer.example") == RelyingPartyId(
        "id.payer.example", "https://id.payer.example"
    )
    assert RelyingPartyId.of("https://ID.payer.example").origin == "https://id.payer.example"
    assert RelyingPartyId.of("http://localhost:8000") == RelyingPartyId("localhost", "http://localhost:8000")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Desk   key ", "Desk key"),
        ("Llave de Rosa – azul", "Llave de Rosa – azul"),
        ("x" * 60, "x" * 60),
        ("x" * 61, None),
        ("", None),
        (" \t ", None),
        ("a\u200bb", None),
        ("a\u202eb", None),
    ],
)
def test_a_name_is_one_visible_line(typed: str, kept: str | None) -> None:
    assert rules.name_of(typed) == (Refused(Reason.BAD_NAME) if kept is None else kept)


def test_only_transports_that_browsers_know_are_kept() -> None:
    assert rules.known_transports(["usb", "nfc", "carrier pigeon", "usb"]) == ("nfc", "usb")


GOOD = {"credential_id": "AA", "client_data": "AAA", "authenticator_data": "AAAA", "signature": "AA", "user_handle": ""}
NO_BYTES = ["=", "A", "AAAAA", "+/+/", "é", "[]", "{}", "A" * 100_000, "\x00", "AA==", " ", "AA ", "AA\n", "٣٣"]


@pytest.mark.parametrize("field", GOOD)
@pytest.mark.parametrize("value", NO_BYTES)
def test_MF_31_what_is_no_base64url_is_no_form(field: str, value: str) -> None:
    assert isinstance(parsing.form(AssertionForm, MultiDict(GOOD)), AssertionForm)
    assert isinstance(parsing.form(AssertionForm, MultiDict(GOOD | {field: value})), FormErrors)


@pytest.mark.parametrize("field", GOOD)
def test_MF_31_fields_missing_doubled_or_unknown_are_no_form(field: str) -> None:
    twice = MultiDict([*GOOD.items(), (field, GOOD[field])])
    missing = MultiDict({name: value for name, value in GOOD.items() if name != field})
    unknown = MultiDict(GOOD | {"subject_id": ROSA})
    for sent in (twice, unknown, *([missing] if field != "user_handle" else [])):
        assert isinstance(parsing.form(AssertionForm, sent), FormErrors)
