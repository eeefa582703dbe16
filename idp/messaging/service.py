"""Owing a message in the transaction of what it tells, and settling it when it left or never will."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import artefacts, house, vault
from idp.foundation.database import new_id
from idp.foundation.origin import Origin
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.messaging.models import OutboxMessage
from idp.messaging.rules import (
    DELIVERY_HORIZON,
    Brand,
    Link,
    Payload,
    Reason,
    Recipient,
    Undelivered,
    channel_for,
    check,
    pack,
    retry_at,
    revealed,
    unpack,
)

KEPT_AFTER: Final = timedelta(days=30)
"""How long a settled row (without its content) stays visible."""
_table: Table = OutboxMessage.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to be owed: to whom, in whose name, and what it tells."""

    notice: str
    recipient: Recipient
    brand: Brand
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Owed:
    """A leased row; `attempts` is this lease's number."""

    id: UUID
    channel: str
    notice: str
    subject_id: str | None
    payload: Payload
    created_at: datetime
    attempts: int


def enqueue(
    tx: Session,
    *,
    notice: str,
    recipient: Recipient,
    brand: Brand,
    context: Mapping[str, Any],
    now: datetime,
    link: Link | None = None,
) -> UUID:
    """Owe one message: it is committed with what it tells, or not at all. Nothing is rendered or sent here.

    `context["url"]` may be a `Secret`; everything is sealed. With `link` the artefact is kept redeemable until the
    mail leaves, and lives `link.lifetime` from then (ruling 22); issue it before.
    """
    check(notice, context=context, link=link)
    identity = new_id()
    letter = Letter(notice, recipient, brand, context)
    tx.execute(insert(_table).values(**_row(identity, letter, link=link, now=now)))
    if link is not None:
        artefacts.start_life(tx, identity=link.artefact_id, now=now, expires_at=now + DELIVERY_HORIZON + link.lifetime)
    return identity


def enqueue_all(tx: Session, letters: Iterable[Letter], *, now: datetime) -> None:
    """Owe many at once, none with a link: one statement, however many people a batch of an import concerns."""
    rows = []
    for letter in letters:
        check(letter.notice, context=letter.context, link=None)
        rows.append(_row(new_id(), letter, link=None, now=now))
    if rows:
        tx.execute(insert(_table), rows)


def _row(identity: UUID, letter: Letter, *, link: Link | None, now: datetime) -> dict[str, Any]:
    payload = pack(Payload(letter.recipient, letter.brand, revealed(letter.context), link))
    return {
        "id": identity,
        "channel": channel_for(letter.recipient).value,
        "notice": letter.notice,
        "subject_id": letter.recipient.subject_id,
        "payload_sealed": vault.seal(payload, keys=house.get(Keyring).vault, context=_place(identity)),
        "created_at": now,
        "due_at": now,
        "attempts": 0,
    }


def opened(row: Any) -> Owed:
    """A leased row with its payload unsealed; `vault.Unopenable` when its key is gone."""
    plain = vault.unseal(bytes(row.payload_sealed), keys=house.get(Keyring).vault, context=_place(row.id))
    return Owed(row.id, row.channel, row.notice, row.subject_id, unpack(plain), row.created_at, row.attempts)


def _place(identity: UUID) -> str:
    return f"outbox.payload_sealed:{identity}"


def settle(
    tx: Session,
    *,
    row: Any,
    link: Link | None,
    outcome: Undelivered | None,
    now: datetime,
    sent_at: datetime,
    jitter: float,
) -> bool:
    """Write down how a try ended: delivered, again later, or dead (audited, content wiped).

    A link's life is counted from `sent_at`, the moment its mail named. `False` when another worker has taken the
    row over since: its own outcome counts.
    """
    if outcome is None:
        written = _close(tx, row=row, now=now, outcome="delivered", why=None)
        if written and link is not None:
            artefacts.start_life(tx, identity=link.artefact_id, now=now, expires_at=sent_at + link.lifetime)
        return written
    due_at = None if outcome.reason is Reason.REJECTED else retry_at(row.attempts, now=now, jitter=jitter)
    if due_at is not None:
        return _update(tx, row, due_at=due_at, leased_until=None, last_error=outcome.detail[:200])
    if not _close(tx, row=row, now=now, outcome="dead", why=outcome.detail):
        return False
    audit.append(
        tx,
        Event.MESSAGE_DEAD,
        now=now,
        actor="system",
        origin=Origin.local("worker"),
        outcome=outcome.reason.value,
        subject_id=row.subject_id,
        details={"message": row.id, "notice": row.notice, "tries": row.attempts, "why": outcome.detail},
    )
    return True


def _close(tx: Session, *, row: Any, now: datetime, outcome: str, why: str | None) -> bool:
    return _update(
        tx,
        row,
        done_at=now,
        outcome=outcome,
        leased_until=None,
        payload_sealed=None,
        last_error=why[:200] if why else None,
    )


def _update(tx: Session, row: Any, **values: object) -> bool:
    mine = (_table.c.id == row.id, _table.c.attempts == row.attempts, _table.c.done_at.is_(None))
    return tx.execute(update(_table).where(*mine).values(**values)).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def waiting(tx: Session, *, dead: bool = False, limit: int = 100) -> list[Any]:
    """Messages not delivered yet, or the dead ones, oldest first; nothing of their content."""
    columns = [c for c in _table.c if c.name != "payload_sealed"]
    state = _table.c.outcome == "dead" if dead else _table.c.done_at.is_(None)
    return list(tx.execute(select(*columns).where(state).order_by(_table.c.due_at).limit(limit)))


def sent_to(tx: Session, *, subject_id: str, limit: int) -> list[Any]:
    """What was owed to one person lately, newest first; nothing of its content."""
    columns = [c for c in _table.c if c.name != "payload_sealed"]
    query = select(*columns).where(_table.c.subject_id == subject_id)
    return list(tx.execute(query.order_by(_table.c.created_at.desc(), _table.c.id.desc()).limit(limit)))


def retry_now(tx: Session, *, now: datetime, identity: UUID | None = None) -> int:
    """Make one waiting message, or all, due at once: for the moment the mail server is back; says how many.

    A dead one stays dead: its content is wiped, its person asks anew.
    """
    which = [_table.c.done_at.is_(None)] + ([_table.c.id == identity] if identity is not None else [])
    return tx.execute(update(_table).where(*which, _table.c.due_at > now).values(due_at=now)).rowcount  # type: ignore[attr-defined, no-any-return]


def purge(tx: Session, *, now: datetime, batch: int = 1000) -> int:
    """Delete a small batch of rows settled long ago; says how many went."""
    doomed = select(_table.c.id).where(_table.c.done_at < now - KEPT_AFTER).limit(batch)
    return tx.execute(delete(_table).where(_table.c.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]


resealing.register("outbox.payload", resealing.of_column(OutboxMessage.payload_sealed, context=_place))
