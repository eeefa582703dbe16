"""A verdict to proceed becomes a grant and its code, in the transaction that asked for the verdict (D2)."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.references import sub_at
from idp.affiliations.rules import Choice
from idp.audit import service as audit
from idp.audit.events import Event
from idp.consent import grants
from idp.consent.rules import Authorized
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.oidc.grants import authorization_code
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import participants
from idp.sessions.rules import Participation, SessionFacts
from idp.settings import Settings
from idp.sign_in.rules import AuthorizationRequest, Proceed
from idp.sign_in.service import Decision
from idp.vocabulary.assurance import acr_to_tell
from idp.vocabulary.scopes import OFFLINE_ACCESS, Scope


def code(
    tx: Session,
    request: AuthorizationRequest,
    *,
    party: RelyingParty,
    session: SessionFacts,
    decision: Decision,
    origin: Origin,
    now: datetime,
) -> str:
    """The code for what the dispatcher settled; `session` is held by this transaction."""
    verdict = decision.verdict
    assert isinstance(verdict, Proceed), "a code is issued only on a verdict to proceed"
    choice = verdict.choice
    if choice is not None and decision.terms is not None:
        affiliations.use(
            tx,
            choice=choice,
            subject_id=session.subject_id,
            visited=party.client_id,
            terms=decision.terms,
            now=now,
        )
    joined = decision.facts.remembered
    authorized = _authorized(tx, request, party, session, choice, verdict.scopes, before=joined, now=now)
    grant_id = grants.make(
        tx, authorized, now=now, lifetime=_lifetime(authorized, session, now=now), first=joined is None
    )
    issued = authorization_code.issue(
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
            "sign_in": authorized.sign_in(),
        },
        now=now,
    )
    _note(tx, authorized, choice, scope=str(verdict.scopes), grant_id=grant_id, origin=origin, now=now)
    return issued


def _note(
    tx: Session, made: Authorized, choice: Choice | None, *, scope: str, grant_id: UUID, origin: Origin, now: datetime
) -> None:
    audit.append(
        tx,
        Event.GRANT_MADE,
        now=now,
        actor=made.subject_id,
        origin=origin,
        subject_id=made.subject_id,
        client_id=made.client_id,
        target_kind=choice.kind.value if choice is not None else None,
        target_id=str(choice.target_id) if choice is not None else None,
        details={"scope": scope, "grant": str(grant_id)},
    )


def _authorized(
    tx: Session,
    request: AuthorizationRequest,
    party: RelyingParty,
    session: SessionFacts,
    choice: Choice | None,
    scopes: Scope,
    *,
    before: Participation | None,
    now: datetime,
) -> Authorized:
    sub = sub_at(party, subject_id=session.subject_id)
    affiliation_id = choice.affiliation_id if choice is not None else None
    provider_id = choice.provider.id if choice is not None and choice.provider is not None else None
    practice_id = choice.practice_id if choice is not None else None
    sid = participants.join(
        tx,
        session_id=session.id,
        client_id=party.client_id,
        sub=sub,
        now=now,
        affiliation_id=affiliation_id,
        provider_id=provider_id,
        practice_id=practice_id,
        before=before,
    )
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
        client_epoch=None if before is None else _epoch_of(tx, party, now=now),
        system_epoch=session.system_epoch,
        claims=request.claims,
        resource=request.resource,
    )


def _epoch_of(tx: Session, party: RelyingParty, *, now: datetime) -> int:
    """Needed to tell whether a standing grant still serves; the session's first grant reads it where it is written."""
    fresh = relying_parties.find_fresh(tx, party.client_id, now=now)
    assert fresh is not None, "clients are never deleted"
    return fresh.epoch


def _lifetime(authorized: Authorized, session: SessionFacts, *, now: datetime) -> timedelta:
    """Offline at most 90 days from the sign-in; bound to the session otherwise (PROTOCOL: numbers)."""
    if authorized.offline:
        return session.auth_time + house.get(Settings).refresh_absolute - now
    return session.expires_at - now
