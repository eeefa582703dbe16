"""Tokens: what stands in them, and how they are written (RFC 9068, OIDC Core §2; DESIGN §6)."""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256, sha384, sha512
from typing import Any, Final
from uuid import UUID

from idp.consent.rules import GrantFacts
from idp.foundation import house
from idp.foundation.jose import sign
from idp.keyring.service import Keyring
from idp.oidc.acting import ActingClaims
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary.scopes import OPENID

_REFRESH: Final = "rt_"
_NUMBER: Final = 4
_HASHES: Final = {"256": sha256, "384": sha384, "512": sha512}
GRANT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class AccessTokenContent:
    """The claims of an access token, before it is signed or stored."""

    claims: Mapping[str, Any]
    lifetime: timedelta
    format: str
    alg: str


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it says of itself; its HMAC has been checked."""

    family: UUID
    number: int


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def audience_of(party: RelyingParty, *, scopes: frozenset[str], resource: tuple[str, ...]) -> str | list[str]:
    """The resource asked, else the client's default, else the issuer; with `openid` the issuer is added (MODEL §2)."""
    issuer = house.get(Settings).issuer
    default = party.registration.access_token.audience
    audience = list(resource) or ([default] if default else [issuer])
    if OPENID in scopes and issuer not in audience:
        audience.append(issuer)
    return audience[0] if len(audience) == 1 else audience


def lifetime_at(party: RelyingParty) -> timedelta:
    """How long access tokens live at a client: as registered, else as the operator has set."""
    return party.manifest.access_token_lifetime or house.get(Settings).access_token_lifetime


def for_grant(
    grant: GrantFacts,
    *,
    party: RelyingParty,
    scope: str,
    resource: tuple[str, ...],
    acting: ActingClaims,
    now: datetime,
) -> AccessTokenContent:
    """The access token of a person's grant; acting claims first, so that no protocol claim can be overwritten."""
    scopes = frozenset(scope.split())
    lifetime = lifetime_at(party)
    claims = acting.released(scopes, in_token=True) | {
        "iss": house.get(Settings).issuer,
        "sub": grant.sub,
        "aud": audience_of(party, scopes=scopes, resource=resource),
        "client_id": party.client_id,
        "scope": scope,
        "iat": seconds(now),
        "exp": seconds(now + lifetime),
        "jti": jti_of(grant.id),
        "auth_time": seconds(grant.auth_time),
        "acr": grant.acr,
        "amr": list(grant.amr),
    }
    settings = party.registration.access_token
    return AccessTokenContent(claims, lifetime, settings.format, settings.alg)


def id_token(
    grant: GrantFacts,
    *,
    party: RelyingParty,
    scope: str,
    nonce: str | None,
    acting: ActingClaims,
    extra: Mapping[str, Any],
    access_token: str,
    now: datetime,
) -> str:
    """A signed ID token; `auth_time` is the true one, kept across SSO and refresh (PROTOCOL 4–6)."""
    registration = party.registration
    alg = registration.id_token_signed_response_alg
    told = acting.in_id_token(scope.split(), registration.id_token_claims)
    claims = (
        dict(extra)
        | told
        | {
            "iss": house.get(Settings).issuer,
            "sub": grant.sub,
            "aud": party.client_id,
            "azp": party.client_id,
            "iat": seconds(now),
            "exp": seconds(now + house.get(Settings).id_token_lifetime),
            "auth_time": seconds(grant.auth_time),
            "acr": grant.acr,
            "amr": list(grant.amr),
            "sid": str(grant.sid),
            "at_hash": half_hash(access_token, alg),
        }
        | ({"nonce": nonce} if nonce is not None else {})
    )
    return sign(claims, key=house.get(Keyring).signing(alg), typ="JWT")


def logout_token(party: RelyingParty, *, sub: str, sid: UUID, now: datetime) -> str:
    """OIDC Back-Channel Logout §2.4: no nonce, its own `typ`, two minutes."""
    claims = {
        "iss": house.get(Settings).issuer,
        "aud": party.client_id,
        "sub": sub,
        "sid": str(sid),
        "iat": seconds(now),
        "exp": seconds(now) + 120,
        "jti": secrets.token_urlsafe(16),
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    alg = party.registration.id_token_signed_response_alg
    return sign(claims, key=house.get(Keyring).signing(alg), typ="logout+jwt")


def half_hash(token: str, alg: str) -> str:
    """`at_hash`: the left half of the hash that the algorithm names; SHA-512 for EdDSA (OIDC Core §3.1.3.6)."""
    hashed = _HASHES.get(alg[-3:], sha512)(token.encode("ascii")).digest()
    return _encode(hashed[: len(hashed) // 2])


def jti_of(grant_id: UUID) -> str:
    """A unique `jti` that leads back to its grant."""
    return _encode(grant_id.bytes + secrets.token_bytes(8))


def grant_of_jti(jti: object) -> UUID | None:
    """The grant that a person's access token hangs on."""
    if not isinstance(jti, str):
        return None
    raw = _decode(jti)
    return UUID(bytes=raw[:GRANT_BYTES]) if raw is not None and len(raw) == GRANT_BYTES + 8 else None


def refresh_token(family: UUID, number: int) -> str:
    """The token of one turn of a family: the same turn always gives the same token (DESIGN §6)."""
    body = family.bytes + number.to_bytes(_NUMBER, "big")
    return _REFRESH + _encode(body + _mac(body))


def read_refresh_token(token: str) -> RefreshToken | None:
    """What a refresh token says, if we made it."""
    raw = _decode(token[len(_REFRESH) :]) if token.startswith(_REFRESH) and len(token) < 100 else None
    if raw is None or len(raw) != GRANT_BYTES + _NUMBER + 32:
        return None
    body, mac = raw[: GRANT_BYTES + _NUMBER], raw[GRANT_BYTES + _NUMBER :]
    if not hmac.compare_digest(mac, _mac(body)):
        return None
    return RefreshToken(UUID(bytes=body[:GRANT_BYTES]), int.from_bytes(body[GRANT_BYTES:], "big"))


def _mac(body: bytes) -> bytes:
    return hmac.digest(house.get(Keyring).derive("refresh"), body, "sha256")


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes | None:
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if _encode(raw) == text else None
