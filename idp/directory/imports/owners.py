"""Whether a TIN is still its owner's: a number that passes on makes another practice, and takes nobody along (MODEL §10)."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import facts, rules
from idp.directory.changed import DirectoryChange, What
from idp.directory.imports.ownership.rules import Holder, Leaver, has_passed_on
from idp.directory.imports.run import Run
from idp.directory.service import practice_context, seal_tin, tin_of
from idp.foundation.database import new_id


def look_after(tx: Session, touched: Collection[UUID], left: Mapping[UUID, list[Leaver]], run: Run) -> set[UUID]:
    """Part what is another owner's now, and tell which practices have run empty; returns the practices made.

    `touched` are practices that a record came to, or that a record of ended; `left` those that records moved away from.
    """
    table = facts.practice
    old = (table.c.id.in_([*touched, *left]), table.c.retired_at.is_(None), table.c.created_at < run.now)
    before = {each.id: each for each in facts.practices(tx, *old)}
    holders = _holders(tx, list(before), run)
    made: set[UUID] = set()
    for identity, practice in before.items():
        held, gone = holders.get(identity, []), left.get(identity, [])
        if not held and gone:
            _tell(tx, run, What.PRACTICE_MERGED, identity, gone[-1].went_to)
        elif has_passed_on(held, gone, named=rules.name_key(practice.name), on=run.today):
            made.add(_part(tx, practice, [each for each in held if each.counts(run.today)], run))
    return made


def _holders(tx: Session, ids: list[UUID], run: Run) -> dict[UUID, list[Holder]]:
    table = facts.provider
    query = select(
        table.c.practice_id, table.c.id, table.c.npi, table.c.name_key, table.c.status, table.c.effective_date,
        table.c.end_date,
    ).where(table.c.practice_id.in_(ids))  # fmt: skip
    found: dict[UUID, list[Holder]] = {}
    for row in tx.execute(query):
        holder = Holder(
            row.id, row.npi, row.name_key, row.status, row.effective_date, row.end_date,
            joined=row.id in run.joined, ended_now=row.id in run.ended,
        )  # fmt: skip
        found.setdefault(row.practice_id, []).append(holder)
    return found


def _part(tx: Session, practice: rules.PracticeFacts, newcomers: list[Holder], run: Run) -> UUID:
    """The number goes to a new practice with those who hold it now; the old one keeps its records and its people."""
    identity = new_id()
    table, tin = facts.practice, tin_of(practice)
    index = tx.execute(select(table.c.tin_index).where(table.c.id == practice.id)).scalar_one()
    tx.execute(update(table).where(table.c.id == practice.id).values(retired_at=run.now))
    values: dict[str, Any] = {
        "id": identity,
        "tin_sealed": seal_tin(tin, keys=run.vault, context=practice_context(identity)),
        "tin_index": bytes(index),
        "tin_type": practice.tin_type.value,
        "tin_last4": practice.tin_last4,
        "name": practice.name,
        "created_at": run.now,
    }
    tx.execute(insert(table).values(**values))
    ids = [each.id for each in newcomers]
    tx.execute(update(facts.provider).where(facts.provider.c.id.in_(ids)).values(practice_id=identity))
    run.report.notes["practices_made"] += 1
    _tell(tx, run, What.PRACTICE_RETIRED, practice.id, identity)
    return identity


def _tell(tx: Session, run: Run, what: What, practice_id: UUID, successor: UUID) -> None:
    run.report.notes[what.value] += 1
    run.changes.append(DirectoryChange(what, run.registry, practice_id, successor_id=successor))
    audit.append(
        tx,
        Event.PRACTICE_CHANGED,
        now=run.now,
        actor=run.actor,
        origin=run.origin,
        outcome=what.value,
        target_kind="practice",
        target_id=practice_id,
        details={"registry": run.registry, "successor": str(successor)},
    )
