"""What a session remembers about each relying party that takes part in it: its `sid`, and the choice of whom to act for."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from idp.foundation.database import Rows, new_id
from idp.foundation.prepared import prepared
from idp.sessions.models import Participant
from idp.sessions.rules import Participation

_participant: Table = Participant.__table__  # type: ignore[assignment]
_PARTICIPANT: Final = prepared(
    select(_participant).where(
        _participant.c.session_id == bindparam("session_id"), _participant.c.client_id == bindparam("client_id")
    )
)

_JOIN: Final = prepared(insert(_participant))
_CHOOSE: Final = prepared(update(_participant).where(_participant.c.sid == bindparam("of_sid")))


def participation(tx: Rows, *, session_id: UUID, client_id: str) -> Participation | None:
    """What this session remembers about a relying party."""
    row = tx.execute(_PARTICIPANT, {"session_id": session_id, "client_id": client_id}).one_or_none()
    if row is None:
        return None
    return Participation(row.sid, row.affiliation_id, row.provider_id, row.practice_id)


def join(
    tx: Session,
    *,
    session_id: UUID,
    client_id: str,
    sub: str,
    now: datetime,
    affiliation_id: UUID | None,
    provider_id: UUID | None,
    practice_id: UUID | None,
    before: Participation | None,
) -> UUID:
    """A relying party takes part in the session from now on, for this choice; returns its `sid`.

    `before` is its `participation`, read while this transaction held the session: nobody else joins it meanwhile.
    """
    chosen = {"affiliation_id": affiliation_id, "provider_id": provider_id, "practice_id": practice_id}
    if before is None:
        of_client = {"session_id": session_id, "client_id": client_id}
        tx.execute(_JOIN, {"sid": (sid := new_id()), "sub": sub, "joined_at": now, **of_client, **chosen})
        return sid
    if (before.affiliation_id, before.provider_id, before.practice_id) != (affiliation_id, provider_id, practice_id):
        tx.execute(_CHOOSE, {"of_sid": before.sid, **chosen})
    return before.sid
