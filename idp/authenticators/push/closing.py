"""How a request ends: once, audited, and told to the person where three in a row came to nothing (MF-17)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.alerts import links as alerts
from idp.authenticators.push import facts, rules
from idp.authenticators.push.models import PushRequest
from idp.authenticators.push.rules import Asked, Outcome
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.subjects import service as subjects

_table: Table = PushRequest.__table__  # type: ignore[assignment]


def close(
    tx: Session, asked: Asked, outcome: Outcome, *, now: datetime, origin: Origin, factor_id: UUID | None = None
) -> bool:
    """Write down how it ended; `False` when it had ended already."""
    mine = (_table.c.id == asked.id, _table.c.outcome.is_(None))
    done = tx.execute(update(_table).where(*mine).values(outcome=outcome.value, factor_id=factor_id))
    if done.rowcount != 1:  # type: ignore[attr-defined]
        return False
    audit.append(
        tx,
        Event.PUSH_ANSWERED,
        now=now,
        actor=asked.subject_id if factor_id is not None else "system",
        origin=origin,
        outcome="ok" if outcome is Outcome.APPROVED else outcome.value,
        subject_id=asked.subject_id,
        client_id=asked.client_id,
        details={"request": asked.id, **({"factor": factor_id} if factor_id is not None else {})},
    )
    before = facts.recent(tx, subject_id=asked.subject_id)
    if outcome is not Outcome.APPROVED and rules.in_peace(before, now=now):
        _tell(tx, asked, now=now)
    return True


def close_overdue(tx: Session, *, subject_id: str, now: datetime, origin: Origin) -> None:
    """Close a person's requests that nobody answered in time, oldest first."""
    for each in reversed(facts.recent(tx, subject_id=subject_id)):
        if each.is_overdue(now=now):
            close(tx, each, Outcome.UNANSWERED, now=now, origin=origin)


def sweep(tx: Session, *, now: datetime, batch: int) -> int:
    """Close what nobody came back for, so that the person is told of it; says how many."""
    overdue = select(_table).where(_table.c.outcome.is_(None), _table.c.expires_at <= now)
    rows = tx.execute(overdue.order_by(_table.c.expires_at).limit(batch).with_for_update(skip_locked=True)).all()
    for row in rows:
        close(tx, facts.asked_of(row), Outcome.UNANSWERED, now=now, origin=Origin.local("worker"))
    return len(rows)


def purge(tx: Session, *, before: datetime, batch: int) -> int:
    """Delete a small batch of requests that were over before `before`; what is owed for them goes with them."""
    doomed = select(_table.c.id).where(_table.c.outcome.is_not(None), _table.c.expires_at < before).limit(batch)
    return tx.execute(delete(_table).where(_table.c.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]


def _tell(tx: Session, asked: Asked, *, now: datetime) -> None:
    subject = subjects.by_id(tx, subject_id=asked.subject_id)
    if subject is None or subject.email is None:
        return
    url, link = alerts.link_for(tx, subject, now=now)
    notices.notify(
        tx,
        notice="push_stopped",
        subject=subject,
        party=relying_parties.find(asked.client_id) if asked.client_id else None,
        context={"url": url, "browser": asked.browser, "address": asked.address},
        now=now,
        link=link,
    )
