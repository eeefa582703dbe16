"""The authorization endpoint: validate, ask the dispatcher, and answer with a code or an error at the client (RFC 6749 §4.1).

Client and redirect URI are checked before anything may be redirected (AZ-01…09); a live session that needs no page is
answered at once, everything else is parked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.references import pairwise_sub
from idp.affiliations.rules import Choice
from idp.audit import service as audit
from idp.audit.events import Event
from idp.consent import grants
from idp.consent.rules import Authorized
from idp.foundation import epochs, house, jose
from idp.foundation.database import reading, writing
from idp.foundation.jose import Purpose
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.oidc.authlib_adapter import supports_response_type
from idp.oidc.errors import RequestError
from idp.oidc.grants import authorization_code
from idp.oidc.requests import Parameters
from idp.oidc.rules import ClientTerms, read_request, readable_claims
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import service as sessions
from idp.sessions import transactions
from idp.sessions.rules import SessionFacts, TransactionFacts
from idp.settings import Settings
from idp.sign_in.requests import parked, unparked
from idp.sign_in.rules import AuthorizationRequest, Proceed, Show
from idp.sign_in.service import Decision, decide
from idp.subjects import service as subjects
from idp.vocabulary.assurance import acr_to_tell
from idp.vocabulary.refused import Refused
from idp.vocabulary.scopes import OFFLINE_ACCESS, Scope

NOBODY: Final = "-"
"""A hint that names somebody whom this client does not know as anybody here: no session answers it."""
_LONGEST_CLAIMS: Final = 8192


class Reason(StrEnum):
    """Refusals that get a page of our own, never a redirect; the page names the bad parameter (PROTOCOL 10)."""

    CLIENT_ID = "client_id"
    REDIRECT_URI = "redirect_uri"
    MALFORMED = "request"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser at the endpoint."""

    browser_digest: bytes
    session: SessionFacts | None
    origin: Origin
    now: datetime


@dataclass(frozen=True, slots=True)
class Redirect:
    """Back to the client, at a registered address."""

    uri: str


@dataclass(frozen=True, slots=True)
class Parked:
    """On to the dispatcher."""

    txn: UUID


def begin(parameters: Parameters, *, visitor: Visitor, park: bool = False) -> Redirect | Parked | Refused:
    """A new authorization request. `park` only keeps it (a cross-site POST carries no cookie; ruling 13)."""
    party = _client(parameters.single)
    if isinstance(party, Refused):
        return party
    request = _read(parameters, party, visitor)
    if isinstance(request, RequestError):
        return _refuse_request(request, parameters.single)
    if park:
        return _park(request, visitor)
    if visitor.session is None and not request.silent:
        return _park(request, visitor)
    return _settle(request, party, visitor, txn=None)


def answer(*, txn: UUID, visitor: Visitor) -> Redirect | Parked | Refused:
    """The end of a parked request: the verdict is asked again in the transaction that acts on it (D2)."""
    with reading() as tx:
        transaction = transactions.load(tx, txn=txn, browser_digest=visitor.browser_digest, now=visitor.now)
    if isinstance(transaction, Refused):
        return transaction
    party = relying_parties.find(transaction.client_id or "")
    if party is None or not party.enabled:
        return Refused(Reason.CLIENT_ID)
    return _settle(unparked(transaction.request), party, visitor, txn=txn)


def _client(parameters: Mapping[str, str]) -> RelyingParty | Refused:
    party = relying_parties.find(parameters.get("client_id", ""))
    if party is None or not party.enabled:
        return Refused(Reason.CLIENT_ID)
    if not party.allows_redirect(parameters.get("redirect_uri", "")):
        return Refused(Reason.REDIRECT_URI)
    return party


def _read(parameters: Parameters, party: RelyingParty, visitor: Visitor) -> AuthorizationRequest | RequestError:
    registration = party.registration
    terms = ClientTerms(
        client_id=party.client_id,
        scopes=frozenset(registration.scope.split()),
        grant_types=frozenset(registration.grant_types),
        resources=frozenset(registration.resources),
        default_max_age=registration.default_max_age,
    )
    single = dict(parameters.single)
    if "response_type" in single and not supports_response_type(single):
        single["response_type"] = "unsupported"
    return read_request(
        single,
        terms=terms,
        claims=_claims(single.get("claims")),
        resources=parameters.resources,
        hinted_subject=_hinted(single.get("id_token_hint"), party, visitor),
    )


