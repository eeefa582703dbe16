"""Reads the facts and asks the rule; the verdict is asked again in the transaction that acts on it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.clerks import service as clerks
from idp.affiliations.narrowing import within
from idp.affiliations.references import sub_at
from idp.affiliations.rules import Choice, PortalTerms
from idp.authenticators.factors.rules import still_pending
from idp.authenticators.password import service as passwords
from idp.consent import service as consents
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import participants, transactions
from idp.sessions.rules import PASSWORD, Known, Participation, SessionFacts, TransactionFacts, Upstream
from idp.sign_in.assurance import facts as assurance
from idp.sign_in.assurance.rules import device_may_serve
from idp.sign_in.requests import unparked
from idp.sign_in.rules import (
    AgreementDue,
    AuthorizationRequest,
    Facts,
    Show,
    Verdict,
    choice_taken,
    next_step,
)
from idp.subjects import service as subjects
from idp.vocabulary import scopes

ACTING_SCOPES = frozenset({scopes.PROVIDER_ID, scopes.TIN, scopes.TRADING_PARTNER, scopes.ENTITLEMENTS})


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and what it rests on."""

    verdict: Verdict
    facts: Facts
    terms: PortalTerms | None


def decide(
    tx: Session,
    request: AuthorizationRequest,
    *,
    party: RelyingParty | None,
    transaction: TransactionFacts | None,
    session: SessionFacts | None,
    now: datetime,
    known: Known | None = None,
) -> Decision:
    """What comes next for this browser and request, from facts read now; `known` is what this transaction has read."""
    if transaction is not None and transaction.upstream is Upstream.LINKING:
        request = replace(request, fresh=True)  # whoever links an identity has just proven who they are (FE-12)
    username_first = party is not None and party.manifest.sign_in.username_first
    transaction = _with_live_pending(tx, transaction, now=now)
    if transaction is not None and transaction.pending is not None:
        asked, equipment = assurance.of_subject(tx, party=party, subject_id=transaction.pending.subject_id, now=now)
        facts = Facts(transaction=transaction, session=None, terms=asked, equipment=equipment)
        return Decision(next_step(request, facts, now=now), facts, None)
    if session is None:
        facts = Facts(transaction=transaction, session=None, username_first=username_first)
        return Decision(next_step(request, facts, now=now), facts, None)
    transaction = transaction.settled_by(session.id) if transaction is not None else None
    asked, equipment = assurance.of_session(tx, request.wish, party=party, session=session, now=now)
    terms = affiliations.terms_of(party) if party is not None and wants_acting(request, party) else None
    remembered = _remembered(tx, session, party) if known is None or known.joined else None
    choices = _choices(tx, request, party, session, terms, transaction, remembered, now=now)
    facts = Facts(
        transaction=transaction,
        session=session,
        username_first=username_first,
        terms=asked,
        equipment=equipment,
        password_must_change=(
            _must_change(tx, party, transaction, session) if known is None else known.password_must_change
        ),
        agreements_due=_agreements_due(tx, session.subject_id, party, known),
        acts=terms is not None,
        offered=_is_offered(tx, request, party, session, now=now),
        choices=choices,
        narrowed=bool(request.provider_ids or request.tins),
        remembered=remembered,
        first_party=party is None or party.registration.first_party,
        known_as=None if party is None else sub_at(party, subject_id=session.subject_id),
    )
    facts = _with_consent(tx, request, facts, party, session)
    return Decision(next_step(request, facts, now=now), facts, terms)


def _is_offered(
    tx: Session, request: AuthorizationRequest, party: RelyingParty | None, session: SessionFacts, *, now: datetime
) -> bool:
    if party is None or party.portal is None or request.silent:
        return False
    return clerks.offered(tx, subject_id=session.subject_id, portal=party.client_id, now=now) is not None


def show(tx: Session, shown: Show, *, txn: UUID, session: SessionFacts | None, now: datetime) -> None:
    """Await the step that the browser is sent to; a consent is bound to the choice it is asked for (AZ-33)."""
    session_id = session.id if session is not None else None
    transactions.await_step(tx, txn=txn, step=shown.step, session_id=session_id, accepts=shown.accepts)
    bind(tx, shown, txn=txn, now=now)


def bind(tx: Session, shown: Show, *, txn: UUID, now: datetime) -> None:
    """Keep the choice that a consent is asked for."""
    if shown.choice is not None:
        transactions.remember_choice(
            tx,
            txn=txn,
            affiliation_id=shown.choice.affiliation_id,
            provider_id=shown.choice.provider.id if shown.choice.provider is not None else None,
            practice_id=shown.choice.practice_id,
            now=now,
        )


