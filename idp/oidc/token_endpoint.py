"""The endpoints that clients call with their own credentials: plain functions over headers and form (PERFORMANCE).

Token (RFC 6749 §3.2), introspection (RFC 7662) and revocation (RFC 7009). No session, no CSRF, no templates.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.consent import grants
from idp.consent.rules import GrantFacts
from idp.foundation import artefacts, limiter
from idp.foundation.artefacts import Family, Kind
from idp.foundation.database import Rows, looking_up, writing
from idp.foundation.limiter import Budget, Throttled
from idp.foundation.origin import Origin
from idp.oidc import authlib_adapter, live_tokens, tokens
from idp.oidc.client_authentication import authenticate_client
from idp.oidc.errors import INVALID_CLIENT, INVALID_REQUEST, OAuthError, too_many
from idp.oidc.grants.answer import TokenRequest, as_response
from idp.oidc.grants.client_credentials import EPOCHS
from idp.oidc.live_tokens import AccessToken
from idp.oidc.requests import Parameters
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.refused import Refused

SCANNING: Final = Budget(
    "introspection_misses",
    limit=100,
    window=timedelta(minutes=1),
    lock_first=timedelta(minutes=1),
    lock_max=timedelta(hours=1),
)
"""Unknown tokens that one client may ask about (UI-08)."""
_INACTIVE: Final[Mapping[str, Any]] = {"active": False}


def token(
    headers: Mapping[str, str], parameters: Parameters, *, now: datetime, origin: Origin
) -> dict[str, Any] | OAuthError:
    """One token request, authenticated, served by its grant type, signed outside of any transaction."""
    party = authenticate_client(headers, parameters.single, now=now, origin=origin)
    if isinstance(party, OAuthError):
        return party
    if "grant_type" not in parameters.single:
        return INVALID_REQUEST
    request = TokenRequest(party, parameters.single, parameters.resources, now, origin)
    served = authlib_adapter.serve(request)
    return served if isinstance(served, OAuthError) else as_response(served, request=request)


def introspect(
    headers: Mapping[str, str], parameters: Parameters, *, now: datetime, origin: Origin
) -> Mapping[str, Any] | OAuthError:
    """What a token says, to a confidential client that it is meant for; everything else is only inactive."""
    party = authenticate_client(headers, parameters.single, now=now, origin=origin)
    if isinstance(party, OAuthError):
        return party
    if party.registration.token_endpoint_auth_method == "none":
        return INVALID_CLIENT
    sent = parameters.single.get("token", "")
    if not sent:
        return INVALID_REQUEST
    with looking_up() as tx:
        found = live_tokens.read(tx, sent, audience=None, now=now)
        if found is not None and _may_see(party, found.claims):
            return _told(found)
        refresh = _refresh_told(tx, sent, party=party, now=now) if found is None else None
    return refresh or _miss(party, now=now)


def revoke(headers: Mapping[str, str], parameters: Parameters, *, now: datetime, origin: Origin) -> OAuthError | None:
    """Revoke the client's own token; an unknown or foreign one looks the same (RFC 7009 §2.2, UI-10)."""
    party = authenticate_client(headers, parameters.single, now=now, origin=origin)
    if isinstance(party, OAuthError):
        return party
    sent = parameters.single.get("token", "")
    if not sent:
        return INVALID_REQUEST
    with writing() as tx:
        ended = _revoke_refresh(tx, sent, party=party, now=now) or _revoke_access(tx, sent, party=party, now=now)
        if ended is not None:
            audit.append(
                tx,
                Event.TOKEN_REVOKED,
                now=now,
                actor=f"client:{party.client_id}",
                origin=origin,
                subject_id=ended,
                client_id=party.client_id,
            )
    return None


def _may_see(party: RelyingParty, claims: Mapping[str, Any]) -> bool:
    """A client that the token was issued to or is meant for (MODEL §2): being allowed to ask for a resource's tokens
    does not make a client that resource. One that is registered to introspect does so for every API of ours.
    """
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    return party.client_id in {claims["client_id"], *audience} or party.registration.may_introspect


def _told(found: AccessToken) -> dict[str, Any]:
    told = {name: value for name, value in found.claims.items() if name != EPOCHS}
    return {**told, "active": True, "token_type": "Bearer"}


def _refresh_told(tx: Rows, sent: str, *, party: RelyingParty, now: datetime) -> dict[str, Any] | None:
    family = _own_family(tx, sent, party=party)
    if family is None or family[0].expires_at <= now:
        return None
    grant = grants.live(tx, grant_id=family[1], now=now)
    if grant is None:
        return None
    return {
        "active": True,
        "client_id": party.client_id,
        "scope": family[0].payload["scope"],
        "sub": grant.sub,
        "exp": tokens.seconds(family[0].expires_at),
    }


def _own_family(tx: Rows, sent: str, *, party: RelyingParty) -> tuple[Family, UUID] | None:
    read = tokens.read_refresh_token(sent)
    family = artefacts.family_of(tx, kind=Kind.REFRESH, identity=read.family) if read is not None else None
    if read is None or family is None or family.payload["client_id"] != party.client_id:
        return None
    if family.number != read.number:
        return None
    return family, UUID(family.payload["grant"])


def _miss(party: RelyingParty, *, now: datetime) -> Mapping[str, Any] | OAuthError:
    with writing() as tx:
        counted = limiter.reserve(tx, budget=SCANNING, key=party.client_id, now=now)
    return too_many(counted.retry_after) if isinstance(counted, Throttled) else _INACTIVE


def _revoke_refresh(tx: Session, sent: str, *, party: RelyingParty, now: datetime) -> str | None:
    """The whole grant goes, and with it every access token (RFC 7009 §2.1, UI-12)."""
    read = tokens.read_refresh_token(sent)
    family = artefacts.family_of(tx, kind=Kind.REFRESH, identity=read.family) if read is not None else None
    if family is None or family.payload["client_id"] != party.client_id:
        return None
    grant: GrantFacts | None = grants.live(tx, grant_id=UUID(family.payload["grant"]), now=now)
    if grant is None or not grants.revoke(tx, grant_id=grant.id, reason="revoked_by_client", now=now):
        return None
    return grant.subject_id


def _revoke_access(tx: Session, sent: str, *, party: RelyingParty, now: datetime) -> str | None:
    found = live_tokens.read(tx, sent, audience=None, now=now)
    if found is None or found.claims["client_id"] != party.client_id:
        return None
    if sent.startswith(live_tokens.OPAQUE):
        digest = artefacts.digest_of(sent.removeprefix(live_tokens.OPAQUE))
        stored = artefacts.peek(tx, kind=Kind.ACCESS_TOKEN, digest=digest, now=now)
        if not isinstance(stored, Refused):
            artefacts.void(tx, now=now, identity=stored.id)
    else:
        left = timedelta(seconds=found.claims["exp"] - tokens.seconds(now) + 120)
        artefacts.record_once(tx, kind=Kind.REVOKED_JTI, value=found.claims["jti"], now=now, lifetime=left)
    return found.grant.subject_id if found.grant is not None else party.client_id