def _claims(text: str | None) -> Mapping[str, Any] | None:
    if text is None:
        return {}
    try:
        claims = json.loads(text, object_pairs_hook=_once) if len(text) <= _LONGEST_CLAIMS else None
    except (ValueError, RecursionError):
        return None
    return claims if readable_claims(claims) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)


def _hinted(hint: str | None, party: RelyingParty, visitor: Visitor) -> str | None:
    """Whom a hint names; one that we did not issue to this client is no hint at all (PROTOCOL 12)."""
    if hint is None:
        return None
    claims = jose.verify(
        hint,
        purpose=Purpose.ID_TOKEN_HINT,
        keys=house.get(Keyring).verification_keys(),
        issuer=house.get(Settings).issuer,
        audience=party.client_id,
        now=visitor.now,
    )
    if isinstance(claims, Refused):
        return None
    session = visitor.session
    if session is not None and claims["sub"] == sub_of(session.subject_id, party):
        return session.subject_id
    return NOBODY if party.registration.subject_type == "pairwise" else str(claims["sub"])


def sub_of(subject_id: str, party: RelyingParty) -> str:
    """How this client knows the person (MODEL §2)."""
    if party.registration.subject_type == "public":
        return subject_id
    return pairwise_sub(subject_id, sector=party.sector, key=house.get(Keyring).index)


def _park(request: AuthorizationRequest, visitor: Visitor) -> Parked:
    with writing() as tx:
        return Parked(
            transactions.park(
                tx,
                browser_digest=visitor.browser_digest,
                client_id=request.client_id,
                request=parked(request),
                now=visitor.now,
                lifetime=house.get(Settings).transaction_lifetime,
            )
        )


def _settle(
    request: AuthorizationRequest, party: RelyingParty, visitor: Visitor, *, txn: UUID | None
) -> Redirect | Parked | Refused:
    with writing() as tx:
        transaction: TransactionFacts | None = None
        if txn is not None:
            locked = transactions.lock(tx, txn=txn, browser_digest=visitor.browser_digest, now=visitor.now)
            if isinstance(locked, Refused):
                return locked
            transaction = locked
        decision = decide(tx, request, party=party, transaction=transaction, session=visitor.session, now=visitor.now)
        if isinstance(decision.verdict, Show):
            return Parked(txn) if txn is not None else _again(tx, request, visitor)
        if txn is not None:
            transactions.finish(tx, txn=txn, now=visitor.now)
        if isinstance(decision.verdict, Refused):
            return _refused(tx, request, party, visitor, decision.verdict)
        return _issue(tx, request, party, visitor, decision, decision.verdict)


def _again(tx: Session, request: AuthorizationRequest, visitor: Visitor) -> Parked:
    """Between the two looks something changed that needs a page after all."""
    return Parked(
        transactions.park(
            tx,
            browser_digest=visitor.browser_digest,
            client_id=request.client_id,
            request=parked(request),
            now=visitor.now,
            lifetime=house.get(Settings).transaction_lifetime,
        )
    )


def _issue(
    tx: Session,
    request: AuthorizationRequest,
    party: RelyingParty,
    visitor: Visitor,
    decision: Decision,
    verdict: Proceed,
) -> Redirect:
    session = visitor.session
    assert session is not None, "a verdict to proceed rests on a live session"
    choice = verdict.choice
    if choice is not None and decision.terms is not None:
        affiliations.use(tx, choice=choice, subject_id=session.subject_id, terms=decision.terms, now=visitor.now)
    authorized = _authorized(tx, request, party, session, choice, verdict.scopes, now=visitor.now)
    grant_id = grants.make(tx, authorized, now=visitor.now, lifetime=_lifetime(authorized, session, now=visitor.now))
    code = authorization_code.issue(
        tx,
        grant_id=grant_id,
        client_id=party.client_id,
        subject_id=session.subject_id,
        content={
            "redirect_uri": request.redirect_uri,
            "code_challenge": request.code_challenge,
            "nonce": request.nonce,
            "scope": str(verdict.scopes),
            "resource": list(request.resource),
        },
        now=visitor.now,
    )
    audit.append(
        tx,
        Event.GRANT_MADE,
        now=visitor.now,
        actor=session.subject_id,
        origin=visitor.origin,
        subject_id=session.subject_id,
        client_id=party.client_id,
        target_kind=choice.kind.value if choice is not None else None,
        target_id=str(choice.target_id) if choice is not None else None,
        details={"scope": str(verdict.scopes), "grant": str(grant_id)},
    )
    return _back(request, {"code": code})


