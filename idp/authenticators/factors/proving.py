"""Proving a second factor: who is asked, the attempt counted, the session made or lifted (MF-01, SI-12, RA-13)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators import admission
from idp.authenticators.admission import Arrival
from idp.authenticators.alerts import service as alerts
from idp.authenticators.factors import budgets
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.factors.rules import Reason, still_pending
from idp.authenticators.lost_factors import service as lost_factors
from idp.authenticators.remembered_devices import service as devices
from idp.authenticators.upstairs import Upstairs
from idp.foundation import house
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import service as sessions
from idp.sessions import step_up, transactions
from idp.sessions.rules import (
    PASSWORD,
    FirstFactor,
    FirstProof,
    NewDevice,
    SessionFacts,
    TransactionFacts,
)
from idp.sessions.rules import Reason as Parking
from idp.sessions.service import NewSession
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.assurance import GAINS, Acr, Amr, Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

STEP: Final = "second-factor"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at the step, and what the browser holds."""

    txn: UUID
    browser_digest: bytes
    session: SessionFacts | None
    origin: Origin
    now: datetime
    devices: tuple[Secret, ...] = ()
    """What this browser was remembered by."""
    remember: bool = False
    """*Do not challenge me on this device*; it counts only in the transaction that succeeds (MF-24)."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The step as locked: whose factor is asked for, after a password typed here or to lift a live session."""

    transaction: TransactionFacts
    subject: SubjectFacts
    lifts: SessionFacts | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven: its kind, its row where it has one, and what it adds."""

    kind: Factor
    factor_id: UUID | None
    acr: frozenset[Acr]
    amr: tuple[Amr, ...]

    @classmethod
    def of(cls, kind: Factor, factor_id: UUID | None = None) -> "Proof":
        """By the table (MODEL §8)."""
        return cls(kind, factor_id, GAINS[kind].acr, GAINS[kind].amr)


def open_step(tx: Session, attempt: Attempt, *, kind: Factor) -> Opened | Refused:
    """Lock the transaction that awaits a factor of this kind, and the person asked."""
    transaction = transactions.open_transaction(
        tx, txn=attempt.txn, browser_digest=attempt.browser_digest, step=STEP, now=attempt.now
    )
    if isinstance(transaction, Refused):
        return transaction
    if kind not in transaction.accepts:
        return Refused(Reason.NOT_ACCEPTED)
    lifts = None if transaction.pending is not None else attempt.session
    if lifts is not None and (transaction.session_id != lifts.id or sessions.hold(tx, lifts) is None):
        return Refused(Parking.NOT_AWAITED)
    subject_id = transaction.pending.subject_id if transaction.pending else lifts.subject_id if lifts else ""
    row = tx.get(Subject, subject_id, with_for_update=True, populate_existing=True)
    subject = subjects.by_id(tx, subject_id=subject_id) if row is not None else None
    if subject is None or (lifts is None and not still_pending(transaction.pending, subject=subject, now=attempt.now)):
        transactions.forget_first_factor(tx, txn=attempt.txn)
        return Refused(Reason.NOTHING_PENDING)
    return Opened(transaction, subject, lifts)


def reserve(attempt: Attempt, *, kind: Factor) -> Opened | Refused:
    """Count a typed code, in a transaction of its own, before it is compared (D7)."""
    with writing() as tx:
        opened = open_step(tx, attempt, kind=kind)
        if isinstance(opened, Refused):
            return opened
        account = _counted(tx, attempt, opened.subject.id)
        refused = budgets.reserve(tx, account=account, txn=attempt.txn, now=attempt.now)
        if refused is None:
            return opened
        if refused.reason is Reason.TOO_MANY_HERE:
            transactions.forget_first_factor(tx, txn=attempt.txn)
        fail(tx, attempt, opened, kind=kind, reason=refused)
        return refused


def _counted(tx: Session, attempt: Attempt, subject_id: str) -> str:
    """A browser that the person had remembered has counters of its own: strangers' failures lock them out nowhere (SI-09)."""
    device = devices.known(tx, subject_id=subject_id, sent=attempt.devices, now=attempt.now)
    return subject_id if device is None else f"{subject_id}:{device}"


