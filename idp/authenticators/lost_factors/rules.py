"""When a recovery may start, when it is open, and what it still lacks. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from idp.subjects.rules import Status, SubjectFacts
from idp.vocabulary.evidence import Evidence

OPEN_FOR: Final = timedelta(days=7)
"""How long after its wait a recovery can be finished."""
BROWSER_FOR: Final = timedelta(hours=24)
"""How long the browser in which the link was opened may bring the evidence."""
STARTS_A_WEEK: Final = 3
LINKS_AN_HOUR: Final = 3
LONGEST_NOTE: Final = 300


class Starter(StrEnum):
    """Who started it."""

    PERSON = "person"
    MANAGER = "manager"
    HELP_DESK = "help_desk"
    ADMINISTRATOR = "administrator"


class Outcome(StrEnum):
    """How it ended."""

    REMOVED = "removed"
    STOPPED = "stopped"
    PROVEN = "proven"
    DISOWNED = "disowned"
    REFUSED = "refused"
    EXPIRED = "expired"


class Standing(StrEnum):
    """Where it stands, read and never swept (DESIGN §4.8)."""

    WAITING = "waiting"
    OPEN = "open"
    ENDED = "ended"


class Reason(StrEnum):
    """Why a recovery does not start or go on."""

    NOT_ACTIVE = "not_active"
    NO_MAILBOX = "no_mailbox"
    NOTHING_HELD = "nothing_held"
    UNDER_WAY = "under_way"
    TOO_MANY = "too_many"
    NOT_UNDER_WAY = "not_under_way"
    STILL_WAITING = "still_waiting"
    DEAD_LINK = "dead_link"
    NO_NOTE = "no_note"
    SAME_PERSON = "same_person"
    SELF = "self"
    NO_EVIDENCE = "no_evidence"


@dataclass(frozen=True, slots=True)
class Recovery:
    """One recovery as read at a moment."""

    id: UUID
    subject_id: str
    client_id: str | None
    started_by: Starter
    started_actor: str
    started_at: datetime
    opens_at: datetime
    expires_at: datetime
    mailbox_at: datetime | None = None
    evidence: Evidence | None = None
    evidence_by: str | None = None
    vouched_for: UUID | None = None
    ended_at: datetime | None = None


def standing(recovery: Recovery, *, now: datetime) -> Standing:
    """Whether it still waits, can be finished, or is over."""
    if recovery.ended_at is not None or now >= recovery.expires_at:
        return Standing.ENDED
    return Standing.OPEN if now >= recovery.opens_at else Standing.WAITING


def why_not_start(
    subject: SubjectFacts | None, *, holds: Collection[object], under_way: Recovery | None, now: datetime
) -> Reason | None:
    """`None` where one may start: an active person with a proven mailbox, and with a factor to lose."""
    if subject is None or subject.status is not Status.ACTIVE:
        return Reason.NOT_ACTIVE
    if subject.email is None or subject.email_verified_at is None:
        return Reason.NO_MAILBOX
    if not holds:
        return Reason.NOTHING_HELD
    if under_way is not None and standing(under_way, now=now) is not Standing.ENDED:
        return Reason.UNDER_WAY
    return None


def why_not_confirm(recovery: Recovery, *, own: bool, started: bool, note: str, now: datetime) -> Reason | None:
    """Whether payer staff may say that they saw the evidence: never for themselves, nor where they started it.

    `own` and `started` tell persons, whichever accounts they used (AD-07); on the command line, where whoever types can
    do everything anyway, they are not asked.
    """
    if standing(recovery, now=now) is Standing.ENDED:
        return Reason.NOT_UNDER_WAY
    if own:
        return Reason.SELF
    if started:
        return Reason.SAME_PERSON
    return None if note.strip() else Reason.NO_NOTE


def at_this_browser(recovery: Recovery, *, now: datetime) -> bool:
    """Whether the browser that opened the link may go on."""
    opened = recovery.mailbox_at
    return opened is not None and now - opened < BROWSER_FOR and standing(recovery, now=now) is Standing.OPEN
