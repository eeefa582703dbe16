"""JSON Web Keys: made, read and shown (RFC 7517). joserfc reads and makes them; only what fits an algorithm is kept."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from idp.foundation.algorithms import RSA_BITS, Alg, PrivateKey, PublicKey, fitting

SET_LIMIT: Final = 32
"""Keys read from one set; a client has two or three."""
_PUBLIC: Final = {"EC": ("crv", "x", "y"), "RSA": ("n", "e"), "OKP": ("crv", "x")}
_MEMBER_LIMIT: Final = 2048
"""Characters of one member: an RSA modulus of 8192 bits has 1366."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key, the algorithms it may be used with, and its `kid` if it has one."""

    kid: str | None
    algs: frozenset[Alg]
    key: PublicKey


def read_set(document: object) -> tuple[VerificationKey, ...]:
    """The usable signature keys of a JWK set that somebody else wrote; the rest is passed over (RFC 7517 §5).

    Symmetric keys, keys for encryption, weak RSA keys and anything malformed are not usable. Private members
    are never read. A document that is no key set holds no keys.
    """
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list):
        return ()
    read = (read_public(entry) for entry in keys[:SET_LIMIT])
    return tuple(key for key in read if key is not None)


def read_public(entry: object) -> VerificationKey | None:
    """One public key for verification, or `None` when it is not usable as that."""
    if not isinstance(entry, Mapping) or entry.get("use", "sig") != "sig":
        return None
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    members = _PUBLIC.get(entry["kty"]) if isinstance(entry.get("kty"), str) else None
    kid = entry.get("kid")
    if members is None or not (kid is None or isinstance(kid, str)):
        return None
    values = {name: entry.get(name) for name in members}
    if not all(isinstance(value, str) and len(value) <= _MEMBER_LIMIT for value in values.values()):
        return None
    if entry["kty"] == "RSA" and not _strong(str(values["n"])):
        return None
    try:
        key = cast("PublicKey", import_key(cast("Any", {"kty": entry["kty"], **values})).public_key)
    except (JoseError, ValueError, TypeError):
        return None
    algs = fitting(key)
    if "alg" in entry:
        algs = frozenset(alg for alg in algs if alg == entry["alg"])
    return VerificationKey(kid, algs, key) if algs else None


def _strong(modulus: str) -> bool:
    """Whether an RSA modulus has a size that we use; asked first, since joserfc warns about the others."""
    try:
        number = int.from_bytes(urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big")
    except ValueError:
        return False
    return number.bit_length() in RSA_BITS


def read_private(entry: Mapping[str, Any]) -> PrivateKey:
    """A private key of our own; `ValueError` when it is damaged or public only."""
    try:
        imported = import_key(cast("Any", dict(entry)))
        key = imported.private_key if imported.is_private else None
    except (JoseError, ValueError, TypeError) as error:
        raise ValueError("not a readable key") from error
    if key is None or not fitting(key):
        raise ValueError("not a private signature key")
    return cast("PrivateKey", key)


def generate(alg: Alg) -> dict[str, Any]:
    """A new private key for `alg` as JWK members, without `kid`."""
    match alg:
        case Alg.ES256 | Alg.ES384:
            key: ECKey | RSAKey | OKPKey = ECKey.generate_key("P-256" if alg is Alg.ES256 else "P-384")
        case Alg.EDDSA:
            key = OKPKey.generate_key("Ed25519")
        case _:
            key = RSAKey.generate_key(2048 if alg is not Alg.RS384 else 3072)
    members = key.as_dict(private=True)
    members.pop("kid", None)
    return {**members, "alg": str(alg), "use": "sig"}


def public_members(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What may be published of a key: its public numbers, `kid`, `alg` and `use`, nothing else (DI-06)."""
    numbers = {name: entry[name] for name in ("kty", *_PUBLIC[entry["kty"]])}
    return {**numbers, "kid": entry["kid"], "alg": entry["alg"], "use": "sig"}
