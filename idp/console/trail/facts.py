"""Events by person, target, event and day, newest first, read off their indexes and paged by key."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.subjects.models import Subject

A_PAGE: Final = 50
Key = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an auditor asks for; at least one of the first three, so that an index answers."""

    subject_id: str | None = None
    target_id: str | None = None
    event: Event | None = None
    day: date | None = None

    @property
    def is_enough(self) -> bool:
        return bool(self.subject_id or self.target_id or self.event)


@dataclass(frozen=True, slots=True)
class Line:
    """One event as a page shows it."""

    at: datetime
    event: str
    outcome: str
    actor: str
    subject_id: str | None
    client_id: str | None
    target_kind: str | None
    target_id: str | None
    before: str | None
    after: str | None
    more: tuple[tuple[str, str], ...]
    address: str
    session_digest: str | None
    stream: int
    sequence: int


def search(tx: Session, wanted: Wanted, *, after: Key | None) -> tuple[tuple[Line, ...], Key | None]:
    """A page of events, and where the next one begins."""
    found = rows(tx, wanted, after=after, limit=A_PAGE + 1)
    shown = found[:A_PAGE]
    return tuple(_line(row) for row in shown), ((shown[-1].at, shown[-1].id) if len(found) > A_PAGE else None)


def rows(tx: Session, wanted: Wanted, *, after: Key | None, limit: int) -> Sequence[AuditEvent]:
    """Events that fit, newest first."""
    table = AuditEvent
    query = select(table).order_by(table.at.desc(), table.id.desc()).limit(limit)
    if wanted.subject_id:
        query = query.where(table.subject_id == wanted.subject_id)
    if wanted.target_id:
        query = query.where(table.target_id == wanted.target_id)
    if wanted.event:
        query = query.where(table.type == wanted.event.value)
    if wanted.day:
        begins = datetime.combine(wanted.day, time(), UTC)
        query = query.where(table.at >= begins, table.at < begins + timedelta(days=1))
    if after is not None:
        at, identity = after
        query = query.where(or_(table.at < at, and_(table.at == at, table.id < identity)))
    return tx.scalars(query).all()


def names(tx: Session, lines: Iterable[Line]) -> Mapping[str, str]:
    """Names of the people in these lines, by subject id and by actor."""
    ids = {each for line in lines for each in (line.subject_id, line.actor.removeprefix("staff:")) if each}
    found: dict[str, str] = {}
    for row in tx.scalars(select(Subject).where(Subject.id.in_(ids))):
        name = row.display_name or " ".join(part for part in (row.given_name, row.family_name) if part)
        found[row.id] = name or row.user_id or row.id
    return found


def count_since(tx: Session, event: Event, *, since: datetime) -> int:
    """How often something happened."""
    return tx.execute(select(func.count()).where(AuditEvent.type == event.value, AuditEvent.at >= since)).scalar_one()


def _line(row: AuditEvent) -> Line:
    details = dict(row.details)
    before, after = details.pop("before", None), details.pop("after", None)
    if row.type == Event.AFFILIATION_STANDS.value:
        details = _in_short(details)
    return Line(
        at=row.at,
        event=row.type,
        outcome=row.outcome,
        actor=row.actor,
        subject_id=row.subject_id,
        client_id=row.client_id,
        target_kind=row.target_kind,
        target_id=row.target_id,
        before=_text(before),
        after=_text(after),
        more=tuple((name, _text(value) or "") for name, value in sorted(details.items()) if value is not None),
        address=row.address,
        session_digest=row.session_digest,
        stream=row.stream,
        sequence=row.sequence,
    )


def _in_short(stands: Mapping[str, Any]) -> dict[str, Any]:
    """How access stood, as a line of a page: everything else is in the file and under *Who could act*."""
    levels = {portal: [level for level, _by in pairs] for portal, pairs in stands.get("levels", {}).items()}
    proofs = sorted({proof["kind"] for proof in stands.get("evidence", ())})
    told = {"status": stands.get("status"), "levels": levels or None, "proof": proofs}
    return told | ({"account_manager": "yes"} if stands.get("account_manager") else {})


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return ", ".join(_text(each) or "" for each in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(each)}" for name, each in sorted(value.items()))
    return str(value)
