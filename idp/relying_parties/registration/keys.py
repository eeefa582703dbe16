"""Which keys a client may register: public ones, long enough, of kinds that sign (RFC 7517, RFC 7518; KY-12)."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Final

MAX_KEYS: Final = 16
_PRIVATE: Final = frozenset(["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
_COORDINATE: Final = {"P-256": 32, "P-384": 48}


def wrong_keys(jwks: Mapping[str, Any]) -> str | None:
    """Why this JWK set is not one of public signing keys; never repeats a member's value."""
    keys = jwks.get("keys")
    if set(jwks) != {"keys"} or not isinstance(keys, list | tuple) or not 1 <= len(keys) <= MAX_KEYS:
        return f"must be a JWK set: keys, one to {MAX_KEYS} of them"
    names = [key.get("kid") for key in keys if isinstance(key, Mapping) and key.get("kid") is not None]
    if len(set(map(str, names))) != len(names):
        return "has two keys of one kid"
    return next((reason for reason in map(_wrong_key, keys) if reason is not None), None)


def _wrong_key(key: object) -> str | None:
    if not isinstance(key, Mapping):
        return "must hold keys as objects"
    if _PRIVATE & set(key):
        return "holds a private or symmetric key: register the public one"
    if key.get("use", "sig") != "sig":
        return "holds a key that is not for signatures"
    if "kid" in key and not isinstance(key["kid"], str):
        return "holds a kid that is not text"
    match key.get("kty"):
        case "RSA":
            modulus, exponent = _bytes(key.get("n")), _bytes(key.get("e"))
            if int.from_bytes(modulus).bit_length() < 2048:
                return "holds an RSA key of less than 2048 bits"
            return None if int.from_bytes(exponent) >= 65537 else "holds an RSA key with a weak exponent"
        case "EC":
            size = _COORDINATE.get(str(key.get("crv")))
            fits = size is not None and len(_bytes(key.get("x"))) == size == len(_bytes(key.get("y")))
            return None if fits else "holds an EC key that is not on P-256 or P-384"
        case "OKP":
            fits = key.get("crv") == "Ed25519" and len(_bytes(key.get("x"))) == 32
            return None if fits else "holds an OKP key that is not Ed25519"
    return "holds a key that is not RSA, EC or OKP"


def _bytes(value: object) -> bytes:
    """The octets of a base64url member; nothing for what is not one."""
    if not isinstance(value, str) or not value.isascii():
        return b""
    try:
        return urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (ValueError, binascii.Error):
        return b""