def is_shown(shown: Show, *, transaction: TransactionFacts, session: SessionFacts | None) -> bool:
    """Whether the transaction awaits just this already, so that nothing has to be written."""
    here = session is None or transaction.session_id == session.id
    bound = shown.choice is None or (
        transaction.chosen_at is not None
        and transaction.affiliation_id is not None
        and shown.choice.same_target(affiliation_id=transaction.affiliation_id, provider_id=transaction.provider_id)
    )
    return transaction.awaiting == shown.step and transaction.accepts == shown.accepts and here and bound


def wants_acting(request: AuthorizationRequest, party: RelyingParty) -> bool:
    """A portal is always told for whom a person acts; a partner app when it asks a scope that says so."""
    return party.portal is not None or bool(ACTING_SCOPES & set(request.scope.names)) or request.scope.narrows


def remembered_for(tx: Session, *, transaction: TransactionFacts, subject_id: str, now: datetime) -> timedelta:
    """How long ago this browser may have been remembered to spare `subject_id` the factor here; zero: it may not."""
    request = unparked(transaction.request)
    party = relying_parties.find(transaction.client_id) if transaction.client_id else None
    terms, _equipment = assurance.of_subject(tx, party=party, subject_id=subject_id, now=now)
    again = "login" in request.prompt or request.max_age is not None
    return device_may_serve(request.wish, terms, again=again)


def _with_live_pending(tx: Session, transaction: TransactionFacts | None, *, now: datetime) -> TransactionFacts | None:
    """The transaction, less a right password that has waited too long or was overtaken by a reset."""
    if transaction is None or transaction.pending is None:
        return transaction
    subject = subjects.by_id(tx, subject_id=transaction.pending.subject_id)
    return (
        transaction
        if still_pending(transaction.pending, subject=subject, now=now)
        else replace(transaction, pending=None)
    )


def _typed_here(transaction: TransactionFacts | None, session: SessionFacts) -> bool:
    """Whether the password was typed in this very transaction; who came by a passkey alone typed none (MODEL §4)."""
    here = transaction is not None and transaction.authenticated_at is not None
    return here and PASSWORD in session.proven


def _must_change(
    tx: Session, party: RelyingParty | None, transaction: TransactionFacts | None, session: SessionFacts
) -> bool:
    return passwords.must_change(
        tx,
        subject_id=session.subject_id,
        client_id=party.client_id if party is not None else None,
        typed=_typed_here(transaction, session),
    )


def _remembered(tx: Session, session: SessionFacts, party: RelyingParty | None) -> Participation | None:
    return None if party is None else participants.participation(tx, session_id=session.id, client_id=party.client_id)


def _choices(
    tx: Session,
    request: AuthorizationRequest,
    party: RelyingParty | None,
    session: SessionFacts,
    terms: PortalTerms | None,
    transaction: TransactionFacts | None,
    remembered: Participation | None,
    *,
    now: datetime,
) -> tuple[Choice, ...]:
    """All valid choices, or only the one already taken where that still stands: the short way of a live session."""
    if terms is None or party is None:
        return ()
    taken = _taken(request, transaction, remembered)
    if taken is not None:
        choice = affiliations.choice_at(
            tx, subject_id=session.subject_id, terms=terms, affiliation_id=taken[0], provider_id=taken[1], now=now
        )
        if choice is not None:
            return within(
                tx, [choice], provider_ids=request.provider_ids, tins=request.tins, sector=party.sector, now=now
            )
    every = affiliations.choices_at(tx, subject_id=session.subject_id, terms=terms, now=now)
    return within(tx, every, provider_ids=request.provider_ids, tins=request.tins, sector=party.sector, now=now)


def _taken(
    request: AuthorizationRequest, transaction: TransactionFacts | None, remembered: Participation | None
) -> tuple[UUID, UUID | None] | None:
    if transaction is not None and transaction.chosen_at is not None and transaction.affiliation_id is not None:
        return transaction.affiliation_id, transaction.provider_id
    narrows = request.provider_ids or request.tins or "select_account" in request.prompt
    if remembered is not None and remembered.affiliation_id is not None and not narrows:
        return remembered.affiliation_id, remembered.provider_id
    return None


def _agreements_due(
    tx: Session, subject_id: str, party: RelyingParty | None, known: Known | None
) -> tuple[AgreementDue, ...]:
    wanted = consents.agreements_of(party) if party is not None else ()
    if party is None or not wanted:
        return ()
    accepted: frozenset[tuple[str, str]] | None = known.accepted if known is not None else None
    if accepted is None:
        accepted = consents.accepted_by(tx, subject_id=subject_id, client_id=party.client_id)
    return tuple(AgreementDue(*text) for text in wanted if text not in accepted)


def _with_consent(
    tx: Session, request: AuthorizationRequest, facts: Facts, party: RelyingParty | None, session: SessionFacts
) -> Facts:
    if facts.first_party or party is None:
        return facts
    choice = choice_taken(request, facts)
    given = consents.remembered(
        tx,
        subject_id=session.subject_id,
        client_id=party.client_id,
        affiliation_id=choice.affiliation_id if choice is not None else None,
    )
    return replace(facts, consented=given)
