"""Checks of the three kinds of token that a relying party is handed; each passes only its own check (RFC 8725 §3.11).

Pure: the keys and the time are arguments. A token that fails raises `Untrusted`; its text is for a log, not for a page,
and never holds a part of the token.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeGuard

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

Claims = Mapping[str, Any]

LEEWAY: Final = timedelta(seconds=30)
"""How far the provider's clock may be from ours."""
MAX_AGE_OF_ISSUE: Final = timedelta(minutes=10)
LONGEST_TOKEN: Final = 16_384
BACKCHANNEL_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
ACCESS_TOKEN_ALGORITHMS: Final = ("ES256", "ES384", "RS256", "RS384", "PS256", "EdDSA", "Ed25519")
_HASHES: Final = {"RS256": "sha256", "PS256": "sha256", "ES256": "sha256", "ES384": "sha384", "RS384": "sha384"}


class Untrusted(Exception):
    """The token is not what it should be."""


@dataclass(frozen=True, slots=True)
class Token:
    """Header and claims of a token whose signature was checked."""

    header: Claims
    claims: Claims


def check_id_token(
    token: str,
    *,
    keys: KeySet,
    issuer: str,
    client_id: str,
    now: datetime,
    nonce: str | None,
    access_token: str | None = None,
    algorithm: str = "RS256",
    nonce_may_be_absent: bool = False,
) -> Claims:
    """Claims of an ID token made for us, in answer to our request (OpenID Connect Core §3.1.3.7).

    `nonce_may_be_absent` is for refreshing (§12.2): there it may be left out, but if present it is the first one.
    """
    checked = _signed(token, keys=keys, algorithms=(algorithm,), types=("jwt", None))
    claims = checked.claims
    _addressed(claims, issuer=issuer, audience=client_id)
    _in_time(claims, now=now)
    if not _text(claims, "sub"):
        raise Untrusted("no subject")
    if "events" in claims:
        raise Untrusted("a logout token is no ID token")
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        raise Untrusted("several audiences and no azp")
    if claims.get("azp", client_id) != client_id:
        raise Untrusted("issued to another client")
    if not (nonce_may_be_absent and "nonce" not in claims) and not _same(claims.get("nonce"), nonce):
        raise Untrusted("answers another request")
    if access_token is not None and "at_hash" in claims:
        _bound(claims["at_hash"], access_token=access_token, algorithm=algorithm)
    return claims


def check_fresh(claims: Claims, *, asked_at: datetime) -> None:
    """The person proved who they are after we asked (`max_age=0`), not some time before."""
    auth_time = claims.get("auth_time")
    if not _is_number(auth_time) or auth_time < (asked_at - timedelta(seconds=5)).timestamp():
        raise Untrusted("the sign-in is not a fresh one")


def check_logout_token(token: str, *, keys: KeySet, issuer: str, client_id: str, now: datetime) -> Claims:
    """Claims of a logout token made for us (Back-Channel Logout §2.6); the caller remembers its `jti`."""
    claims = _signed(token, keys=keys, algorithms=("RS256", "ES256"), types=("logout+jwt",)).claims
    _addressed(claims, issuer=issuer, audience=client_id)
    _in_time(claims, now=now)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(BACKCHANNEL_EVENT), dict):
        raise Untrusted("not about a logout")
    if "nonce" in claims:
        raise Untrusted("an ID token is no logout token")
    if not _text(claims, "jti"):
        raise Untrusted("no jti")
    if not _text(claims, "sid") and not _text(claims, "sub"):
        raise Untrusted("about nobody")
    return claims


def check_access_token(token: str, *, keys: KeySet, issuer: str, audience: str, now: datetime) -> Claims:
    """Claims of a JWT access token made for this API (RFC 9068 §4): what a resource server does with every request."""
    checked = _signed(token, keys=keys, algorithms=ACCESS_TOKEN_ALGORITHMS, types=("at+jwt", "application/at+jwt"))
    claims = checked.claims
    _addressed(claims, issuer=issuer, audience=audience)
    _in_time(claims, now=now, at_most=timedelta(hours=1))
    for name in ("sub", "client_id", "jti"):
        if not _text(claims, name):
            raise Untrusted(f"no {name}")
    return claims


def kid_of(token: str) -> str:
    """The `kid` that a token's header names, not yet believed: only to find out whether we hold that key."""
    if len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise Untrusted("not a signed token")
    try:
        header = _json(token.split(".")[0])
    except ValueError as error:
        raise Untrusted("not a signed token") from error
    kid = header.get("kid") if isinstance(header, dict) else None
    if not isinstance(kid, str) or not kid:
        raise Untrusted("no kid")
    return kid


def peek(token: str) -> dict[str, Any] | None:
    """Header and payload of an access token, unchecked, to *show* them; `None` when it is opaque.

    Only a demo does this: an access token is meant for the API, and a client must not decide anything by its content.
    """
    if token.count(".") != 2:
        return None
    try:
        header, payload, _ = token.split(".")
        return {"header": _json(header), "payload": _json(payload)}
    except ValueError:
        return None


def _signed(token: str, *, keys: KeySet, algorithms: tuple[str, ...], types: tuple[str | None, ...]) -> Token:
    kid_of(token)  # size and shape first; a key set without `kid` would try every key
    try:
        decoded = jwt.decode(token, keys, algorithms=list(algorithms))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Untrusted(f"signature: {type(error).__name__}") from error
    typ = decoded.header.get("typ")
    if (typ.lower() if isinstance(typ, str) else typ) not in types:
        raise Untrusted("another type of token")
    if "crit" in decoded.header:
        raise Untrusted("critical header")
    if not isinstance(decoded.claims, dict):
        raise Untrusted("no claims")
    return Token(decoded.header, decoded.claims)


def _addressed(claims: Claims, *, issuer: str, audience: str) -> None:
    if not _same(claims.get("iss"), issuer):
        raise Untrusted("another issuer")
    aud = claims.get("aud")
    if audience not in (aud if isinstance(aud, list) else [aud]):
        raise Untrusted("made for somebody else")


def _in_time(claims: Claims, *, now: datetime, at_most: timedelta = MAX_AGE_OF_ISSUE) -> None:
    exp, iat = claims.get("exp"), claims.get("iat")
    if not _is_number(exp) or not _is_number(iat):
        raise Untrusted("no times")
    if exp <= (now - LEEWAY).timestamp():
        raise Untrusted("expired")
    if not (now - at_most - LEEWAY).timestamp() <= iat <= (now + LEEWAY).timestamp():
        raise Untrusted("issued at another time")
    nbf = claims.get("nbf", iat)
    if not _is_number(nbf) or nbf > (now + LEEWAY).timestamp():
        raise Untrusted("not yet valid")


def _bound(at_hash: object, *, access_token: str, algorithm: str) -> None:
    """Core §3.1.3.6: the left half of the hash of the access token."""
    digest = hashlib.new(_HASHES.get(algorithm, "sha512"), access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    if not _same(at_hash, half):
        raise Untrusted("belongs to another access token")


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**11


def _text(claims: Claims, name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None


def _same(given: object, expected: str | None) -> bool:
    if not isinstance(given, str) or expected is None:
        return False
    return hmac.compare_digest(given.encode(), expected.encode())


def _json(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
