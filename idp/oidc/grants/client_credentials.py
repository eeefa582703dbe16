"""`client_credentials` (RFC 6749 §4.4): an app by itself, only for whom its registration approves it (X3, TK-24)."""

import secrets
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from idp.affiliations.narrowing import practices_meant
from idp.directory import service as directory
from idp.directory.rules import PracticeFacts, ProviderFacts
from idp.foundation import epochs, house
from idp.foundation.database import Rows, looking_up, writing
from idp.oidc import tokens
from idp.oidc.acting import reference, tin_claims
from idp.oidc.errors import INVALID_SCOPE, INVALID_TARGET, OAuthError
from idp.oidc.grants.answer import Minted, TokenRequest, keep_opaque
from idp.oidc.scope_table import CLIENT_SCOPES
from idp.oidc.tokens import AccessTokenContent
from idp.relying_parties.manifest import ApprovedFor
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary import scopes
from idp.vocabulary.scopes import Scope

EPOCHS: Final = "epochs"
"""Private claim `[client epoch, system epoch]`: such a token has no grant to be read from."""


def grant(request: TokenRequest) -> Minted | OAuthError:
    """A token for one approved provider or practice, or for all of them when none is named."""
    asked = _asked(request)
    if isinstance(asked, OAuthError):
        return asked
    scope, approved = asked
    with looking_up() as tx:
        claims = _claims(tx, request.party, approved, scope, request=request)
        if claims is None:
            return INVALID_SCOPE
        system_epoch = epochs.current(tx)
    content = _standing(request, scope, claims)
    content = minted_now(content, now=request.now, epochs=(request.party.epoch, system_epoch))
    if content.format != "opaque":
        return Minted(content, str(scope))
    with writing() as tx:
        return Minted(content, str(scope), keep_opaque(tx, content, subject_id=None, request=request))


def standing(request: TokenRequest) -> AccessTokenContent | None:
    """What such a token says at any moment, where nothing must be looked up or kept for it; `None`: let `grant` judge.

    It follows from the client's registration and the form alone, so it stands as long as both do.
    """
    asked = _asked(request)
    if isinstance(asked, OAuthError):
        return None
    scope, approved = asked
    if scope.narrows or request.party.registration.access_token.format == "opaque":
        return None
    return _standing(request, scope, _unnarrowed(approved, scope))


def minted_now(content: AccessTokenContent, *, now: datetime, epochs: tuple[int, int]) -> AccessTokenContent:
    """The token of this moment; `epochs` are the client's and the system's.

    The latter may be a second old. A token stamped with a former epoch is void from the start, since whoever checks
    one reads the epoch as it is: it fails closed.
    """
    claims = {
        **content.claims,
        "iat": tokens.seconds(now),
        "exp": tokens.seconds(now + content.lifetime),
        "jti": secrets.token_urlsafe(16),
        EPOCHS: list(epochs),
    }
    return AccessTokenContent(claims, content.lifetime, content.format, content.alg)


def _asked(request: TokenRequest) -> tuple[Scope, ApprovedFor] | OAuthError:
    """What is asked, if the app is registered to ask for it."""
    scope = _scope(request)
    approved = request.party.registration.approved_for
    if scope is None or approved is None:
        return INVALID_SCOPE
    return (scope, approved) if request.asks_within(()) else INVALID_TARGET


def _scope(request: TokenRequest) -> Scope | None:
    """What the app may ask for itself; without `scope` all of that (RFC 6749 §3.3)."""
    registered = frozenset(request.party.registration.scope.split()) & CLIENT_SCOPES
    asked = request.form.get("scope")
    if asked is None:
        return Scope(tuple(sorted(registered)))
    scope = Scope.parse(asked)
    return scope if scope is not None and set(scope.names) <= registered else None


def _claims(
    tx: Rows, party: RelyingParty, approved: ApprovedFor, scope: Scope, *, request: TokenRequest
) -> dict[str, Any] | None:
    """The acting claims, or `None` when something is named that the app is not approved for now."""
    if not scope.narrows:
        return _unnarrowed(approved, scope)
    if len(scope.provider_ids) + len(scope.tins) != 1:
        return None
    if scope.tins:
        return _by_tin(tx, party, approved, scope)
    provider = _approved_provider(tx, party, approved, scope.provider_ids[0], request=request)
    if provider is None:
        return None
    practice = directory.practice(tx, provider.practice_id)
    return _told(party, scope, provider=provider, practice=practice)


def _unnarrowed(approved: ApprovedFor, scope: Scope) -> dict[str, Any]:
    return {"provider_ids": sorted(approved.provider_ids)} if scopes.PROVIDER_ID in scope else {}


def _approved_provider(
    tx: Rows, party: RelyingParty, approved: ApprovedFor, number: str, *, request: TokenRequest
) -> ProviderFacts | None:
    provider = directory.provider_by_number(tx, registry=approved.registry, provider_id=number)
    if provider is None or not provider.in_force(request.now.date()):
        return None
    if number in approved.provider_ids or provider.practice_id in _practices(tx, approved):
        return provider
    return None


def _by_tin(tx: Rows, party: RelyingParty, approved: ApprovedFor, scope: Scope) -> dict[str, Any] | None:
    meant = practices_meant(tx, scope.tins, among=_practices(tx, approved), sector=party.sector)
    practice = directory.practice(tx, next(iter(meant))) if meant else None
    return None if practice is None else _told(party, scope, provider=None, practice=practice)


def _practices(tx: Rows, approved: ApprovedFor) -> set[UUID]:
    found = (directory.practice_by_tin(tx, tin) for tin in approved.tins)
    return {practice.id for practice in found if practice is not None}


def _told(
    party: RelyingParty, scope: Scope, *, provider: ProviderFacts | None, practice: PracticeFacts | None
) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    if provider is not None:
        claims |= {"provider_id": provider.provider_id, "npi": provider.npi, "provider_type": provider.provider_type}
    if practice is not None:
        claims |= tin_claims(practice, party=party) if scopes.TIN in scope or scope.tins else {}
        claims["tin_ref"] = reference(practice.id, party)
    return claims


def _standing(request: TokenRequest, scope: Scope, acting: dict[str, Any]) -> AccessTokenContent:
    party, registered = request.party, request.party.registration.access_token
    claims = acting | {
        "iss": house.get(Settings).issuer,
        "sub": party.client_id,
        "aud": tokens.audience_of(party, scopes=frozenset(), resource=request.resources),
        "client_id": party.client_id,
        "scope": str(scope),
    }
    return AccessTokenContent(claims, tokens.lifetime_at(party), registered.format, registered.alg)
