"""`authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.6): the atomic single-use gate."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.consent import grants
from idp.consent.rules import GrantFacts
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, Redeemed
from idp.foundation.database import writing
from idp.oidc.errors import INVALID_GRANT, INVALID_REQUEST, INVALID_TARGET, OAuthError
from idp.oidc.grants import refresh_token
from idp.oidc.grants.answer import Minted, TokenRequest, mint_for_grant
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.scopes import OFFLINE_ACCESS

PREFIX: Final = "ac_"
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z", re.ASCII)


def redeem(request: TokenRequest) -> Minted | OAuthError:
    """Exchange a code: it is used up first, so a wrong verifier burns it (TK-03); a replay ends what it issued (TK-01)."""
    code = request.form.get("code", "")
    if not code:
        return INVALID_REQUEST
    if not code.startswith(PREFIX) or len(code) > 100:
        return INVALID_GRANT
    digest = artefacts.digest_of(code.removeprefix(PREFIX))
    with writing() as tx:
        redeemed = artefacts.redeem(
            tx, kind=Kind.AUTHORIZATION_CODE, digest=digest, now=request.now, bound_to=request.party.client_id
        )
        if isinstance(redeemed, Refused):
            if redeemed.reason is artefacts.Reason.REPLAYED:
                _replayed(tx, digest, request)
            return INVALID_GRANT
        minted = _exchange(tx, redeemed, request)
        _note(tx, redeemed, request, outcome=minted.error if isinstance(minted, OAuthError) else "ok")
        return minted


def _exchange(tx: Session, redeemed: Redeemed, request: TokenRequest) -> Minted | OAuthError:
    payload = redeemed.payload
    if payload["redirect_uri"] != request.form.get("redirect_uri") or not _verifies(request.form, payload):
        return INVALID_GRANT
    grant = grants.live(tx, grant_id=UUID(payload["grant"]), now=request.now)
    if grant is None:
        return INVALID_GRANT
    grant = grant.as_of(payload["sign_in"])
    resource = tuple(payload["resource"])
    if not request.asks_within(resource):
        return INVALID_TARGET
    return mint_for_grant(
        tx,
        grant,
        request=request,
        scope=payload["scope"],
        resource=request.resources or resource,
        nonce=payload["nonce"],
        refresh_token=_first_refresh_token(tx, grant, payload, request),
    )


def _note(tx: Session, redeemed: Redeemed, request: TokenRequest, *, outcome: str) -> None:
    audit.append(
        tx,
        Event.CODE_REDEEMED,
        now=request.now,
        actor=f"client:{request.party.client_id}",
        origin=request.origin,
        outcome=outcome,
        subject_id=redeemed.subject_id,
        client_id=request.party.client_id,
        details={"scope": redeemed.payload["scope"]},
    )


def _verifies(form: Mapping[str, str], payload: Mapping[str, Any]) -> bool:
    verifier = form.get("code_verifier", "")
    if not _VERIFIER.match(verifier):
        return False
    challenge = urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
    return compare_digest(challenge, payload["code_challenge"])


def _first_refresh_token(
    tx: Session, grant: GrantFacts, payload: Mapping[str, Any], request: TokenRequest
) -> str | None:
    """For `offline_access`, or for a first-party portal bound to the session (DESIGN §6)."""
    registration = request.party.registration
    if "refresh_token" not in registration.grant_types:
        return None
    if OFFLINE_ACCESS not in payload["scope"].split() and not registration.first_party:
        return None
    return refresh_token.begin(tx, grant, scope=payload["scope"], resource=tuple(payload["resource"]), now=request.now)


def _replayed(tx: Session, digest: bytes, request: TokenRequest) -> None:
    grant_id = artefacts.family_of_digest(tx, kind=Kind.AUTHORIZATION_CODE, digest=digest)
    if grant_id is not None:
        grants.revoke(tx, grant_id=grant_id, reason="code_replayed", now=request.now)
    audit.append(
        tx,
        Event.CODE_REPLAYED,
        now=request.now,
        actor=f"client:{request.party.client_id}",
        origin=request.origin,
        outcome="revoked",
        client_id=request.party.client_id,
    )


def issue(
    tx: Session,
    *,
    grant_id: UUID,
    client_id: str,
    subject_id: str,
    content: Mapping[str, Any],
    now: datetime,
) -> str:
    """A new code for a grant; 60 seconds, bound to the client, and to the grant as its family."""
    secret, _ = artefacts.issue(
        tx,
        kind=Kind.AUTHORIZATION_CODE,
        now=now,
        lifetime=house.get(Settings).code_lifetime,
        subject_id=subject_id,
        family=grant_id,
        bound_to=client_id,
        payload={**content, "grant": str(grant_id)},
    )
    return PREFIX + secret.reveal()
