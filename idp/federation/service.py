"""Somebody comes back from an upstream provider: who that is here, and what happens then; the same for both protocols."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators import admission
from idp.authenticators.admission import Arrival
from idp.authenticators.factors import facts as factors
from idp.federation import arrivals, asserting, rules
from idp.federation.connections import facts as connections
from idp.federation.connections.manifest import Connection
from idp.federation.models import UpstreamLink
from idp.federation.requests import Asked, Purpose
from idp.federation.rules import Reason, UpstreamIdentity
from idp.foundation.origin import Origin
from idp.sessions import transactions
from idp.sessions.rules import FirstProof, SessionFacts, TransactionFacts, Upstream, upstream_factor
from idp.sessions.service import NewSession
from idp.subjects.models import Subject
from idp.subjects.rules import Status
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


@dataclass(frozen=True, slots=True)
class By:
    """Whose browser it is, from where, when."""

    browser_digest: bytes
    session: SessionFacts | None
    origin: Origin
    now: datetime


@dataclass(frozen=True, slots=True)
class FactorDue:
    """Linked, and a local factor must follow; the dispatcher shows which."""

    txn: UUID


@dataclass(frozen=True, slots=True)
class FirstTime:
    """No link names anybody: the dispatcher asks whether there is an account already, or to confirm the link."""

    txn: UUID


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Linked to an active person, who is in."""

    txn: UUID
    session: NewSession


Outcome = SignedIn | FactorDue | FirstTime | Refused


def arrived(tx: Session, *, identity: UpstreamIdentity, asked: Asked, by: By, hint: Secret | None = None) -> Outcome:
    """Take a verified answer to `asked`, which the caller has used up in this very transaction.

    `hint` is what upstream's sign-out wants to be shown later (an ID token, a NameID).
    """
    named = _link(tx, identity) if asked.purpose is Purpose.SIGN_IN else None
    asserting.hold(tx, identity, subject_id=named.subject_id if named is not None else None)
    applied = connections.find(tx, identity.connection)
    transaction = _transaction(tx, asked, by)
    if isinstance(transaction, Refused):
        return _refused(tx, transaction, identity, by, None)
    if applied is None or not applied.enabled or applied.connection.issuer != identity.issuer:
        return _refused(tx, Refused(Reason.SWITCHED_OFF), identity, by, transaction)
    link = _link(tx, identity, lock=True)
    if asked.purpose is Purpose.LINK:
        return _to_be_linked(tx, link, identity, asked, transaction, by, hint)
    row = tx.get(Subject, link.subject_id, with_for_update=True) if link is not None else None
    if row is None or link is None:
        arrivals.keep(tx, txn=transaction.id, identity=identity, hint=hint, now=by.now)
        transactions.remember_upstream(tx, txn=transaction.id, state=Upstream.ARRIVED)
        audit_arrival(tx, Event.UPSTREAM_ARRIVED, identity, by, client_id=transaction.client_id)
        return FirstTime(transaction.id)
    if row.status != Status.ACTIVE:
        return _refused(tx, Refused(Reason.DISABLED), identity, by, transaction, subject_id=row.id)
    asserting.settle(tx, applied.connection, identity, subject_id=row.id, now=by.now, origin=by.origin)
    arrivals.keep(tx, txn=transaction.id, identity=identity, hint=hint, now=by.now)
    tx.execute(update(UpstreamLink).where(UpstreamLink.id == link.id).values(last_used_at=by.now))
    transactions.remember_upstream(tx, txn=transaction.id, state=None)
    return _let_in(tx, row, identity, applied.connection, transaction, by)


def _transaction(tx: Session, asked: Asked, by: By) -> TransactionFacts | Refused:
    """The sign-in that it serves, locked; a link's answer counts for whoever asked for it alone (FE-12)."""
    if asked.txn is None:
        return Refused(Reason.STATE)
    found = transactions.lock(tx, txn=asked.txn, browser_digest=by.browser_digest, now=by.now)
    if isinstance(found, Refused):
        return found
    if asked.purpose is Purpose.LINK and (by.session is None or by.session.subject_id != asked.by):
        return Refused(Reason.STATE)
    return found


def _link(tx: Session, identity: UpstreamIdentity, *, lock: bool = False) -> UpstreamLink | None:
    wanted = select(UpstreamLink).where(
        UpstreamLink.connection == identity.connection,
        UpstreamLink.issuer == identity.issuer,
        UpstreamLink.subject == identity.subject,
    )
    return tx.execute(wanted.with_for_update() if lock else wanted).scalar_one_or_none()


