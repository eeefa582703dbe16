"""`refresh_token` (RFC 6749 §6, RFC 9700 §4.14): rotation, one successor a turn, reuse ends the family.

A token is an HMAC of its family and turn, so within a client's grace the same successor can be answered again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.consent import grants
from idp.consent.rules import GrantFacts
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Family, Kind
from idp.foundation.database import writing
from idp.oidc import notices, tokens
from idp.oidc.acting import acts_within
from idp.oidc.errors import INVALID_GRANT, INVALID_REQUEST, INVALID_SCOPE, INVALID_TARGET, OAuthError
from idp.oidc.grants.answer import Minted, TokenRequest, mint_for_grant
from idp.sessions import presence
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.scopes import Scope


def refresh(request: TokenRequest) -> Minted | OAuthError:
    """Turn the family once and mint from the grant as it stands now."""
    sent = request.form.get("refresh_token", "")
    if not sent:
        return INVALID_REQUEST
    token = tokens.read_refresh_token(sent)
    if token is None:
        return INVALID_GRANT
    with writing() as tx:
        family = artefacts.family_of(tx, kind=Kind.REFRESH, identity=token.family)
        if family is None or family.payload["client_id"] != request.party.client_id:
            return INVALID_GRANT
        grant = grants.live(tx, grant_id=UUID(family.payload["grant"]), now=request.now)
        if grant is None or family.expires_at <= request.now:
            return INVALID_GRANT
        scope = _scope(request, family)
        if isinstance(scope, OAuthError):
            return scope
        if not acts_within(tx, grant, scope, party=request.party):
            return INVALID_SCOPE
        number = _turn(tx, token, family, grant, request)
        if number is None:
            return INVALID_GRANT
        _keep_session_awake(tx, grant, now=request.now)
        return mint_for_grant(
            tx,
            grant.as_of(family.payload["sign_in"]),
            request=request,
            scope=scope,
            resource=request.resources or tuple(family.payload["resource"]),
            nonce=None,
            refresh_token=tokens.refresh_token(token.family, number),
        )


def begin(tx: Session, grant: GrantFacts, *, scope: str, resource: tuple[str, ...], now: datetime) -> str:
    """The first token of a new family on a grant."""
    payload = {
        "grant": str(grant.id),
        "client_id": grant.client_id,
        "scope": scope,
        "resource": list(resource),
        "sign_in": grant.sign_in(),
    }
    _, identity = artefacts.issue(
        tx,
        kind=Kind.REFRESH,
        now=now,
        lifetime=_expiry(grant, now=now) - now,
        subject_id=grant.subject_id,
        family=grant.id,
        payload=payload,
    )
    return tokens.refresh_token(identity, 0)


def _turn(
    tx: Session, token: tokens.RefreshToken, family: Family, grant: GrantFacts, request: TokenRequest
) -> int | None:
    """The number of the successor: ours to make, or already made within the grace; `None` after a replay."""
    advanced = artefacts.advance(
        tx,
        kind=Kind.REFRESH,
        identity=token.family,
        number=token.number,
        now=request.now,
        expires_at=_expiry(grant, now=request.now),
    )
    if not isinstance(advanced, Refused):
        return advanced.number
    current = artefacts.family_of(tx, kind=Kind.REFRESH, identity=token.family)
    if current is None or advanced.reason is not artefacts.Reason.REPLAYED:
        return None
    grace = timedelta(seconds=request.party.registration.refresh_grace_seconds)
    in_grace = current.rotated_at is not None and request.now - current.rotated_at < grace
    if current.number == token.number + 1 and in_grace:
        return current.number
    _replayed(tx, grant, request)
    return None


def _replayed(tx: Session, grant: GrantFacts, request: TokenRequest) -> None:
    """A token that was rotated away came again: nobody can tell who is the thief, so all of it ends (TK-26)."""
    grants.revoke(tx, grant_id=grant.id, reason="refresh_replayed", now=request.now)
    notices.tell_reuse(tx, subject_id=grant.subject_id, party=request.party, now=request.now)
    audit.append(
        tx,
        Event.REFRESH_REPLAYED,
        now=request.now,
        actor=f"client:{request.party.client_id}",
        origin=request.origin,
        outcome="revoked",
        subject_id=grant.subject_id,
        client_id=request.party.client_id,
    )


def _scope(request: TokenRequest, family: Family) -> str | OAuthError:
    """As granted, or narrower; never wider (TK-28)."""
    granted: Mapping[str, Any] = family.payload
    if not request.asks_within(granted["resource"]):
        return INVALID_TARGET
    asked = request.form.get("scope")
    if asked is None:
        return str(granted["scope"])
    scope = Scope.parse(asked)
    held = Scope.parse(granted["scope"])
    if scope is None or held is None or not set(scope.names) <= set(held.names):
        return INVALID_SCOPE
    return str(scope)


def _keep_session_awake(tx: Session, grant: GrantFacts, *, now: datetime) -> None:
    """Somebody works at a portal that is bound to the session, which is not idle then; a page here they did not look at."""
    if not grant.offline:
        presence.keep(tx, session_id=grant.session_id, now=now)


def _expiry(grant: GrantFacts, *, now: datetime) -> datetime:
    """Idle for 14 days at most while offline; never past the grant's own end."""
    idle = now + house.get(Settings).refresh_idle
    return min(idle, grant.expires_at) if grant.offline else grant.expires_at