def _authorized(
    tx: Session,
    request: AuthorizationRequest,
    party: RelyingParty,
    session: SessionFacts,
    choice: Choice | None,
    scopes: Scope,
    *,
    now: datetime,
) -> Authorized:
    sub = sub_of(session.subject_id, party)
    affiliation_id = choice.affiliation_id if choice is not None else None
    provider_id = choice.provider.id if choice is not None and choice.provider is not None else None
    practice_id = choice.practice_id if choice is not None else None
    sid = sessions.join(
        tx,
        session_id=session.id,
        client_id=party.client_id,
        sub=sub,
        now=now,
        affiliation_id=affiliation_id,
        provider_id=provider_id,
        practice_id=practice_id,
    )
    fresh = relying_parties.find_fresh(tx, party.client_id, now=now)
    person = subjects.by_id(tx, subject_id=session.subject_id)
    assert fresh is not None and person is not None, "client and person stand in this transaction"
    return Authorized(
        subject_id=session.subject_id,
        client_id=party.client_id,
        session_id=session.id,
        sid=sid,
        sub=sub,
        affiliation_id=affiliation_id,
        affiliation_epoch=choice.affiliation_epoch if choice is not None else None,
        provider_id=provider_id,
        practice_id=practice_id,
        scopes=frozenset(scopes.names),
        auth_time=session.auth_time,
        acr=acr_to_tell(session.acr, asked=(*request.essential_acr, *request.acr_values)).value,
        amr=tuple(method.value for method in session.amr),
        offline=OFFLINE_ACCESS in scopes,
        subject_epoch=session.subject_epoch,
        client_epoch=fresh.epoch,
        system_epoch=epochs.current(tx),
        claims=request.claims,
        resource=request.resource,
    )


def _lifetime(authorized: Authorized, session: SessionFacts, *, now: datetime) -> timedelta:
    """Offline at most 90 days from the sign-in; bound to the session otherwise (PROTOCOL: numbers)."""
    if authorized.offline:
        return session.auth_time + house.get(Settings).refresh_absolute - now
    return session.expires_at - now


def _refused(
    tx: Session, request: AuthorizationRequest, party: RelyingParty, visitor: Visitor, refused: Refused
) -> Redirect:
    session = visitor.session
    audit.append(
        tx,
        Event.AUTHORIZATION_REFUSED,
        now=visitor.now,
        actor=session.subject_id if session is not None else "anonymous",
        origin=visitor.origin,
        outcome=refused.reason.value,
        subject_id=session.subject_id if session is not None else None,
        client_id=party.client_id,
    )
    return _back(request, {"error": refused.reason.value})


def _refuse_request(error: RequestError, parameters: Mapping[str, str]) -> Redirect:
    request = AuthorizationRequest(
        client_id=None, redirect_uri=parameters["redirect_uri"], state=parameters.get("state")
    )
    return _back(request, {"error": error.reason.value, "error_description": error.description})


def _back(request: AuthorizationRequest, told: Mapping[str, str]) -> Redirect:
    """The client's answer: `state` unchanged, `iss` always (RFC 9207), nothing else (PROTOCOL 9)."""
    state = {} if request.state is None else {"state": request.state}
    query = urlencode({**told, **state, "iss": house.get(Settings).issuer})
    joint = "&" if "?" in request.redirect_uri else "?"
    return Redirect(f"{request.redirect_uri}{joint}{query}")
