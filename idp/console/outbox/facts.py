"""How much waits, and what was given up."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.messaging.models import OutboxMessage


def waiting(tx: Session) -> int:
    """Messages that have not left yet."""
    return tx.execute(select(func.count()).where(OutboxMessage.done_at.is_(None))).scalar_one()


def dead(tx: Session) -> int:
    """Messages that were given up within the time that settled rows are kept."""
    return tx.execute(
        select(func.count()).where(OutboxMessage.done_at.is_not(None), OutboxMessage.outcome == "dead")
    ).scalar_one()