def complete(tx: Session, attempt: Attempt, opened: Opened, *, proof: Proof) -> NewSession | Refused:
    """The factor was right: make the session that the password began, or lift the live one; the new cookie is the answer."""
    account = _counted(tx, attempt, opened.subject.id)
    typed = proof.kind in budgets.TYPED
    budgets.succeeded(tx, account=account, txn=attempt.txn, now=attempt.now, typed=typed)
    if account != opened.subject.id:
        budgets.forgive(tx, account=opened.subject.id, now=attempt.now)
    if proof.factor_id is not None:
        used = update(HeldFactor).where(HeldFactor.id == proof.factor_id)
        tx.execute(used.values(last_used_at=attempt.now))
    if opened.lifts is not None:
        return _lift(tx, attempt, opened, opened.lifts, proof)
    pending = opened.transaction.pending
    row = tx.get(Subject, opened.subject.id)
    assert pending is not None
    assert row is not None
    session = _admit(tx, attempt, opened, pending, subject=row, proof=proof)
    return replace(session, device=_remember(tx, attempt, opened, row))


def _admit(
    tx: Session, attempt: Attempt, opened: Opened, pending: FirstFactor, *, subject: Subject, proof: Proof
) -> NewSession:
    """After the password, or after an upstream sign-in: then the session rests on that one, and says so."""
    first = pending.proof or FirstProof(Amr.PASSWORD.value, frozenset({Acr.AAL1}), (Amr.PASSWORD,), pending.at)
    before = {PASSWORD: first.at} if pending.proof is None else first.proven
    session = admission.admit(
        tx,
        _arrival(attempt, opened),
        subject=subject,
        method=f"{first.method} {proof.kind.value}",
        acr=first.acr | proof.acr,
        amr=tuple(dict.fromkeys((*first.amr, *proof.amr))),
        proven={**before, proof.kind.value: attempt.now},
        auth_time=attempt.now if pending.proof is None else first.at,
    )
    if pending.proof is not None:
        house.get(Upstairs).joined(tx, txn=attempt.txn, session_id=session.session_id)
    return session


def fail(tx: Session, attempt: Attempt, opened: Opened, *, kind: Factor, reason: Refused) -> None:
    """Audit a factor that was not taken, and tell its owner of the third; what was typed is never noted (AU-07)."""
    audit.append(
        tx,
        Event.SIGN_IN_REFUSED,
        now=attempt.now,
        actor=opened.subject.id,
        origin=attempt.origin,
        outcome=reason.reason.value,
        subject_id=opened.subject.id,
        client_id=opened.transaction.client_id,
        details={"method": kind.value},
    )
    if opened.lifts is None:
        client_id = opened.transaction.client_id
        party = relying_parties.find(client_id) if client_id else None
        alerts.factor_failed(tx, subject_id=opened.subject.id, party=party, now=attempt.now, origin=attempt.origin)


def _remember(tx: Session, attempt: Attempt, opened: Opened, subject: Subject) -> NewDevice | None:
    """Only here, after the factor, and only where the dispatcher would let the device serve (MF-24)."""
    allowed = house.get(Upstairs).remembered_for
    if not attempt.remember or not allowed(tx, transaction=opened.transaction, subject_id=subject.id, now=attempt.now):
        return None
    return devices.remember(tx, subject=subject, sent=attempt.devices, now=attempt.now, origin=attempt.origin)


def _lift(tx: Session, attempt: Attempt, opened: Opened, session: SessionFacts, proof: Proof) -> NewSession | Refused:
    lifted = step_up.lift(tx, session, acr=proof.acr, amr=proof.amr, proven=[proof.kind.value], now=attempt.now)
    if isinstance(lifted, NewSession):
        lost_factors.end_by_owner(tx, subject_id=session.subject_id, now=attempt.now, origin=attempt.origin)
        audit.append(
            tx,
            Event.SESSION_LIFTED,
            now=attempt.now,
            actor=session.subject_id,
            origin=attempt.origin,
            subject_id=session.subject_id,
            client_id=opened.transaction.client_id,
            details={"method": proof.kind.value},
        )
    return lifted


def _arrival(attempt: Attempt, opened: Opened) -> Arrival:
    return Arrival(
        txn=attempt.txn,
        client_id=opened.transaction.client_id,
        browser_digest=attempt.browser_digest,
        session=attempt.session,
        origin=attempt.origin,
        now=attempt.now,
    )
