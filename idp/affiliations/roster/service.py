"""Hears of the directory's changes: tokens of who can no longer act die at once, their portals are called, they are told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, or_, select, update
from sqlalchemy.orm import Session

from idp.affiliations.models import Affiliation
from idp.affiliations.roster import returning, rules
from idp.affiliations.roster.telling import RESTORED, CutOff, tell
from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import service as directory
from idp.directory.changed import DirectoryChange
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.sessions import fan_out
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind

_MANY: Final = 500
_table: Table = Affiliation.__table__  # type: ignore[assignment]


def hear(tx: Session, changes: Sequence[DirectoryChange], *, actor: str, now: datetime, origin: Origin) -> None:
    """Raise the epoch of every active affiliation that reads `suspended` from now on, audit why, and tell (D4, MODEL §10).

    What the roster restores reads `active` again by itself; new tokens are then a new grant's, and who was told is told.
    """
    reasons = {target: what.value for target, what in rules.suspended(changes).items()}
    for (practice, registry), what in rules.to_look_at(changes).items():
        if not directory.practice_in_force(tx, practice_id=practice, registry=registry, now=now):
            reasons.setdefault((practice, registry), what.value)
    conditions = [_is_target(target, registry) for target, registry in reasons]
    returning_to = rules.may_return(changes)
    if not conditions and not returning_to:
        return
    see_as(tx, everything=True)
    people: list[CutOff] = []
    for start in range(0, len(conditions), _MANY):
        people += _suspend(tx, conditions[start : start + _MANY], reasons, actor=actor, now=now, origin=origin)
    tell(tx, people, rules.practices_of(changes), now=now)
    back = returning.note(tx, returning_to, actor=actor, now=now, origin=origin)
    tell(tx, back, rules.practices_of(changes), now=now, notices=RESTORED)


def _is_target(target: UUID, registry: str | None) -> ColumnElement[bool]:
    return and_(_table.c.target_id == target, *(() if registry is None else (_table.c.registry == registry,)))


def _suspend(
    tx: Session,
    conditions: Sequence[ColumnElement[bool]],
    reasons: Mapping[tuple[UUID, str | None], str],
    *,
    actor: str,
    now: datetime,
    origin: Origin,
) -> list[CutOff]:
    active = _table.c.status == AffiliationStatus.ACTIVE.value
    columns = (_table.c.id, _table.c.subject_id, _table.c.registry, _table.c.target_kind, _table.c.target_id)
    rows = tx.execute(select(*columns).where(active, or_(*conditions)).order_by(_table.c.id)).all()
    for row in rows:
        raised = {"epoch": _table.c.epoch + 1, "version": _table.c.version + 1, "roster_told_at": now}
        tx.execute(update(_table).where(_table.c.id == row.id).values(raised))
        fan_out.owe_for_affiliation(tx, affiliation_id=row.id, now=now)
        audit.append(
            tx,
            Event.AFFILIATION_CHANGED,
            now=now,
            actor=actor,
            origin=origin,
            subject_id=row.subject_id,
            target_kind=row.target_kind,
            target_id=str(row.target_id),
            details={"before": "active", "after": "suspended", "roster": _reason(reasons, row)},
        )
    return [CutOff(row.id, row.subject_id, row.registry, TargetKind(row.target_kind), row.target_id) for row in rows]


def _reason(reasons: Mapping[tuple[UUID, str | None], str], row: Any) -> str:
    return reasons.get((row.target_id, None)) or reasons[row.target_id, row.registry]
