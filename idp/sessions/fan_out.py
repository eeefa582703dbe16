"""Which portals are owed a logout call when what they were told no longer holds (OIDC Back-Channel Logout)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.relying_parties import service as relying_parties
from idp.sessions.models import BrowserSession, LogoutDelivery, Participant


def owe_for_session(tx: Session, *, session_id: UUID, now: datetime) -> None:
    """The session has ended: every portal that took part in it."""
    _owe(tx, tx.scalars(select(Participant).where(Participant.session_id == session_id)), now=now)


def owe_for_affiliation(tx: Session, *, affiliation_id: UUID, now: datetime) -> None:
    """An affiliation left `active`: the portals that act under it in a session that goes on (MODEL §10)."""
    acting = (
        select(Participant)
        .join(BrowserSession, BrowserSession.id == Participant.session_id)
        .where(Participant.affiliation_id == affiliation_id, BrowserSession.ended_at.is_(None))
    )
    _owe(tx, tx.scalars(acting), now=now)


def _owe(tx: Session, participants: Iterable[Participant], *, now: datetime) -> None:
    for row in participants:
        party = relying_parties.find(row.client_id)
        if party is not None and party.registration.backchannel_logout_uri:
            tx.add(LogoutDelivery(client_id=row.client_id, sid=row.sid, sub=row.sub, created_at=now, due_at=now))
