"""Telling, on the day, what a record's dates announced: reading says so already, the rooms above hear of it here."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from idp.directory import facts
from idp.directory.changed import DirectoryChange, What
from idp.directory.imports import owners, practices, turns
from idp.directory.imports.days.rules import DAYS, Days, overdue
from idp.directory.imports.owners import Parted
from idp.directory.imports.ownership.sweeping import as_the_worker
from idp.directory.imports.run import Run
from idp.directory.imports.telling import record_changed
from idp.directory.upstairs import Upstairs
from idp.foundation import house

_table: Final = facts.provider
_NOTED: Final = (
    update(_table).where(_table.c.id == bindparam("row_id")).values({"turns_on": bindparam("next_turn")})
)  # fmt: skip


def tell_due(tx: Session, *, now: datetime, batch: int) -> int:
    """Tell of a batch of records that begin or cease to be in force, or have since the last sweep; says how many were judged.

    As an import does: word to the rooms above and an audit event in this transaction, and a number that passes on with it.
    """
    rows = _due(tx, now.date(), limit=batch)
    if rows:
        run, on = as_the_worker(now), now.date()
        tx.execute(_NOTED, [{"row_id": row.id, "next_turn": _days(row).next_turn(on)} for row in rows])
        touched, parted = set(), []
        for row in rows:
            if told := overdue(_days(row), on):
                _tell(tx, run, row, told)
                touched.add(row.practice_id)
                if not _days(row).holds(on):
                    parted.append(Parted(row.practice_id, row.id, row.registry, row.npi, row.name_key))
        practices.settle(tx, owners.look_after(tx, touched, parted, run))
        house.get(Upstairs).tell(tx, tuple(run.changes), actor=run.actor, now=now, origin=run.origin)
    return len(rows)


def _due(tx: Session, today: date, *, limit: int) -> Sequence[Any]:
    """Read again in our turn: another worker, or a file, may have told them."""
    names = ("id", "registry", "provider_id", "npi", "practice_id", "name_key", *DAYS)
    due = select(*(_table.c[name] for name in names)).where(_table.c.turns_on <= today)
    due = due.order_by(_table.c.turns_on, _table.c.id)
    if tx.execute(due.limit(1)).one_or_none() is None:
        return ()
    turns.take(tx)
    return tx.execute(due.limit(limit)).all()


def _days(row: Any) -> Days:
    return Days.of(row._mapping)


def _tell(tx: Session, run: Run, row: Any, told: Sequence[What]) -> None:
    run.changes.extend(DirectoryChange(what, row.registry, row.practice_id, row.id) for what in told)
    parts = [what.value for what in told]
    record_changed(tx, run, row.id, registry=row.registry, number=row.provider_id, changed=parts, status=row.status)
