"""Stored events as the rules see them, read in pages by key."""

from collections.abc import Collection, Iterator
from typing import Final

from sqlalchemy import Row, Table, select
from sqlalchemy.orm import Session

from idp.audit.models import AuditEvent
from idp.audit.rules import Content, Entry, Link

CONTENT: Final = (
    "id", "at", "type", "outcome", "actor", "subject_id", "client_id", "target_kind", "target_id", "details",
    "address", "session_digest", "request_id",
)  # fmt: skip
PAGE: Final = 500
_table: Table = AuditEvent.__table__  # type: ignore[assignment]


def take_snapshot(tx: Session) -> None:
    """Let the whole transaction see one moment, so that events appended meanwhile are no faults."""
    if tx.get_bind().dialect.name == "postgresql" and not tx.in_transaction():
        tx.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def streams(tx: Session) -> list[int]:
    """The streams that hold events."""
    return list(tx.execute(select(_table.c.stream).distinct().order_by(_table.c.stream)).scalars())


def entries(
    tx: Session, *, stream: int, subject_id: str | None = None, target_id: str | None = None
) -> Iterator[Entry]:
    """One stream's events in order; a page is one short statement."""
    query = select(_table).where(_table.c.stream == stream).order_by(_table.c.sequence).limit(PAGE)
    if subject_id is not None:
        query = query.where(_table.c.subject_id == subject_id)
    if target_id is not None:
        query = query.where(_table.c.target_id == target_id)
    rows = tx.execute(query).all()
    while rows:
        yield from map(_entry, rows)
        rows = tx.execute(query.where(_table.c.sequence > rows[-1].sequence)).all()


def newest_of(tx: Session, *, subject_id: str, types: Collection[str], limit: int) -> list[Content]:
    """The newest events of these types about one person; an indexed look-up."""
    rows = tx.execute(
        select(_table)
        .where(_table.c.subject_id == subject_id, _table.c.type.in_(types))
        .order_by(_table.c.at.desc(), _table.c.id.desc())
        .limit(limit)
    )
    return [_entry(row).content for row in rows]


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    content = Content(**{name: getattr(row, name) for name in CONTENT})
    return Entry(content, Link(row.stream, row.sequence, bytes(row.hash)), bytes(row.previous_hash))
