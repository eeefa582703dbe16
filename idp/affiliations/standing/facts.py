"""What the audit and the roster say of a practice's access; every statement runs on an index."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, func, or_, select
from sqlalchemy.orm import Session

from idp.affiliations.standing.rules import Day, Record, read
from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.directory import facts as directory
from idp.directory.rules import EngagementFacts, PracticeFacts, ProviderFacts

_MANY: Final = 500
_events: Table = AuditEvent.__table__  # type: ignore[assignment]
_STANDS: Final = _events.c.type == Event.AFFILIATION_STANDS.value


def practices_of(tx: Session, index: bytes) -> tuple[PracticeFacts, ...]:
    """Every owner that the number has had, the present one first; `index` is its blind index."""
    found = directory.practices(tx, directory.practice.c.tin_index == index)
    return tuple(sorted(found, key=lambda each: (each.retired_at is not None, each.name, str(each.id))))


def providers_of(tx: Session, practices: Collection[UUID]) -> set[UUID]:
    """Records that belong to these practices, ended ones too, and those that have left them with access."""
    table = directory.provider
    here = set(tx.execute(select(table.c.id).where(table.c.practice_id.in_(practices))).scalars())
    return here | _left(tx, practices)


def has_providers(tx: Session, practice_id: UUID, *, registry: str, on: date) -> bool:
    """Whether the practice has a record that counts on the day by its dates."""
    return directory.exists_in_force(tx, practice_id=practice_id, registry=registry, on=on)


def belonged(tx: Session, practice_id: UUID, *, registry: str, day: Day) -> tuple[ProviderFacts, ...]:
    """Records of the practice that may have counted on the day though none does by its dates: moved or terminated since."""
    if not day.over:
        return ()
    table, gone = directory.provider, _left(tx, [practice_id], since=day)
    undated = and_(table.c.practice_id == practice_id, table.c.end_date.is_(None))
    return directory.providers(tx, table.c.registry == registry, or_(undated, table.c.id.in_(gone)))


def _left(tx: Session, practices: Collection[UUID], *, since: Day | None = None) -> set[UUID]:
    query = select(_events.c.details).where(
        _events.c.target_id.in_([str(each) for each in practices]),
        _events.c.type == Event.PRACTICE_CHANGED.value,
        _events.c.outcome == "record_left",
    )
    if since is not None:
        query = query.where(_events.c.at >= since.ends)
    return {UUID(details["provider"]) for details in tx.execute(query).scalars()}


def engagements_of(tx: Session, practices: Collection[UUID], day: Day) -> dict[UUID, EngagementFacts]:
    """Trading partners that worked for these practices on the day, by their id."""
    on = (day.ends if not day.over else day.begins).date()
    found = directory.engagements(tx, directory.engagement.c.practice_id.in_(practices), on=on)
    return {each.trading_partner_id: each for each in found}


def assigned(
    tx: Session, engaged: Mapping[UUID, EngagementFacts], day: Day
) -> Mapping[UUID, tuple[frozenset[UUID] | None, str]]:
    """By trading partner: who of its staff worked for the practice at some moment of the day, and who said so last.

    `None` is everybody; so is a partner that is missing.
    """
    said: defaultdict[UUID, list[Any]] = defaultdict(list)
    for some in _chunks(engaged):
        query = (
            select(_events.c.target_id, _events.c.at, _events.c.actor, _events.c.details)
            .where(_events.c.type == Event.ENGAGEMENT_STAFFED.value, _events.c.target_id.in_(some), _seen(day))
            .order_by(_events.c.stream, _events.c.sequence)
        )
        for row in tx.execute(query):
            if row.details["practice"] == str(engaged[UUID(row.target_id)].practice.id):
                said[UUID(row.target_id)].append(row)
    return {partner: _of_the_day(rows, day) for partner, rows in said.items()}


def _of_the_day(rows: list[Any], day: Day) -> tuple[frozenset[UUID] | None, str]:
    before = [row for row in rows if row.at <= day.begins]
    held = [*before[-1:], *(row for row in rows if row.at > day.begins)]
    everybody = any(row.details["everybody"] for row in held) or not before
    ids = frozenset(UUID(each) for row in held for each in row.details["after"])
    return None if everybody else ids, rows[-1].actor


def people(tx: Session, targets: Collection[UUID], day: Day, *, after: str, limit: int) -> list[str]:
    """Who ever had access to any of these targets up to the day, a page by their ids."""
    found: set[str] = set()
    for some in _chunks(targets):
        query = (
            select(_events.c.subject_id)
            .distinct()
            .where(_STANDS, _events.c.target_id.in_(some), _events.c.subject_id > after, _seen(day))
            .order_by(_events.c.subject_id)
            .limit(limit)
        )
        found.update(tx.execute(query).scalars())
    return sorted(found)[:limit]


def records(
    tx: Session, targets: Collection[UUID], people: Collection[str], day: Day
) -> Mapping[tuple[str, UUID], list[Record]]:
    """The records of these people at these targets up to the day, of each affiliation in order."""
    found: defaultdict[tuple[str, UUID], list[Record]] = defaultdict(list)
    columns = [_events.c[name] for name in ("at", "actor", "subject_id", "target_kind", "target_id", "details")]
    for some in _chunks(targets):
        query = (
            select(*columns)
            .where(_STANDS, _events.c.target_id.in_(some), _events.c.subject_id.in_(people), _seen(day))
            .order_by(_events.c.stream, _events.c.sequence)
        )
        for row in tx.execute(query):
            record = _record(row)
            found[record.subject_id, record.affiliation_id].append(record)
    return found


def uses(
    tx: Session, targets: Collection[UUID], people: Collection[str], day: Day
) -> Mapping[tuple[str, UUID], datetime]:
    """When each of these people last acted for each of these targets, up to the day."""
    found: dict[tuple[str, UUID], datetime] = {}
    for some in _chunks(targets):
        query = (
            select(_events.c.subject_id, _events.c.target_id, func.max(_events.c.at))
            .where(
                _events.c.type == Event.GRANT_MADE.value,
                _events.c.target_id.in_(some),
                _events.c.subject_id.in_(people),
                _seen(day),
            )
            .group_by(_events.c.subject_id, _events.c.target_id)
        )
        for subject_id, target_id, at in tx.execute(query):
            found[subject_id, UUID(target_id)] = at
    return found


def switched(tx: Session, people: Collection[str]) -> Mapping[str, list[tuple[datetime, bool]]]:
    """When the payer disabled (`False`) and enabled (`True`) each of them, in order."""
    found: defaultdict[str, list[tuple[datetime, bool]]] = defaultdict(list)
    both = (Event.SUBJECT_DISABLED.value, Event.SUBJECT_ENABLED.value)
    query = (
        select(_events.c.subject_id, _events.c.at, _events.c.type)
        .where(_events.c.subject_id.in_(people), _events.c.type.in_(both), _events.c.outcome == "ok")
        .order_by(_events.c.at, _events.c.sequence)
    )
    for subject_id, at, what in tx.execute(query):
        found[subject_id].append((at, what == Event.SUBJECT_ENABLED.value))
    return found


def terminated_since(tx: Session, providers: Collection[UUID], day: Day) -> set[UUID]:
    """Records that the roster called active on the day and has terminated without a date since."""
    found: dict[str, str] = {}
    for some in _chunks(providers):
        query = (
            select(_events.c.target_id, _events.c.details)
            .where(
                _events.c.target_id.in_(some), _events.c.type == Event.PROVIDER_CHANGED.value, _events.c.at >= day.ends
            )
            .order_by(_events.c.sequence)
        )
        for target_id, details in tx.execute(query):
            found.setdefault(target_id, str(details.get("status", "")))
    return {UUID(target) for target, status in found.items() if status.startswith("active")}


def _record(row: Any) -> Record:
    return read(
        row.details,
        at=row.at,
        actor=row.actor,
        subject_id=row.subject_id,
        kind=row.target_kind,
        target=row.target_id,
    )


def _seen(day: Day) -> ColumnElement[bool]:
    """What had happened by the end of the day (`Day.has_seen`)."""
    return _events.c.at < day.ends if day.over else _events.c.at <= day.ends


def _chunks(targets: Collection[UUID]) -> Iterator[list[str]]:
    ids = sorted(str(each) for each in targets)
    for start in range(0, len(ids), _MANY):
        yield ids[start : start + _MANY]
