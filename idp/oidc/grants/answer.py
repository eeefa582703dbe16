"""What every grant type gives back, and how it becomes a token response (RFC 6749 §5.1)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.consent.rules import GrantFacts
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.foundation.jose import sign
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.oidc import acting, tokens
from idp.oidc.acting import ActingClaims
from idp.oidc.claims import for_id_token
from idp.oidc.tokens import AccessTokenContent
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.scopes import OPENID


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One authenticated request to the token endpoint."""

    party: RelyingParty
    form: Mapping[str, str]
    resources: tuple[str, ...]
    now: datetime
    origin: Origin

    def is_registered_for(self, grant_type: str) -> bool:
        """Whether its client may use this grant type (RFC 6749 §5.2)."""
        return grant_type in self.party.registration.grant_types

    def asks_within(self, granted: Collection[str]) -> bool:
        """Whether its `resource` values are registered, and among those granted where some were (RFC 8707 §2.2)."""
        asked = set(self.resources)
        return asked <= set(self.party.registration.resources) and (not granted or asked <= set(granted))


@dataclass(frozen=True, slots=True)
class Minted:
    """Everything read in the transaction; signing happens after it (DESIGN §4.4)."""

    content: AccessTokenContent
    scope: str
    opaque: str | None = None
    grant: GrantFacts | None = None
    acting: ActingClaims = acting.NOBODY
    id_claims: Mapping[str, Any] = field(default_factory=dict)
    nonce: str | None = None
    refresh_token: str | None = None


def mint_for_grant(
    tx: Session,
    grant: GrantFacts,
    *,
    request: TokenRequest,
    scope: str,
    resource: tuple[str, ...],
    nonce: str | None,
    refresh_token: str | None,
) -> Minted:
    """Read what the tokens of a person's grant say now."""
    claims = acting.read(tx, grant, party=request.party, now=request.now)
    content = tokens.for_grant(
        grant, party=request.party, scope=scope, resource=resource, acting=claims, now=request.now
    )
    opaque = keep_opaque(tx, content, subject_id=grant.subject_id, request=request)
    id_claims = for_id_token(tx, grant) if OPENID in scope.split() else {}
    return Minted(content, scope, opaque, grant, claims, id_claims, nonce, refresh_token)


def keep_opaque(
    tx: Session, content: AccessTokenContent, *, subject_id: str | None, request: TokenRequest
) -> str | None:
    """Store what an opaque token stands for; a JWT needs no row."""
    if content.format != "opaque":
        return None
    secret, _ = artefacts.issue(
        tx,
        kind=Kind.ACCESS_TOKEN,
        now=request.now,
        lifetime=content.lifetime,
        subject_id=subject_id,
        payload=content.claims,
    )
    return f"at_{secret.reveal()}"


def signed(content: AccessTokenContent) -> str:
    """The JWT of RFC 9068."""
    return sign(content.claims, key=house.get(Keyring).signing(content.alg), typ="at+jwt")


def bearing(access_token: str, *, content: AccessTokenContent, scope: str) -> dict[str, Any]:
    """What every answer with an access token says."""
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(content.lifetime.total_seconds()),
        "scope": scope,
    }


def as_response(minted: Minted, *, request: TokenRequest) -> dict[str, Any]:
    """Sign and lay out the answer."""
    access_token = minted.opaque or signed(minted.content)
    body = bearing(access_token, content=minted.content, scope=minted.scope)
    if minted.refresh_token is not None:
        body["refresh_token"] = minted.refresh_token
    if minted.grant is not None and OPENID in minted.scope.split():
        body["id_token"] = tokens.id_token(
            minted.grant,
            party=request.party,
            scope=minted.scope,
            nonce=minted.nonce,
            acting=minted.acting,
            extra=minted.id_claims,
            access_token=access_token,
            now=request.now,
        )
    return body