def _to_be_linked(
    tx: Session,
    link: UpstreamLink | None,
    identity: UpstreamIdentity,
    asked: Asked,
    transaction: TransactionFacts,
    by: By,
    hint: Secret | None,
) -> Outcome:
    if link is not None:
        reason = Reason.ALREADY_LINKED if link.subject_id == asked.by else Reason.LINKED_ELSEWHERE
        return _refused(tx, Refused(reason), identity, by, transaction, subject_id=asked.by)
    arrivals.keep(tx, txn=transaction.id, identity=identity, hint=hint, now=by.now)
    transactions.remember_upstream(tx, txn=transaction.id, state=Upstream.LINKING)
    return FirstTime(transaction.id)


def _let_in(
    tx: Session,
    row: Subject,
    identity: UpstreamIdentity,
    connection: Connection,
    transaction: TransactionFacts,
    by: By,
) -> Outcome:
    """Linked and active: in, or on to the local factor that this person holds."""
    spared = rules.spares_factor(connection, identity)
    proof = proof_of(identity, now=by.now)
    if factors.held(tx, subject_id=row.id) and not spared:
        transactions.remember_first_factor(
            tx, txn=transaction.id, subject_id=row.id, epoch=row.epoch, now=by.now, proof=proof
        )
        audit_arrival(tx, Event.UPSTREAM_PROVEN, identity, by, client_id=transaction.client_id, subject_id=row.id)
        return FactorDue(transaction.id)
    return SignedIn(
        transaction.id, enter(tx, row, proof, transaction, by, spared_by=identity.connection if spared else None)
    )


def proof_of(identity: UpstreamIdentity, *, now: datetime) -> FirstProof:
    """What its sign-in there is worth here."""
    at = identity.authenticated_at
    method = f"upstream:{identity.connection}"
    return FirstProof(method, rules.classes_of(identity), identity.amr, at or now, told=at is not None)


def enter(
    tx: Session, row: Subject, proof: FirstProof, transaction: TransactionFacts, by: By, *, spared_by: str | None = None
) -> NewSession:
    """Make the session that rests on what arrived in this transaction; `spared_by`: this connection spares our factor."""
    session = admission.admit(
        tx,
        Arrival(transaction.id, transaction.client_id, by.browser_digest, by.session, by.origin, by.now),
        subject=row,
        method=proof.method,
        acr=proof.acr,
        amr=proof.amr,
        proven={**proof.proven, **({upstream_factor(spared_by): proof.at} if spared_by is not None else {})},
        auth_time=proof.at,
    )
    arrivals.joined(tx, txn=transaction.id, session_id=session.session_id)
    return session


def _refused(
    tx: Session,
    refused: Refused,
    identity: UpstreamIdentity,
    by: By,
    transaction: TransactionFacts | None,
    *,
    subject_id: str | None = None,
) -> Refused:
    audit_arrival(
        tx,
        Event.UPSTREAM_REFUSED,
        identity,
        by,
        outcome=refused.reason.value,
        client_id=transaction.client_id if transaction is not None else None,
        subject_id=subject_id,
    )
    return refused


def audit_failure(tx: Session, connection: str, asked: Asked, refused: Refused, *, wrong: str, by: By) -> None:
    """An upstream answer that proved nothing: what was wrong with it, never what it said."""
    actor = by.session.subject_id if by.session is not None and asked.purpose is not Purpose.SIGN_IN else "anonymous"
    audit.append(
        tx,
        Event.UPSTREAM_REFUSED,
        now=by.now,
        actor=actor,
        origin=by.origin,
        outcome=refused.reason.value,
        details={"connection": connection, "issuer": asked.issuer, "purpose": asked.purpose.value, "wrong": wrong},
    )


def audit_arrival(
    tx: Session,
    event: Event,
    identity: UpstreamIdentity,
    by: By,
    *,
    outcome: str = "ok",
    client_id: str | None = None,
    subject_id: str | None = None,
) -> None:
    """What became of an upstream answer; the identity by its key, nothing else that it said."""
    audit.append(
        tx,
        event,
        now=by.now,
        actor=subject_id or "anonymous",
        origin=by.origin,
        outcome=outcome,
        subject_id=subject_id,
        client_id=client_id,
        details={"connection": identity.connection, "issuer": identity.issuer, "upstream": identity.subject},
    )
