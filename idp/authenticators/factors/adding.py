"""Adding a factor at the set-up step, in the session that the step was shown to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import budgets, facts, telling
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.factors.rules import MOST_OF_A_KIND, Reason, is_fresh, to_prove
from idp.authenticators.remembered_devices import service as devices
from idp.foundation.database import new_id, writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import service as sessions
from idp.sessions import step_up, transactions
from idp.sessions.rules import Reason as Parking
from idp.sessions.rules import SessionFacts, TransactionFacts
from idp.sessions.service import NewSession
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.assurance import GAINS, Acr, Amr, Factor
from idp.vocabulary.refused import Refused

STEP: Final = "set-up-mfa"
LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class SetUp:
    """Somebody at the set-up step."""

    txn: UUID
    browser_digest: bytes
    session: SessionFacts
    origin: Origin
    now: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """The step as locked: the transaction and the person it was shown to."""

    transaction: TransactionFacts
    subject: SubjectFacts


def open_step(tx: Session, set_up: SetUp, *, kind: Factor) -> Place | Refused:
    """Lock the set-up step for this session; refused where another session was shown it, or another kind is offered."""
    transaction = transactions.open_transaction(
        tx,
        txn=set_up.txn,
        browser_digest=set_up.browser_digest,
        step=STEP,
        now=set_up.now,
        session_id=set_up.session.id,
    )
    if isinstance(transaction, Refused):
        return transaction
    if kind not in transaction.accepts:
        return Refused(Reason.NOT_ACCEPTED)
    if sessions.hold(tx, set_up.session) is None:
        return Refused(Parking.SESSION_GONE)
    row = tx.get(Subject, set_up.session.subject_id, with_for_update=True, populate_existing=True)
    subject = subjects.by_id(tx, subject_id=set_up.session.subject_id)
    if row is None or subject is None or row.epoch != set_up.session.subject_epoch:
        return Refused(Parking.SESSION_GONE)
    held = facts.held(tx, subject_id=subject.id)
    if not is_fresh(set_up.session, held=to_prove(held), now=set_up.now):
        return Refused(Reason.NOT_FRESH)
    if sum(each.kind is kind for each in held) >= MOST_OF_A_KIND:
        return Refused(Reason.HOLDS_ENOUGH)
    return Place(transaction, subject)


def add(
    tx: Session,
    set_up: SetUp,
    place: Place,
    *,
    kind: Factor,
    name: str,
    acr: frozenset[Acr] | None = None,
    amr: Sequence[Amr] | None = None,
    phone: str | None = None,
) -> tuple[UUID, NewSession] | Refused:
    """Keep a factor that was proven just now, tell its owner, and lift their session by it; the caller adds its own row.

    `acr` and `amr` are what it gives beyond the table (an attested key); `phone` is told too.
    """
    gives = GAINS[kind].acr if acr is None else acr
    methods = GAINS[kind].amr if amr is None else tuple(amr)
    lifted = step_up.lift(tx, set_up.session, acr=gives, amr=methods, proven=[kind.value], now=set_up.now)
    if isinstance(lifted, Refused):
        return lifted
    row = HeldFactor(
        id=new_id(),
        subject_id=place.subject.id,
        kind=kind.value,
        name=name[:LONGEST_NAME],
        gives=sorted(value.value for value in gives),
        amr=[method.value for method in methods],
        created_at=set_up.now,
        last_used_at=set_up.now,
    )
    tx.add(row)
    tx.execute(update(Subject).where(Subject.id == place.subject.id).values(factor_owed_at=None))
    tx.flush()  # the kind's own row refers to it
    devices.forget_all(tx, subject_id=place.subject.id, now=set_up.now, origin=set_up.origin)
    audit.append(
        tx,
        Event.FACTOR_ADDED,
        now=set_up.now,
        actor=place.subject.id,
        origin=set_up.origin,
        subject_id=place.subject.id,
        client_id=place.transaction.client_id,
        details={"kind": kind.value, "factor": row.id},
    )
    _tell(tx, set_up, place, row, phone)
    return row.id, lifted


def refuse(tx: Session, set_up: SetUp, *, kind: Factor, reason: Refused, client_id: str | None = None) -> Refused:
    """Audit a code that did not prove what is being set up; what was typed is never noted (AU-07)."""
    audit.append(
        tx,
        Event.FACTOR_ADDED,
        now=set_up.now,
        actor=set_up.session.subject_id,
        origin=set_up.origin,
        outcome=reason.reason.value,
        subject_id=set_up.session.subject_id,
        client_id=client_id,
        details={"kind": kind.value},
    )
    return reason


def reserve(set_up: SetUp, *, kind: Factor) -> Refused | None:
    """Count a typed code, in a transaction of its own, before it is compared (D7)."""
    with writing() as tx:
        refused = budgets.reserve(tx, account=set_up.session.subject_id, txn=set_up.txn, now=set_up.now)
        return None if refused is None else refuse(tx, set_up, kind=kind, reason=refused)


def _tell(tx: Session, set_up: SetUp, place: Place, row: HeldFactor, phone: str | None) -> None:
    client_id = place.transaction.client_id
    telling.tell(
        tx,
        "factor_added",
        subject=place.subject,
        kind=row.kind,
        name=row.name,
        now=set_up.now,
        phone=phone,
        party=relying_parties.find(client_id) if client_id else None,
    )
