"""The system's epoch: one write that kills every session, grant and token older than itself (SECURITY D4, ST-06)."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import case, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.foundation.database import Model, Rows, UtcDateTime
from idp.foundation.prepared import prepared


class SystemState(Model):
    """One row, made by the migration."""

    __tablename__ = "system_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(default=1)
    bumped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a worker last looked at its clock (`foundation.timekeeping`)."""


_table = SystemState.__table__
_CURRENT: Final = prepared(select(_table.c.epoch).where(_table.c.id == 1))


def current(tx: Rows) -> int:
    """The epoch now; never cached where something is checked (`oidc.at_hand` holds one to stamp what is issued)."""
    return int(tx.execute(_CURRENT).scalar_one())


_COUNTED_FROM: Final = datetime(2026, 1, 1, tzinfo=UTC)


def bump(tx: Session, *, now: datetime) -> int:
    """Raise the epoch; the caller audits it.

    To the seconds since 2026 where that is higher: one copy restored twice must not give the same epoch twice, or what was
    issued after the first restore would live again after the second.
    """
    of_this_moment = int((now - _COUNTED_FROM).total_seconds())
    following = SystemState.epoch + 1
    return tx.execute(
        update(SystemState)
        .where(SystemState.id == 1)
        .values(epoch=case((following < of_this_moment, of_this_moment), else_=following), bumped_at=now)
        .returning(SystemState.epoch)
    ).scalar_one()


def see(tx: Session, *, now: datetime) -> None:
    """Note what time it is, so that a process that starts on a clock which went back knows better (R-19)."""
    tx.execute(update(SystemState).where(SystemState.id == 1).values(seen_at=now))
