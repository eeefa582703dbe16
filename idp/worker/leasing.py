"""Taking due rows so that no two workers work on one, and nothing stays taken when a worker dies."""

from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from idp.worker.rules import LEASE


def lease(tx: Session, table: Table, *, now: datetime, limit: int = 1) -> list[Any]:
    """Lease up to `limit` due rows of `outbox` or `logout_delivery`, longest due first.

    One statement on both databases; PostgreSQL passes over rows that another worker is taking. `attempts` is raised
    here: a try that kills its worker counts, and the number tells later whose lease it was.
    """
    c = table.c
    due = (
        select(c.id)
        .where(c.done_at.is_(None), c.due_at <= now, c.leased_until.is_(None) | (c.leased_until <= now))
        .order_by(c.due_at, c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    rows = tx.execute(
        update(table)
        .where(c.id.in_(select(due.c.id)))
        .values(leased_until=now + LEASE, attempts=c.attempts + 1)
        .returning(*c)
    ).all()
    return sorted(rows, key=lambda row: (row.due_at, row.id))
