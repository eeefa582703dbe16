"""KY: keys and JWTs, at the one module that reads them and the one that keeps the keys."""

import hashlib
import hmac
import logging
import subprocess
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from idp.foundation import jwk
from idp.foundation.algorithms import Alg, fitting
from idp.foundation.jose import Purpose, Reason
from idp.vocabulary.refused import Refused
from tests.foundation.jose_bench import AT, NOW, TYPES, claims, encode, forge, members, read, signing, token, verifying

CONSUMERS = list(Purpose)
PROJECT = Path(__file__).resolve().parents[2]


def header(purpose: Purpose = Purpose.ACCESS_TOKEN, **changed: Any) -> dict[str, Any]:
    everything = {"alg": "ES256", "typ": TYPES[purpose], "kid": "k1", **changed}
    return {name: value for name, value in everything.items() if value is not ...}


def refused(text: str, purpose: Purpose = Purpose.ACCESS_TOKEN, **changed: Any) -> Reason:
    outcome = read(text, purpose, **changed)
    assert isinstance(outcome, Refused), outcome
    assert isinstance(outcome.reason, Reason)
    return outcome.reason


@pytest.mark.parametrize("purpose", CONSUMERS)
@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", "", None, 0, [], ...])
def test_KY_01_none_in_any_spelling_is_refused_everywhere(purpose: Purpose, alg: Any) -> None:
    first = ".".join(token(purpose).split(".")[:2])
    shown = header(purpose, alg=alg)
    refused(forge(shown, claims(purpose)), purpose)
    refused(forge(shown, claims(purpose)).rpartition(".")[0] + ".", purpose)
    refused(first + ".", purpose)
    refused(first, purpose)


@pytest.mark.parametrize("purpose", CONSUMERS)
@pytest.mark.parametrize("alg", [Alg.RS256, Alg.ES256])
def test_KY_02_HS256_with_the_public_key_is_refused(purpose: Purpose, alg: Alg) -> None:
    public = verifying(alg).key
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    ]
    for secret in secrets:
        first = forge(header(purpose, alg="HS256"), claims(purpose)).rpartition(".")[0]
        text = f"{first}.{encode(hmac.digest(secret, first.encode(), hashlib.sha256))}"
        assert refused(text, purpose, keys={"k1": verifying(alg)}) is Reason.ALGORITHM
        assert refused(text, purpose, keys=[verifying(alg)]) is Reason.ALGORITHM


def test_KY_02_a_symmetric_key_in_a_clients_set_is_not_read() -> None:
    assert jwk.read_set({"keys": [{"kty": "oct", "k": "AAAA", "kid": "k1"}]}) == ()


@pytest.mark.parametrize("purpose", CONSUMERS)
@pytest.mark.parametrize("name", ["jku", "x5u", "x5c", "x5t", "jwk", "cty", "zip", "enc"])
def test_KY_04_a_header_that_brings_or_names_a_key_is_refused(purpose: Purpose, name: str) -> None:
    brought = jwk.public_members(members(Alg.ES256, "evil")) if name == "jwk" else "https://evil.example/jwks"
    text = forge(header(purpose, **{name: brought}), claims(purpose), key=signing(Alg.ES256, "evil"))
    rightly_signed = forge(header(purpose, **{name: brought}), claims(purpose))
    if name in purpose.value.ignores:
        assert refused(text, purpose) is Reason.SIGNATURE
        assert read(rightly_signed, purpose) == claims(purpose), "it says nothing to us"
        return
    assert refused(text, purpose) is Reason.HEADER
    assert refused(rightly_signed, purpose) is Reason.HEADER


@pytest.mark.parametrize(
    "kid",
    [
        "../../dev/null",
        "/etc/passwd",
        "' OR 1=1--",
        "x" * 10_000,
        1,
        1.5,
        None,
        True,
        [],
        {},
        "",
        "unknown",
        "\x00",
        "k1 ",
        "K1",
    ],
)
@pytest.mark.parametrize("purpose", CONSUMERS)
def test_KY_05_a_strange_kid_is_refused_without_an_error(purpose: Purpose, kid: Any) -> None:
    refused(forge(header(purpose, kid=kid), claims(purpose)), purpose)


