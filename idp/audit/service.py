"""Appending events, and proving that nobody touched them since.

`append` only remembers the event; all of a transaction's events are written when it commits, streams in ascending
order. So the heads are locked last and in one order, whatever the callers do, and an action without its event
cannot commit (SECURITY D10, ruling 21).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, bindparam, event, insert, select, update
from sqlalchemy.orm import Session, SessionTransaction

from idp.audit import facts
from idp.audit.events import Event
from idp.audit.models import AuditEvent, AuditHead
from idp.audit.rules import (
    GENESIS,
    STREAMS,
    BadRow,
    Content,
    Entry,
    Fault,
    Link,
    clean_details,
    clean_text,
    hash_of,
    inspect,
    inspect_end,
    stream_of,
)
from idp.foundation.database import new_id
from idp.foundation.origin import Origin
from idp.foundation.prepared import prepared

_PENDING: Final = "credence.audit"
_events: Table = AuditEvent.__table__  # type: ignore[assignment]
_heads: Table = AuditHead.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class _Pending:
    stream: int
    content: Content
    within: tuple[SessionTransaction, ...]
    """The savepoints open when it was appended: it goes with any of them that is rolled back."""


def append(
    tx: Session,
    what: Event,
    *,
    now: datetime,
    actor: str,
    origin: Origin,
    outcome: str = "ok",
    subject_id: str | None = None,
    client_id: str | None = None,
    target_kind: str | None = None,
    target_id: object | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Tell what happens in this transaction; it is committed with it or not at all.

    Never put what somebody typed into `details`: use `rules.trace_of` (AU-07). A name there that means a secret
    (`password`, `login`, `tin` …) is stored masked.
    """
    target = None if target_id is None else clean_text(str(target_id), limit=64)
    content = Content(
        id=new_id(),
        at=now,
        type=what.value,
        outcome=clean_text(str(outcome), limit=48),
        actor=clean_text(actor, limit=64),
        subject_id=None if subject_id is None else clean_text(subject_id, limit=64),
        client_id=None if client_id is None else clean_text(client_id, limit=64),
        target_kind=None if target_kind is None else clean_text(target_kind, limit=24),
        target_id=target,
        details=clean_details(details or {}),
        address=clean_text(origin.address, limit=45),
        session_digest=None if origin.session_digest is None else clean_text(origin.session_digest, limit=16),
        request_id=clean_text(origin.request_id, limit=36),
    )
    stream = stream_of(target_kind=target_kind, target_id=target, subject_id=subject_id, client_id=client_id)
    tx.info.setdefault(_PENDING, []).append(_Pending(stream, content, _savepoints(tx)))


def last_told(tx: Session, *, target_id: str, subject_id: str) -> Content | None:
    """The last event of this transaction about a person's access to a target, else about either, else any."""
    told = [item.content for item in reversed(tx.info.get(_PENDING, ()))]

    def nearness(content: Content) -> int:
        return 2 * (content.target_id == target_id) + (content.subject_id == subject_id)

    return max(told, key=nearness, default=None)


def _savepoints(tx: Session) -> tuple[SessionTransaction, ...]:
    inner, found = tx.get_nested_transaction(), []
    while inner is not None and inner.nested:
        found.append(inner)
        inner = inner.parent
    return tuple(found)


@event.listens_for(Session, "after_soft_rollback")
def _forget(tx: Session, rolled_back: SessionTransaction) -> None:
    if not tx.info.get(_PENDING):
        return
    kept = [item for item in tx.info[_PENDING] if rolled_back.nested and rolled_back not in item.within]
    tx.info[_PENDING] = kept


@event.listens_for(Session, "before_commit")
def _write(tx: Session) -> None:
    pending: list[_Pending] = tx.info.get(_PENDING, [])
    if not pending or tx.in_nested_transaction():
        return
    tx.info[_PENDING] = []
    tx.flush()
    for stream in sorted({item.stream for item in pending}):
        _extend(tx, stream, [item.content for item in pending if item.stream == stream])


_of_stream = _heads.c.stream == bindparam("of_stream")
_HEAD: Final = prepared(select(_heads.c.sequence, _heads.c.hash).where(_of_stream).with_for_update())
_APPEND: Final = prepared(insert(_events))
_ADVANCE: Final = prepared(
    update(_heads).where(_of_stream).values(sequence=bindparam("sequence"), hash=bindparam("hash"))
)
"""Every transaction ends with these while it holds the head's lock: built once."""


def _extend(tx: Session, stream: int, contents: list[Content]) -> None:
    head = tx.execute(_HEAD, {"of_stream": stream}).one()
    sequence, previous, rows = head.sequence, bytes(head.hash), []
    for content in contents:
        sequence += 1
        digest = hash_of(content, stream=stream, sequence=sequence, previous_hash=previous)
        rows.append(
            {
                **{name: getattr(content, name) for name in facts.CONTENT},
                "stream": stream,
                "sequence": sequence,
                "previous_hash": previous,
                "hash": digest,
            }
        )
        previous = digest
    tx.execute(_APPEND, rows)
    tx.execute(_ADVANCE, {"of_stream": stream, "sequence": sequence, "hash": previous})


def heads(tx: Session) -> list[Link]:
    """Where every stream ends now: what the worker exports each minute."""
    rows = tx.execute(select(_heads.c.stream, _heads.c.sequence, _heads.c.hash).order_by(_heads.c.stream))
    return [Link(row.stream, row.sequence, bytes(row.hash)) for row in rows]


def verify(tx: Session, *, against: list[Link] | None = None) -> list[BadRow]:
    """The first bad row of each stream, or nothing when every event is as it was written (AU-02).

    With `against`, heads exported earlier must still be in the chain: a cut tail or an old copy put back is
    found even if the heads were forged to fit (AU-03). Ask in a fresh transaction.
    """
    facts.take_snapshot(tx)
    known = {link.stream: link for link in heads(tx)}
    exported: dict[int, dict[int, bytes]] = {}
    for link in against or []:
        exported.setdefault(link.stream, {})[link.sequence] = link.hash
    streams = sorted({*range(STREAMS), *facts.streams(tx)})
    found = (_first_bad(tx, stream, head=known.get(stream), exported=exported.get(stream, {})) for stream in streams)
    return [bad for bad in found if bad is not None]


def _first_bad(tx: Session, stream: int, *, head: Link | None, exported: Mapping[int, bytes]) -> BadRow | None:
    last = Link(stream, 0, GENESIS)
    owed = {sequence: digest for sequence, digest in exported.items() if sequence > 0}
    for entry in facts.entries(tx, stream=stream):
        bad = inspect(entry, after=last)
        if bad is not None:
            return bad
        last = entry.link
        if owed.pop(last.sequence, last.hash) != last.hash:
            return BadRow(stream, last.sequence, Fault.NOT_AS_EXPORTED)
    if owed:
        return BadRow(stream, min(*owed, last.sequence + 1), Fault.NOT_AS_EXPORTED)
    return inspect_end(last, head=head)


def export(
    tx: Session,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    subject_id: str | None = None,
    target_id: str | None = None,
) -> Iterator[Entry]:
    """Events by time, person or target, stream by stream in their order (sequence, not time, orders: AU-11)."""
    facts.take_snapshot(tx)
    for stream in facts.streams(tx):
        for entry in facts.entries(tx, stream=stream, subject_id=subject_id, target_id=target_id):
            if (since is None or entry.content.at >= since) and (until is None or entry.content.at < until):
                yield entry
