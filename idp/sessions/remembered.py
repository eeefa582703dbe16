"""Sessions in which a remembered device spared the factor; they must not outlive what the device was believed for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from idp.foundation.origin import Origin
from idp.sessions import service
from idp.sessions.models import BrowserSession
from idp.sessions.rules import Ended
from idp.vocabulary.assurance import Factor

_table: Table = BrowserSession.__table__  # type: ignore[assignment]


def disbelieve(tx: Session, *, subject_id: str) -> None:
    """Take the device out of the person's live sessions: a portal that asks for a factor asks for it again (MF-21).

    Out of all of them: a session does not say which device it was.
    """
    for session_id, before in _spared(tx, subject_id=subject_id):
        proven = {kind: at for kind, at in before.items() if kind != Factor.DEVICE.value}
        tx.execute(update(_table).where(_table.c.id == session_id).values(proven=proven))


def end(tx: Session, *, subject_id: str, now: datetime, origin: Origin) -> None:
    """End the person's sessions that a device opened: one of them is the thief's (RA-12)."""
    for session_id, _proven in _spared(tx, subject_id=subject_id):
        service.end_session(
            tx, session_id=session_id, reason=Ended.DEVICE_COPIED, now=now, origin=origin, subject_id=subject_id
        )


def _spared(tx: Session, *, subject_id: str) -> list[tuple[UUID, dict[str, str]]]:
    rows = tx.execute(
        select(_table.c.id, _table.c.proven)
        .where(_table.c.subject_id == subject_id, _table.c.ended_at.is_(None))
        .order_by(_table.c.id)
        .with_for_update()
    ).all()
    return [(row.id, row.proven) for row in rows if Factor.DEVICE.value in (row.proven or {})]
