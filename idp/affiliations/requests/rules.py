"""How a request stands at a moment, and whether one may be made. Pure (MODEL §10)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.vocabulary.refused import Refused

REASON_LENGTH: Final = 500
OPEN_A_TARGET: Final = 100
"""Undecided requests that one target's inbox takes (EN-16)."""
REMINDED_AFTER: Final = (timedelta(days=3), timedelta(days=4))


class Status(StrEnum):
    """Stored statuses; a pending one reads `denied` when its window has passed."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Cause(StrEnum):
    """Why a request was denied."""

    MANAGER = "manager"
    UNANSWERED = "unanswered"


class Reason(StrEnum):
    """Why a request was not made, read or withdrawn."""

    TOO_MANY = "too_many"
    INBOX_FULL = "inbox_full"
    BAD_EMAIL = "bad_email"
    TOO_LONG = "too_long"
    UNKNOWN_TARGET = "unknown_target"
    NOT_IN_FORCE = "not_in_force"
    OTHER_TARGET = "other_target"
    ALREADY_HELD = "already_held"
    DEAD_LINK = "dead_link"
    NOT_PENDING = "not_pending"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    DECIDED = "decided"
    OWN = "own"
    CHANGED_MEANWHILE = "changed_meanwhile"


class Answer(StrEnum):
    """How the invitation stands that an approval sent."""

    GOOD = "good"
    EXPIRED = "expired"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Standing:
    """A request as stored."""

    status: Status
    submitted_at: datetime
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known when somebody asks."""

    served: bool
    in_force: bool
    already_held: bool
    open_at_target: int


def may_ask(wish: Wish) -> Refused | None:
    """`None` where a request may be made."""
    if not wish.served:
        return Refused(Reason.OTHER_TARGET)
    if not wish.in_force:
        return Refused(Reason.NOT_IN_FORCE)
    if wish.already_held:
        return Refused(Reason.ALREADY_HELD)
    return Refused(Reason.INBOX_FULL) if wish.open_at_target >= OPEN_A_TARGET else None


@dataclass(frozen=True, slots=True)
class Decision:
    """A request as it stands when a manager decides it."""

    status: Status
    cause: Cause | None
    own: bool
    """The manager is the requester, by their account or by their address."""
    version: int


def may_decide(decision: Decision, *, version: int) -> Refused | None:
    """`None` where the manager may approve or deny now; `version` is the one that their page showed (AD-07, AD-08)."""
    if decision.own:
        return Refused(Reason.OWN)
    if decision.cause is Cause.UNANSWERED:
        return Refused(Reason.EXPIRED)
    if decision.status is not Status.PENDING:
        return Refused(Reason.DECIDED)
    return Refused(Reason.CHANGED_MEANWHILE) if decision.version != version else None


def status_at(asked: Standing, *, now: datetime, window: timedelta) -> tuple[Status, Cause | None]:
    """The status now: undecided at the end of its window is denied, by reading alone (B8)."""
    if asked.status is Status.PENDING and now >= decide_by(asked.submitted_at, window=window):
        return Status.DENIED, Cause.UNANSWERED
    return asked.status, asked.cause


def decide_by(submitted_at: datetime, *, window: timedelta) -> datetime:
    """The first moment at which nobody can approve it any more."""
    return submitted_at + window


def time_left(submitted_at: datetime, *, now: datetime, window: timedelta) -> timedelta:
    """How long managers have still."""
    return max(decide_by(submitted_at, window=window) - now, timedelta(0))


def reminders_due(submitted_at: datetime, *, now: datetime) -> int:
    """How many reminders there should have been by now; of several missed ones only the last is sent."""
    return sum(now - submitted_at >= after for after in REMINDED_AFTER)