def test_KY_05_our_own_tokens_name_their_key() -> None:
    text = forge(header(kid=...), claims(Purpose.ACCESS_TOKEN))
    assert refused(text) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize(
    "extra", [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"b64": True}]
)
def test_KY_06_crit_and_b64_are_refused(extra: dict[str, Any]) -> None:
    assert refused(forge(header(**extra), claims(Purpose.ACCESS_TOKEN))) is Reason.HEADER


@pytest.mark.parametrize("made_for", CONSUMERS)
@pytest.mark.parametrize("presented_as", CONSUMERS)
def test_KY_08_LO_06_LO_11_a_token_of_one_purpose_is_not_taken_for_another(
    made_for: Purpose, presented_as: Purpose
) -> None:
    outcome = read(token(made_for), presented_as)
    assert isinstance(outcome, Refused) is (made_for is not presented_as)


@pytest.mark.parametrize("purpose", CONSUMERS)
@pytest.mark.parametrize("typ", ["at+JWT", "application/at+jwt", "jwt", "JOSE", "", None, 1, "logout+jwt ", "dpop+jwt"])
def test_KY_08_the_type_is_compared_exactly(purpose: Purpose, typ: Any) -> None:
    refused(forge(header(purpose, typ=typ), claims(purpose)), purpose)


@pytest.mark.parametrize("alg", ["RSA1_5", "RSA-OAEP-256", "PBES2-HS256+A128KW", "dir", "ECDH-ES"])
def test_KY_09_an_encrypted_token_is_refused_before_anything_is_computed(alg: str) -> None:
    heading = header(alg=alg, enc="A128CBC-HS256", zip="DEF", p2c=10**9)
    first = forge(heading, claims(Purpose.ACCESS_TOKEN))
    refused(first)
    assert refused(first + ".AAAA.AAAA") is Reason.MALFORMED


def test_KY_12_a_signature_of_zeros_proves_nothing() -> None:
    first = token(Purpose.ACCESS_TOKEN).rpartition(".")[0]
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for r, s in ((0, 0), (0, 1), (1, 0), (order, order), (1, order), (2**256 - 1, 1)):
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert refused(f"{first}.{encode(raw)}") is Reason.SIGNATURE
    for raw in (b"\x00", bytes(63), bytes(65), bytes(96)):
        assert refused(f"{first}.{encode(raw)}") is Reason.SIGNATURE


def test_KY_12_a_key_of_another_curve_or_a_weak_key_is_not_used() -> None:
    assert refused(token(Purpose.ACCESS_TOKEN), keys={"k1": verifying(Alg.ES384)}) is Reason.ALGORITHM
    assert refused(token(Purpose.ACCESS_TOKEN, alg=Alg.ES384), keys={"k1": verifying()}) is Reason.ALGORITHM
    for curve in (ec.SECP521R1(), ec.SECP256K1()):
        assert fitting(ec.generate_private_key(curve)) == frozenset()
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert fitting(weak.public_key()) == frozenset()
    numbers = weak.public_key().public_numbers()
    entry = {"kty": "RSA", "n": encode(numbers.n.to_bytes(128, "big")), "e": "AQAB", "kid": "weak"}
    assert jwk.read_set({"keys": [entry]}) == ()


def test_KY_12_an_algorithm_of_the_same_family_that_the_key_is_not_for_is_refused() -> None:
    text = forge(header(alg="PS256"), claims(Purpose.ACCESS_TOKEN), key=signing(Alg.PS256))
    assert refused(text, keys={"k1": verifying(Alg.RS256)}) is Reason.ALGORITHM


@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"https://credence.test","iss":"https://evil.example"}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1} ',
        b'{"a":1}x',
        b'{"a":1}{"a":1}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"[]",
        b'"x"',
        b"null",
        b"1",
        b"",
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 2500 + b"]" * 2500 + b"}",
    ],
)
def test_KY_13_a_payload_that_is_not_one_clean_object_is_refused(payload: bytes) -> None:
    refused(forge(header(), payload))
    refused(forge(payload, claims(Purpose.ACCESS_TOKEN)))


