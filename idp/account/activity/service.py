"""The newest events of the signed-in person, as lines of a list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask_babel import LazyString

from idp.account.activity.words import DONE, FAILED
from idp.audit import facts
from idp.audit.events import Event
from idp.audit.rules import Content
from idp.foundation.database import reading
from idp.relying_parties import service as relying_parties
from idp.sessions.rules import SessionFacts

SHOWN: Final = 100
_STRANGER: Final = "anonymous"
"""Whoever did it before anybody was known, as at a failed sign-in."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: in words, where, when, and whether it is worth a second look."""

    sentence: LazyString
    at: datetime
    portal: str | None
    address: str
    """Empty where somebody else did it: from where is theirs to know."""
    failed: bool


def newest(session: SessionFacts) -> list[Line]:
    """What happened to the person's own account, newest first."""
    types = [event.value for event in {*DONE, *FAILED}]
    with reading() as tx:
        events = facts.newest_of(tx, subject_id=session.subject_id, types=types, limit=SHOWN)
    return [line for line in map(_line, events) if line is not None]


def _line(event: Content) -> Line | None:
    failed = event.outcome != "ok"
    sentence = (FAILED if failed else DONE).get(Event(event.type))
    if sentence is None:
        return None
    party = relying_parties.find(event.client_id) if event.client_id else None
    address = event.address if event.actor in {event.subject_id, _STRANGER} else ""
    return Line(sentence, event.at, party.manifest.name if party else None, address, failed)
