"""The system's epoch: one write that kills every session, grant and token older than itself (SECURITY D4, ST-06)."""

from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.foundation.database import Model, Rows, UtcDateTime


class SystemState(Model):
    """One row, made by the migration."""

    __tablename__ = "system_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(default=1)
    bumped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


_table = SystemState.__table__
_CURRENT: Final = select(_table.c.epoch).where(_table.c.id == 1)


def current(tx: Rows) -> int:
    """The epoch now; never cached."""
    return int(tx.execute(_CURRENT).scalar_one())


def bump(tx: Session, *, now: datetime) -> int:
    """Raise the epoch; the caller audits it."""
    return tx.execute(
        update(SystemState)
        .where(SystemState.id == 1)
        .values(epoch=SystemState.epoch + 1, bumped_at=now)
        .returning(SystemState.epoch)
    ).scalar_one()
