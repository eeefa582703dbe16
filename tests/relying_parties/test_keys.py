"""Keys that clients register: public, long enough, of kinds that sign (KY-12)."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest

from idp.relying_parties.registration.keys import wrong_keys


def b64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


EC: dict[str, Any] = {"kty": "EC", "crv": "P-256", "x": b64(b"x" * 32), "y": b64(b"y" * 32), "kid": "a"}
RSA: dict[str, Any] = {"kty": "RSA", "n": b64(b"\xff" * 256), "e": "AQAB", "use": "sig"}
OKP: dict[str, Any] = {"kty": "OKP", "crv": "Ed25519", "x": b64(b"x" * 32)}


def test_public_signing_keys_may_be_registered() -> None:
    assert wrong_keys({"keys": [EC, RSA, OKP]}) is None


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (EC | {"d": b64(b"d" * 32)}, "private or symmetric"),
        (RSA | {"p": "AQAB"}, "private or symmetric"),
        ({"kty": "oct", "k": b64(b"k" * 32)}, "private or symmetric"),
        ({"kty": "oct"}, "not RSA, EC or OKP"),
        ({}, "not RSA, EC or OKP"),
        ("key", "as objects"),
        (RSA | {"n": b64(b"\xff" * 128)}, "less than 2048"),
        (RSA | {"n": 5}, "less than 2048"),
        (RSA | {"n": "é"}, "less than 2048"),
        (RSA | {"e": "Aw"}, "weak exponent"),
        (EC | {"crv": "P-521"}, "P-256 or P-384"),
        (EC | {"crv": "secp256k1"}, "P-256 or P-384"),
        (EC | {"y": b64(b"y" * 31)}, "P-256 or P-384"),
        (OKP | {"crv": "X25519"}, "Ed25519"),
        (EC | {"use": "enc"}, "not for signatures"),
        (EC | {"kid": 7}, "kid that is not text"),
    ],
)
def test_KY_12_other_keys_are_refused_without_repeating_them(key: Any, reason: str) -> None:
    said = wrong_keys({"keys": [key]}) or "accepted"
    assert reason in said
    assert b64(b"d" * 32) not in said
    assert b64(b"k" * 32) not in said


@pytest.mark.parametrize("jwks", [{}, {"keys": []}, {"keys": [EC] * 17}, {"keys": "x"}, {"keys": [EC], "kid": "x"}])
def test_a_key_set_holds_one_to_sixteen_keys(jwks: dict[str, Any]) -> None:
    assert "must be a JWK set" in (wrong_keys(jwks) or "accepted")


def test_two_keys_of_one_kid_are_refused() -> None:
    assert "one kid" in (wrong_keys({"keys": [EC, EC]}) or "accepted")
