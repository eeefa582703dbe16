"""Reads records across files, their history, and the runs of the imports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, literal, select, tuple_, union_all
from sqlalchemy.orm import Session

from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.directory import facts
from idp.directory.models import AT, ImportReject, ImportRun
from idp.directory.rules import DirectoryFilter, ProviderFacts

_events: Final[Table] = AuditEvent.__table__  # type: ignore[assignment]
_table: Final[Table] = facts.provider
_runs: Final[Table] = ImportRun.__table__  # type: ignore[assignment]
_rejects: Final[Table] = ImportReject.__table__  # type: ignore[assignment]
_ROSTER: Final = tuple(
    event.value
    for event in (
        Event.PROVIDER_CHANGED, Event.PRACTICE_CHANGED, Event.PIN_LETTER_ISSUED, Event.NPI_RECORD_CHANGED,
    )
)  # fmt: skip
"""Events of the record itself; whose access hangs on it is for those who may read that."""
_OF_RUN: Final = (
    "id", "registry", "format", "file_name", "started_at", "finished_at", "outcome", "stopped_line", "counts",
)  # fmt: skip
_RUNS: Final = select(*(_runs.c[name] for name in _OF_RUN))


@dataclass(frozen=True, slots=True)
class RosterRecord:
    """A payer's record: whose file it is from is `provider.registry`."""

    provider: ProviderFacts
    zip_codes: tuple[str, ...]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a record's or a practice's history; `sequence` is where an older page begins."""

    at: datetime
    type: str
    outcome: str
    actor: str
    details: Mapping[str, Any]
    sequence: int


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One import. Without `finished_at` it runs, or was killed: running it again resumes it."""

    id: UUID
    registry: str
    format: str
    file_name: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    """A value of `imports.run.Outcome`."""
    stopped_line: int | None
    counts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RejectFacts:
    """A refused line; `reasons` are values of `imports.rules.Fault`."""

    number: int
    line: int
    key: str
    reasons: tuple[str, ...]
    place: str
    """Which entry of a bundle it was; empty of a line."""


def of_npi(tx: Session, npi: str, *, after: tuple[str, str], limit: int) -> tuple[RosterRecord, ...]:
    """Payers' records of an NPI, by registry and number: a page is read off their index in order."""
    later = tuple_(_table.c.registry, _table.c.provider_id) > tuple_(*map(literal, after))
    return _records(tx, _table.c.npi == npi, later, limit=limit)


def of_tin(
    tx: Session, *, registry: str, tin: bytes, within: DirectoryFilter, after: str, limit: int
) -> tuple[RosterRecord, ...]:
    """A registry's records whose own TIN this is, or whose practice's, by number: a page of each is read off its index in order."""
    theirs, its = facts.provider.alias(), facts.practice.alias()
    holder = select(its.c.id).where(its.c.tin_index == tin, its.c.retired_at.is_(None)).scalar_subquery()
    query = select(theirs.c.id).where(
        theirs.c.registry == registry, theirs.c.provider_id > after, *facts.served(within, row=theirs)
    )
    pages = (
        query.where(mine).order_by(theirs.c.provider_id).limit(limit).subquery()
        for mine in (theirs.c.tin_index == tin, theirs.c.practice_id == holder)
    )
    ids = union_all(*(select(page.c.id) for page in pages))
    return _records(tx, _table.c.id.in_(ids), limit=limit)


def _records(tx: Session, *conditions: ColumnElement[bool], limit: int) -> tuple[RosterRecord, ...]:
    query = facts.PROVIDERS.add_columns(_table.c.zip_codes, _table.c.updated_at).where(*conditions)
    rows = tx.execute(query.order_by(_table.c.registry, _table.c.provider_id).limit(limit))
    return tuple(RosterRecord(facts.provider_of(row), tuple(row.zip_codes), row.updated_at) for row in rows)


def history(tx: Session, target_id: UUID | str, *, before: int | None, limit: int) -> tuple[Change, ...]:
    """The latest first; all events of one target stand in one stream."""
    columns = [_events.c[name] for name in ("at", "type", "outcome", "actor", "details", "sequence")]
    query = select(*columns).where(_events.c.target_id == str(target_id), _events.c.type.in_(_ROSTER))
    if before is not None:
        query = query.where(_events.c.sequence < before)
    return tuple(Change(*row) for row in tx.execute(query.order_by(_events.c.sequence.desc()).limit(limit)))


def runs(tx: Session, *, before: UUID | None, limit: int) -> tuple[RunFacts, ...]:
    """The latest first: ids are of version 7."""
    query = _RUNS.order_by(_runs.c.id.desc()).limit(limit)
    return tuple(RunFacts(*row) for row in tx.execute(query if before is None else query.where(_runs.c.id < before)))


def run(tx: Session, identity: UUID) -> RunFacts | None:
    """One import."""
    row = tx.execute(_RUNS.where(_runs.c.id == identity)).one_or_none()
    return None if row is None else RunFacts(*row)


def rejects(tx: Session, run_id: UUID, *, after: int, limit: int) -> tuple[RejectFacts, ...]:
    """In the order of the file."""
    query = (
        select(_rejects.c.number, _rejects.c.line, _rejects.c.key, _rejects.c.reasons)
        .where(_rejects.c.run_id == run_id, _rejects.c.number > after)
        .order_by(_rejects.c.number)
    )
    return tuple(_reject(row) for row in tx.execute(query.limit(limit)))


def _reject(row: Any) -> RejectFacts:
    reasons = tuple(each for each in row.reasons if not each.startswith(AT))
    place = next((each.removeprefix(AT) for each in row.reasons if each.startswith(AT)), "")
    return RejectFacts(row.number, row.line, row.key, reasons, place)
