"""Encrypted tokens: `decrypt` opens one that names exactly the algorithms its reader expects (RFC 7516, SECURITY ruling 15).

Opening proves nothing: whoever knows our public key could have written it, so what comes out is a token still to be
verified. No RSA1_5, no passwords, no `dir`, no `zip`, no `crit`, no key but ours: none of them is in the tables here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, cast

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from idp.foundation import jose, jwk
from idp.foundation.algorithms import Alg, fitting
from idp.vocabulary.refused import Refused

SIZE: Final = 16384
"""Characters of an encrypted token: one of the greatest signed ones fits."""
_CURVE: Final = "P-256"
_ALWAYS: Final = frozenset({"alg", "enc", "cty", "kid", "typ"})
_REPLICATED: Final = frozenset({"iss", "sub", "aud"})
"""Claims that may stand in the header too, and must then be the same inside (RFC 7519 §5.3)."""


class Wrap(StrEnum):
    """How the content's key comes: the `alg` values of this house."""

    RSA_OAEP_256 = "RSA-OAEP-256"
    ECDH_ES = "ECDH-ES"
    ECDH_ES_A256KW = "ECDH-ES+A256KW"


class Content(StrEnum):
    """How the content is encrypted: the `enc` values of this house."""

    A256GCM = "A256GCM"
    A128CBC_HS256 = "A128CBC-HS256"


MADE_FOR: Final = (Wrap.RSA_OAEP_256, Wrap.ECDH_ES)
"""One key each; a curve's key serves both ways of agreeing on a key."""


@dataclass(frozen=True, slots=True)
class DecryptionKey:
    """A private key that opens, and its `kid`."""

    kid: str
    key: RSAKey | ECKey = field(repr=False)

    def serves(self, alg: Wrap) -> bool:
        """Whether the key is of the type that `alg` takes."""
        return isinstance(self.key, RSAKey if alg is Wrap.RSA_OAEP_256 else ECKey)


@dataclass(frozen=True, slots=True)
class Opened:
    """What was inside, and the claims that the header says must stand there."""

    token: str = field(repr=False)
    replicated: Mapping[str, Any] = field(default_factory=dict)


def is_encrypted(token: str) -> bool:
    """Whether a token has the five parts of a compact JWE."""
    return token.count(".") == 4


def decrypt(token: str, *, keys: Iterable[DecryptionKey], alg: Wrap, enc: Content) -> Opened | Refused:
    """The nested token (RFC 7519 §5.2); a header that says anything but `alg` and `enc` opens nothing."""
    if len(token) > SIZE:
        return Refused(jose.Reason.TOO_LARGE)
    header = jose.parse_segment(token.partition(".")[0]) if is_encrypted(token) else None
    if header is None:
        return Refused(jose.Reason.MALFORMED)
    if header.get("alg") != alg or header.get("enc") != enc:
        return Refused(jose.Reason.ALGORITHM)
    if not _is_usual(header, alg):
        return Refused(jose.Reason.HEADER)
    kid = header.get("kid")
    fitting = [key for key in keys if key.serves(alg) and (kid is None or key.kid == kid)]
    if not fitting:
        return Refused(jose.Reason.UNKNOWN_KEY)
    replicated = {name: header[name] for name in _REPLICATED if name in header}
    for key in fitting:
        inside = _inside(token, key, alg=alg, enc=enc, header=header)
        if inside is not None:
            return Opened(inside, replicated)
    return Refused(jose.Reason.ENCRYPTION)


def same_claims(opened: Opened, claims: Mapping[str, Any]) -> bool:
    """Whether what the header said of the claims is what they say."""
    return all(claims.get(name) == value for name, value in opened.replicated.items())


def fits(alg: str, key: object) -> bool:
    """Whether a private key may be kept for `alg`: of the type and strength that signing asks of its like."""
    likewise = {Wrap.RSA_OAEP_256: Alg.RS256, Wrap.ECDH_ES: Alg.ES256}
    return alg in MADE_FOR and likewise[Wrap(alg)] in fitting(key)


def generate(alg: Wrap) -> dict[str, Any]:
    """A new private key as JWK members, without `kid`."""
    made = RSAKey.generate_key(2048) if alg is Wrap.RSA_OAEP_256 else ECKey.generate_key(_CURVE)
    members = made.as_dict(private=True)
    members.pop("kid", None)
    return {**members, "alg": str(alg), "use": "enc"}


def read_private(entry: Mapping[str, Any]) -> DecryptionKey:
    """A private key of our own, as its file holds it."""
    kind: type[RSAKey | ECKey] = RSAKey if entry["kty"] == "RSA" else ECKey
    return DecryptionKey(str(entry["kid"]), kind.import_key({name: entry[name] for name in _NUMBERS if name in entry}))


def public_members(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What providers are shown; a curve's key goes without `alg`, since it serves two of them."""
    shown = {**jwk.public_members(entry), "use": "enc"}
    if shown["kty"] == "EC":
        del shown["alg"]
    return shown


_NUMBERS: Final = ("kty", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi")


def _is_usual(header: Mapping[str, Any], alg: Wrap) -> bool:
    allowed = _ALWAYS | _REPLICATED | (frozenset() if alg is Wrap.RSA_OAEP_256 else frozenset({"epk"}))
    if not header.keys() <= allowed or not isinstance(header.get("kid", ""), str):
        return False
    if not isinstance(header.get("cty"), str) or header["cty"].upper() != "JWT":
        return False
    if not isinstance(header.get("typ", ""), str):
        return False
    return alg is Wrap.RSA_OAEP_256 or _is_ephemeral(header.get("epk"))


def _is_ephemeral(epk: object) -> bool:
    """A point of our own curve and nothing beside; that it lies on the curve is checked when it is read."""
    if not isinstance(epk, Mapping) or epk.keys() - {"use", "kid"} != {"kty", "crv", "x", "y"}:
        return False
    return epk["kty"] == "EC" and epk["crv"] == _CURVE and all(isinstance(value, str) for value in epk.values())


def _inside(token: str, key: DecryptionKey, *, alg: Wrap, enc: Content, header: Mapping[str, Any]) -> str | None:
    registry = jwe.JWERegistry(algorithms=[alg, enc], strict_check_header=False)
    try:
        plain = jwe.decrypt_compact(token, cast("Any", key.key), registry=registry).plaintext
        return None if plain is None else plain.decode("ascii")
    except (JoseError, ValueError, TypeError, KeyError, AssertionError):
        return None
