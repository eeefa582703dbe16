"""Signed tokens: `sign` writes one, `verify` reads one for a named purpose and takes nothing from the token on trust.

The purpose fixes algorithms, `typ`, required claims, age and size before the token is opened (RFC 8725, SECURITY D8).
No `crit`, no key inside a header: what is not expected is refused, never ignored. An encrypted token
is none of these: `jwe` opens the few that a purpose names.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import orjson

from idp.foundation.algorithms import Alg, PrivateKey, is_signature, signer
from idp.foundation.jwk import VerificationKey
from idp.foundation.token_purposes import LEEWAY as LEEWAY
from idp.foundation.token_purposes import THUMBPRINTS, Rules
from idp.foundation.token_purposes import Purpose as Purpose
from idp.vocabulary.refused import Refused

_SIZE: Final = 8192
_HEADER_SIZE: Final = 1024
_LATEST: Final = 253402300799
"""The last second of the year 9999."""
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+\Z", re.ASCII)
_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ"})
_LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

Keys = Mapping[str, VerificationKey] | Sequence[VerificationKey]
"""Our own keys by `kid`, which a token must then name; or a client's, where keys and tokens may lack it."""


class Reason(StrEnum):
    """Why a token was refused; for the audit, never for the caller of the endpoint."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    HEADER = "header"
    WRONG_TYPE = "wrong_type"
    ALGORITHM = "algorithm"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    ENCRYPTION = "encryption"
    CLAIMS = "claims"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    TOO_OLD = "too_old"


_LOGOUTS: Final = frozenset({Purpose.LOGOUT_TOKEN, Purpose.UPSTREAM_LOGOUT})


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, its one algorithm and its `kid`. A key that does not fit `alg` cannot be made into one."""

    kid: str
    alg: Alg
    key: PrivateKey = field(repr=False)
    sign_bytes: Callable[[bytes], bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sign_bytes", signer(self.alg, self.key))


def sign(claims: Mapping[str, Any], *, key: SigningKey, typ: str) -> str:
    """A compact JWS over `claims`; `typ` is `at+jwt`, `JWT` or `logout+jwt`."""
    message = _header(key.kid, key.alg, typ) + _encode(orjson.dumps(claims))
    return (message + b"." + _encode(key.sign_bytes(message))).decode("ascii")


def verify(
    token: str,
    *,
    purpose: Purpose,
    keys: Keys,
    issuer: str,
    audience: str | Collection[str] | None,
    now: datetime,
) -> Mapping[str, Any] | Refused:
    """The claims of a genuine token of this purpose.

    `issuer` is ours, or the client for an assertion. `audience` holds the strings of which one must be there;
    `None` leaves the judgement to the caller and must be followed by one.
    """
    rules = purpose.value
    if len(token) > _SIZE:
        return Refused(Reason.TOO_LARGE)
    parts = token.split(".")
    if len(parts) != 3:
        return Refused(Reason.MALFORMED)
    header = _read_header(parts[0])
    if isinstance(header, Refused):
        return header
    if not header.beside <= rules.ignores:
        return Refused(Reason.HEADER)
    if header.typ not in rules.types:
        return Refused(Reason.WRONG_TYPE)
    payload, signature = _decode(parts[1]), _decode(parts[2])
    if payload is None or signature is None:
        return Refused(Reason.MALFORMED)
    unproven = _prove(header, keys=keys, signed=f"{parts[0]}.{parts[1]}".encode("ascii"), signature=signature)
    if unproven is not None:
        return unproven
    claims = _parse(payload)
    if claims is None:
        return Refused(Reason.MALFORMED)
    wrong = _judge(claims, rules=rules, issuer=issuer, now=now) or _wrong_audience(claims, rules, audience)
    if wrong is None and purpose is Purpose.CLIENT_ASSERTION and claims["sub"] != issuer:
        wrong = Refused(Reason.CLAIMS)
    if wrong is None and purpose in _LOGOUTS and not _says_logout(claims):
        wrong = Refused(Reason.CLAIMS)
    return claims if wrong is None else wrong


def algorithm_of(token: str) -> Alg | None:
    """The `alg` of a token that `verify` has taken: its hashes go by that (OIDC Core §3.1.3.6)."""
    header = _read_header(token.partition(".")[0])
    return None if isinstance(header, Refused) else header.alg


def parse_segment(segment: str) -> Mapping[str, Any] | None:
    """A header's JSON object, read as strictly as those of signed tokens; unproven."""
    decoded = _decode(segment) if len(segment) <= _HEADER_SIZE else None
    return None if decoded is None else _parse(decoded)


def claimed_issuer(token: str) -> str | None:
    """The `iss` that a token claims, unproven: only to know whose keys must prove it (RFC 7523 §3)."""
    parts = token.split(".") if len(token) <= _SIZE else []
    payload = _decode(parts[1]) if len(parts) == 3 else None
    claims = _parse(payload) if payload is not None else None
    issuer = claims.get("iss") if claims is not None else None
    return issuer if isinstance(issuer, str) else None


@dataclass(frozen=True, slots=True)
class _Header:
    alg: Alg
    kid: str | None
    typ: str | None
    beside: frozenset[str]
    """Other names that stood in it, which only some purposes bear."""


@lru_cache(maxsize=512)
def _header(kid: str, alg: Alg, typ: str) -> bytes:
    return _encode(orjson.dumps({"alg": str(alg), "typ": typ, "kid": kid})) + b"."


@lru_cache(maxsize=512)
def _read_header(segment: str) -> _Header | Refused:
    """Remembered, since every token of one key begins alike; it depends on nothing but the segment."""
    header = parse_segment(segment)
    if header is None:
        return Refused(Reason.MALFORMED)
    beside = frozenset(header.keys() - _HEADER_NAMES)
    if not beside <= THUMBPRINTS or not all(isinstance(value, str) for value in header.values()):
        return Refused(Reason.HEADER)
    try:
        return _Header(Alg(header.get("alg", "none")), header.get("kid"), header.get("typ"), beside)
    except ValueError:
        return Refused(Reason.ALGORITHM)


def _prove(header: _Header, *, keys: Keys, signed: bytes, signature: bytes) -> Refused | None:
    if isinstance(keys, Mapping):
        named = keys.get(header.kid) if header.kid is not None else None
        candidates: Sequence[VerificationKey] = () if named is None else (named,)
    else:
        candidates = [key for key in keys if header.kid is None or key.kid is None or key.kid == header.kid]
    if not candidates:
        return Refused(Reason.UNKNOWN_KEY)
    fitting = [key for key in candidates if header.alg in key.algs]
    if not fitting:
        return Refused(Reason.ALGORITHM)
    proven = any(is_signature(signature, signed, alg=header.alg, key=key.key) for key in fitting)
    return None if proven else Refused(Reason.SIGNATURE)


def _judge(claims: Mapping[str, Any], *, rules: Rules, issuer: str, now: datetime) -> Refused | None:
    if not rules.required <= claims.keys() or rules.forbidden & claims.keys():
        return Refused(Reason.CLAIMS)
    texts = (claims[name] for name in ("iss", "sub", "jti", "client_id") if name in claims)
    if not all(isinstance(text, str) and text for text in texts):
        return Refused(Reason.CLAIMS)
    if claims["iss"] != issuer:
        return Refused(Reason.ISSUER)
    moments = [claims[name] for name in ("exp", "iat", "nbf") if name in claims]
    if not all(type(moment) is int and 0 <= moment <= _LATEST for moment in moments):
        return Refused(Reason.CLAIMS)
    at, ahead, age = now.timestamp(), rules.ahead.total_seconds(), rules.max_age.total_seconds()
    slack = LEEWAY.total_seconds()
    if rules.expires and claims["exp"] + slack <= at:
        return Refused(Reason.EXPIRED)
    if rules.expires and claims["exp"] > at + age + slack:
        return Refused(Reason.CLAIMS)
    if any(claims[name] >= at + ahead for name in ("iat", "nbf") if name in claims):
        return Refused(Reason.NOT_YET)
    if "iat" in claims and claims["iat"] + age + slack <= at:
        return Refused(Reason.TOO_OLD)
    return None


def _wrong_audience(claims: Mapping[str, Any], rules: Rules, audience: str | Collection[str] | None) -> Refused | None:
    said = claims["aud"]
    if isinstance(said, list) and not rules.one_audience:
        named = said
    else:
        named = [said]
    if not named or not all(isinstance(name, str) and name for name in named):
        return Refused(Reason.AUDIENCE)
    wanted = {audience} if isinstance(audience, str) else None if audience is None else set(audience)
    return None if wanted is None or wanted.intersection(named) else Refused(Reason.AUDIENCE)


def _says_logout(claims: Mapping[str, Any]) -> bool:
    events = claims["events"]
    named = isinstance(events, dict) and isinstance(events.get(_LOGOUT_EVENT), dict)
    return named and any(isinstance(claims.get(name), str) for name in ("sub", "sid"))


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decode(segment: str) -> bytes | None:
    """Canonical unpadded base64url only: one value has one spelling (RFC 7515 §2)."""
    if not _SEGMENT.match(segment) or len(segment) % 4 == 1:
        return None
    decoded = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    return decoded if _encode(decoded) == segment.encode("ascii") else None


def _parse(data: bytes) -> dict[str, Any] | None:
    """One JSON object in UTF-8, each name once, no NaN, no lone surrogate (KY-13, RFC 7519 §4)."""
    try:
        if b"\\u" in data:
            orjson.loads(data)
        parsed = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
