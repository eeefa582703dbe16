"""Taking a factor away, or giving it another name; what must hold before is `may_remove`'s to say (MF-11)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, delete, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.codes import phones
from idp.authenticators.factors import facts, telling
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.factors.rules import Held, Reason
from idp.authenticators.remembered_devices import service as devices
from idp.authenticators.upstairs import Upstairs
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.foundation.origin import Origin
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused

_table: Table = HeldFactor.__table__  # type: ignore[assignment]


def remove(
    tx: Session, factor: Held, *, subject: SubjectFacts, now: datetime, origin: Origin, undo: bool = True
) -> None:
    """Take it away with what its kind keeps of it; devices are forgotten, its owner is told (AU-10).

    Recovery codes stand in for a factor: with the last one they go too. `undo`: whether the mail can take it back.
    """
    phone = phones.number_of(tx, factor_id=factor.id)
    tx.execute(delete(_table).where(_table.c.id == factor.id, _table.c.subject_id == subject.id))
    devices.forget_all(tx, subject_id=subject.id, now=now, origin=origin)
    if not facts.held(tx, subject_id=subject.id):
        artefacts.void(tx, now=now, kind=Kind.RECOVERY_CODE, subject_id=subject.id)
    _audit(tx, Event.FACTOR_REMOVED, factor, subject_id=subject.id, now=now, origin=origin)
    telling.tell(
        tx,
        "factor_removed",
        subject=subject,
        kind=factor.kind.value,
        name=factor.name,
        now=now,
        phone=phone,
        undo=undo,
    )


def remove_since(tx: Session, *, subject: SubjectFacts, since: datetime, now: datetime, origin: Origin) -> None:
    """Take away every factor, recovery code and upstream link that was made from `since` on: it may be somebody else's."""
    for factor in facts.held(tx, subject_id=subject.id):
        if factor.created_at >= since:
            remove(tx, factor, subject=subject, now=now, origin=origin, undo=False)
    artefacts.void(tx, now=now, kind=Kind.RECOVERY_CODE, subject_id=subject.id, since=since)
    house.get(Upstairs).unlink_since(tx, subject=subject, since=since, now=now, origin=origin)


def rename(
    tx: Session, *, subject_id: str, factor_id: UUID, name: str, now: datetime, origin: Origin
) -> Refused | None:
    """Give one of the person's own factors another name."""
    factor = facts.one(tx, subject_id=subject_id, factor_id=factor_id)
    if factor is None:
        return Refused(Reason.NOT_HELD)
    tx.execute(update(_table).where(_table.c.id == factor.id).values(name=name))
    _audit(tx, Event.FACTOR_RENAMED, factor, subject_id=subject_id, now=now, origin=origin)
    return None


def _audit(tx: Session, event: Event, factor: Held, *, subject_id: str, now: datetime, origin: Origin) -> None:
    audit.append(
        tx,
        event,
        now=now,
        actor=subject_id,
        origin=origin,
        subject_id=subject_id,
        details={"kind": factor.kind.value, "factor": factor.id},
    )