def test_KY_13_other_spellings_of_a_good_token_are_refused() -> None:
    good = token(Purpose.ACCESS_TOKEN)
    first, second, third = good.split(".")
    spellings = [
        good + ".",
        "." + good,
        f"{good}.AAAA.AAAA.AAAA",
        good + "=",
        good + "\n",
        " " + good,
        f"{first}=.{second}.{third}",
        f"{first}..{third}",
        f"{first}.{second}.",
        f"{first}.{second}.{third}A",
        f"{first}.{second}.{third[:-1]}",
        f"{first}.{second}.+{third[1:]}",
        f"{first}.{second}.{third[:-1]}é",
        good.swapcase(),
        "",
        "..",
        ".",
        "\x00",
        "\ud800.a.b",
    ]
    for text in spellings:
        assert isinstance(read(text), Refused), text


def test_KY_13_the_unused_bits_of_base64url_are_zero() -> None:
    first, second, third = token(Purpose.ACCESS_TOKEN).split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = alphabet[alphabet.index(third[-1]) + 1]
    assert refused(f"{first}.{second}.{third[:-1]}{twin}") is Reason.MALFORMED


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [1.5, float(AT), "1772452800", 10**99, -1, True, None, [], {}, 2**63, 253402300800])
@pytest.mark.parametrize("purpose", [Purpose.ACCESS_TOKEN, Purpose.CLIENT_ASSERTION, Purpose.ID_TOKEN_HINT])
def test_KY_16_a_moment_that_is_no_plain_number_of_seconds_is_refused(purpose: Purpose, name: str, value: Any) -> None:
    text = forge(header(purpose), {**claims(purpose), name: value})
    assert refused(text, purpose) in {Reason.CLAIMS, Reason.NOT_YET, Reason.MALFORMED}


@pytest.mark.parametrize("purpose", CONSUMERS)
def test_KY_16_a_token_of_the_future_is_refused(purpose: Purpose) -> None:
    for name in ("iat", "nbf"):
        assert refused(token(purpose, **{name: AT + 61}), purpose) is Reason.NOT_YET
    assert refused(token(purpose), purpose, now=NOW - timedelta(hours=1)) in {Reason.NOT_YET, Reason.CLAIMS}


def test_KY_17_a_huge_token_is_refused_unopened_and_unlogged(caplog: pytest.LogCaptureFixture) -> None:
    canary = "CNRY-a-token"
    huge = [
        f"{canary}{'A' * 1_000_000}.x.y",
        "." * 1_000_000,
        token(Purpose.ACCESS_TOKEN, pad=canary + "x" * 1_000_000),
    ]
    with caplog.at_level(logging.DEBUG):
        tracemalloc.start()
        for text in huge:
            assert refused(text) is Reason.TOO_LARGE
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 100_000
    assert canary not in caplog.text


def test_KY_17_a_long_header_inside_the_size_is_refused() -> None:
    assert refused(forge(header(kid="x" * 2000), claims(Purpose.ACCESS_TOKEN))) is Reason.MALFORMED


def test_DI_06_nothing_private_and_nothing_unknown_is_published() -> None:
    for alg in Alg:
        shown = jwk.public_members({**members(alg), "created_at": "2026", "note": "x"})
        assert set(shown) <= {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}
        assert jwk.read_public(shown) is not None


def test_KY_14_no_key_can_enter_the_repository() -> None:
    if not (PROJECT / ".git").exists():
        pytest.skip("not a checkout: `git` has nothing to say about keys/")
    for name in ("signing/active/x.jwk", "vault/next/y.jwk", "x.jwk", ".lock"):
        ignored = subprocess.run(["git", "check-ignore", "-q", f"keys/{name}"], cwd=PROJECT, check=False)
        assert ignored.returncode == 0, name
    tracked = subprocess.run(["git", "ls-files", "keys"], cwd=PROJECT, check=True, capture_output=True, text=True)
    assert set(tracked.stdout.split()) <= {"keys/.gitignore", "keys/README.md"}


def test_jose_says_no_with_reasons_that_name_nothing_of_the_token() -> None:
    assert repr(read("a.b.c")) == "Refused(reason=<Reason.MALFORMED: 'malformed'>)"
