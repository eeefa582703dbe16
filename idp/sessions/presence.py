"""Noting that a session is in use: by its person, who looks at a page here, or by a portal that works on by itself."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import case, func, update
from sqlalchemy.orm import Session

from idp.foundation import house
from idp.sessions.models import BrowserSession
from idp.sessions.rules import SessionFacts
from idp.settings import Settings

SEEN_EVERY: Final = timedelta(minutes=1)
"""How exact both moments are: one write a minute at most (SECURITY ruling 13)."""


def touch(tx: Session, *, session_id: UUID, now: datetime) -> None:
    """Note that the person is still there, once a minute at most; idleness counts from here.

    A pause (`IDP_SESSION_IDLE_STAFF`) stays on record: whoever acts for others proves themselves anew after it (ruling 18).
    """
    away = house.get(Settings).session_idle_staff
    looked = func.coalesce(BrowserSession.looked_at, BrowserSession.last_seen_at)
    tx.execute(
        update(BrowserSession)
        .where(BrowserSession.id == session_id, BrowserSession.ended_at.is_(None), looked <= now - SEEN_EVERY)
        .values(
            last_seen_at=now,
            looked_at=now,
            resumed_at=case((looked <= now - away, now), else_=BrowserSession.resumed_at),
        )
    )


def keep(tx: Session, *, session_id: UUID, now: datetime) -> None:
    """Note that a portal goes on working in it, once a minute at most: it is not idle, and nobody has looked (ruling 18)."""
    tx.execute(
        update(BrowserSession)
        .where(
            BrowserSession.id == session_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.last_seen_at <= now - SEEN_EVERY,
        )
        .values(last_seen_at=now, looked_at=func.coalesce(BrowserSession.looked_at, BrowserSession.last_seen_at))
    )


def wants_touch(session: SessionFacts, *, now: datetime) -> bool:
    """Whether a minute has passed since the last note."""
    return now - session.last_look >= SEEN_EVERY
