"""Access that the roster suspended and lists again: it reads active by itself; who was told of the one is told of the other."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from idp.affiliations.facts import held_of
from idp.affiliations.managers.facts import Pointed, as_target, point_at
from idp.affiliations.models import Affiliation
from idp.affiliations.roster.telling import CutOff
from idp.affiliations.rules import status_at
from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory.changed import What
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.settings import Settings
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind

_MANY: Final = 500
_table: Table = Affiliation.__table__  # type: ignore[assignment]


def note(tx: Session, targets: Mapping[UUID, What], *, actor: str, now: datetime, origin: Origin) -> list[CutOff]:
    """Audit, and name, everybody who was suspended with one of these targets and can act now; the fence is open for all."""
    found: list[CutOff] = []
    every = sorted(targets)
    for start in range(0, len(every), _MANY):
        some = every[start : start + _MANY]
        waiting = tx.scalars(
            select(Affiliation)
            .where(
                Affiliation.target_id.in_(some),
                Affiliation.status == AffiliationStatus.ACTIVE.value,
                Affiliation.roster_told_at.is_not(None),
            )
            .order_by(Affiliation.id)
        ).all()
        for row in _able(tx, waiting, now=now):
            tx.execute(update(_table).where(_table.c.id == row.id).values(roster_told_at=None))
            audit.append(
                tx,
                Event.AFFILIATION_CHANGED,
                now=now,
                actor=actor,
                origin=origin,
                subject_id=row.subject_id,
                target_kind=row.target_kind,
                target_id=str(row.target_id),
                details={"before": "suspended", "after": "active", "roster": targets[row.target_id].value},
            )
            kind = TargetKind(row.target_kind)
            found.append(CutOff(row.id, row.subject_id, row.registry_name, kind, row.target_id))
    return found


def _able(tx: Session, rows: Sequence[Affiliation], *, now: datetime) -> list[Affiliation]:
    """Who reads active now: listed again as before, and neither moved, ended nor unused for too long meanwhile."""
    known: dict[tuple[str, UUID], Pointed | None] = {}
    dormancy, found = house.get(Settings).dormancy, []
    for row in rows:
        key = (row.registry_name, row.target_id)
        if key not in known:
            kind = TargetKind(row.target_kind)
            known[key] = point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)
        target = known[key]
        if target is not None:
            held = held_of(row, as_target(target, row))
            if status_at(held, now=now, dormancy=dormancy) is AffiliationStatus.ACTIVE:
                found.append(row)
    return found
