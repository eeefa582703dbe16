"""The newest notices of the signed-in person, as lines of a list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask_babel import LazyString

from idp.account.messages.words import ABOUT
from idp.foundation.database import reading
from idp.messaging import service as messaging
from idp.sessions.rules import SessionFacts

SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One notice: what about, by which way, when, and whether it has left."""

    about: LazyString
    channel: str
    at: datetime
    outcome: str | None
    """`delivered`, `dead`, or `None` while it waits."""


def newest(session: SessionFacts) -> list[Line]:
    """What was sent to the person within the month that settled messages are kept, newest first."""
    with reading() as tx:
        rows = messaging.sent_to(tx, subject_id=session.subject_id, limit=SHOWN)
    return [Line(ABOUT[row.notice], row.channel, row.created_at, row.outcome) for row in rows if row.notice in ABOUT]
