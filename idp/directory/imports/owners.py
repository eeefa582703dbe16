"""Whether a TIN is still its owner's: a number that passes on makes another practice, and takes nobody along (MODEL §10)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import facts, rules
from idp.directory.changed import DirectoryChange, What
from idp.directory.imports.ownership.rules import Former, Holder, Owned
from idp.directory.imports.run import Run
from idp.directory.models import FormerHolder
from idp.directory.service import practice_context, seal_tin, tin_of
from idp.foundation.database import new_id

_former: Final[Table] = FormerHolder.__table__  # type: ignore[assignment]
_MANY: Final = 500


@dataclass(frozen=True, slots=True)
class Parted:
    """A record that is in force in this practice no more: it ended, or moved to another."""

    practice_id: UUID
    provider_id: UUID
    registry: str
    npi: str
    name_key: str
    went_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """A practice as stored, with what the rule reads of it."""

    facts: rules.PracticeFacts
    tin_index: bytes
    owned: Owned


def look_after(tx: Session, touched: Iterable[UUID], parted: Collection[Parted], run: Run) -> set[UUID]:
    """Keep who is gone, part what is another owner's now, and tell which practices have run empty.

    `touched` are practices of which any record came, went or changed. Returns the practices made. From a day to come on
    it is only noted: reading goes by it, and the sweep comes here again.
    """
    _remember(tx, parted, run.now)
    emptied: dict[UUID, set[str]] = {}
    for each in parted:
        emptied.setdefault(each.practice_id, set()).add(each.registry)
    every, made = sorted({*touched, *(each.practice_id for each in parted)}), set()
    for start in range(0, len(every), _MANY):
        for identity, place in _places(tx, every[start : start + _MANY]).items():
            for registry in sorted(emptied.get(identity, ())):
                if successor := place.owned.merged_into(registry, run.now):
                    _tell(tx, run, What.PRACTICE_MERGED, identity, successor, registry=registry)
            day = place.owned.passes_on(run.today)
            if day == run.today:
                made.add(_part(tx, place, run))
            elif day != place.facts.passes_on:
                tx.execute(update(facts.practice).where(facts.practice.c.id == identity).values(passes_on=day))
    return made


def _remember(tx: Session, parted: Collection[Parted], now: datetime) -> None:
    if parted:
        values = [
            {
                "id": new_id(), "practice_id": each.practice_id, "provider_id": each.provider_id,
                "registry": each.registry, "npi": each.npi, "name_key": each.name_key, "at": now,
                "went_to": each.went_to,
            }
            for each in parted
        ]  # fmt: skip
        tx.execute(insert(_former), values)


def _places(tx: Session, ids: list[UUID]) -> dict[UUID, _Place]:
    """Those of the practices that hold a number, locked, so that an import and the sweep part none twice.

    Whoever only points at one, as the grant of a sign-in does, waits for nobody.
    """
    table, provider = facts.practice, facts.provider
    query = select(table).where(table.c.id.in_(ids), table.c.retired_at.is_(None)).order_by(table.c.id)
    rows = tx.execute(query.with_for_update(key_share=True)).all()
    holders: dict[UUID, list[Holder]] = {row.id: [] for row in rows}
    former: dict[UUID, list[Former]] = {row.id: [] for row in rows}
    columns = ("id", "registry", "npi", "name_key", "status", "effective_date", "end_date", "npi_deactivated_on",
               "joined_at")  # fmt: skip
    for row in tx.execute(
        select(provider.c.practice_id, *(provider.c[name] for name in columns)).where(
            provider.c.practice_id.in_(list(holders))
        )
    ):
        holders[row.practice_id].append(Holder(*row[1:]))
    gone = (_former.c.provider_id, _former.c.registry, _former.c.npi, _former.c.name_key, _former.c.at,
            _former.c.went_to)  # fmt: skip
    for row in tx.execute(select(_former.c.practice_id, *gone).where(_former.c.practice_id.in_(list(former)))):
        former[row.practice_id].append(Former(*row[1:]))
    return {
        row.id: _Place(
            facts.practice_of(row, row.id, row.name),
            bytes(row.tin_index),
            Owned(rules.name_key(row.name), row.created_at, holders[row.id], former[row.id]),
        )
        for row in rows
    }


def _part(tx: Session, place: _Place, run: Run) -> UUID:
    """The number goes to a new practice with those who hold it now; the old one keeps its records and its people."""
    identity, practice = new_id(), place.facts
    table, tin = facts.practice, tin_of(practice)
    tx.execute(update(table).where(table.c.id == practice.id).values(retired_at=run.now))
    values: dict[str, Any] = {
        "id": identity,
        "tin_sealed": seal_tin(tin, keys=run.vault, context=practice_context(identity)),
        "tin_index": place.tin_index,
        "tin_type": practice.tin_type.value,
        "tin_last4": practice.tin_last4,
        "name": practice.name,
        "created_at": run.now,
    }
    tx.execute(insert(table).values(**values))
    ids = [each.id for each in place.owned.newcomers(run.today)]
    moved = {"practice_id": identity, "joined_at": run.now}
    tx.execute(update(facts.provider).where(facts.provider.c.id.in_(ids)).values(**moved))
    run.report.notes["practices_made"] += 1
    _tell(tx, run, What.PRACTICE_RETIRED, practice.id, identity, registry=run.registry)
    return identity


def _tell(tx: Session, run: Run, what: What, practice_id: UUID, successor: UUID, *, registry: str) -> None:
    run.report.notes[what.value] += 1
    run.changes.append(DirectoryChange(what, registry, practice_id, successor_id=successor))
    audit.append(
        tx,
        Event.PRACTICE_CHANGED,
        now=run.now,
        actor=run.actor,
        origin=run.origin,
        outcome=what.value,
        target_kind="practice",
        target_id=practice_id,
        details={"registry": registry, "successor": str(successor)},
    )


def due(tx: Session, today: date, *, limit: int) -> list[UUID]:
    """Practices whose number is another owner's by now, though nothing has parted them."""
    table = facts.practice
    query = select(table.c.id).where(table.c.passes_on <= today, table.c.retired_at.is_(None)).order_by(table.c.id)
    return list(tx.execute(query.limit(limit)).scalars())
