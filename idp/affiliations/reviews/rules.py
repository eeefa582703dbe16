"""When a review is due, what may be said in it, and what becomes of one person's access. Pure (MODEL §10)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from idp.affiliations.deciding.rules import Act, Actor, Member, Setting, decide
from idp.affiliations.deciding.rules import Reason as ActReason
from idp.vocabulary.refused import Refused

REMINDED_BEFORE: Final = (timedelta(days=14), timedelta(days=3))
"""How long before the end the first and the second reminder are due."""
SYSTEM: Final = "system"


class State(StrEnum):
    """Of a review, as read."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    """A manager has ended it; what it decided is being carried out, or is."""
    LAPSED = "lapsed"
    """Its time is over and no manager has ended it."""


class Outcome(StrEnum):
    """What became of one person's access."""

    KEPT = "kept"
    CHANGED = "changed"
    ENDED = "ended"
    GONE = "gone"
    """It had ended otherwise meanwhile."""
    LAST_MANAGER = "last_manager"
    """Nobody kept it, but somebody must be left to manage the others."""


class Reason(StrEnum):
    """Why nothing is said or confirmed."""

    UNKNOWN = "unknown"
    OVER = "over"
    SELF = "self"
    SELF_OPEN = "self_open"
    NOT_HELD = "not_held"
    NO_SUCH_LEVEL = "no_such_level"


@dataclass(frozen=True, slots=True)
class Standing:
    """A review as it is recorded."""

    id: UUID
    opened_at: datetime
    due_at: datetime
    confirmed_at: datetime | None = None
    closed_at: datetime | None = None


def state_at(review: Standing, *, now: datetime) -> State:
    """Read, never waited for: no sweep need have run."""
    if review.confirmed_at is not None:
        return State.CONFIRMED
    return State.OPEN if now < review.due_at and review.closed_at is None else State.LAPSED


def reminders_due(due_at: datetime, *, now: datetime) -> int:
    """How many reminders there should have been by now; of several missed ones only the last is sent."""
    return sum(now >= due_at - before for before in REMINDED_BEFORE)


def may_say(
    review: Standing, member: Member, kept: Collection[str], *, actor: Actor, other_managers: int, now: datetime
) -> Refused | None:
    """Whether a manager may say what of a person's access is kept; never about themselves where another one can.

    What they do not hold themselves stays as it is, unless nothing is kept: then all of it ends.
    """
    wanted = frozenset(kept)
    if state_at(review, now=now) is not State.OPEN:
        return Refused(Reason.OVER)
    if member.subject_id == actor.subject_id and other_managers > 0:
        return Refused(Reason.SELF)
    if not wanted <= member.levels:
        return Refused(Reason.NO_SUCH_LEVEL)
    return Refused(Reason.NOT_HELD) if wanted and (member.levels - wanted) - actor.levels else None


def may_confirm(review: Standing, *, own_is_open: bool, other_managers: int, now: datetime) -> Refused | None:
    """A manager whom another one could keep, and has not, would end their own access by confirming."""
    if state_at(review, now=now) is not State.OPEN:
        return Refused(Reason.OVER)
    return Refused(Reason.SELF_OPEN) if own_is_open and other_managers > 0 else None


def outcome(kept: Collection[str] | None, *, member: Member, setting: Setting, by: str) -> Outcome:
    """What becomes of one person's access when the review is over; the deciding rule judges every end (D5).

    Access that reaches a portal where who confirmed has no standing is kept: its managers there, or the payer, end it.
    """
    wanted = frozenset(kept or ())
    if wanted and member.levels <= wanted:
        return Outcome.KEPT
    act = Act.SET_LEVELS if wanted else Act.REMOVE
    actor = Actor("" if by == member.subject_id else by, setting.catalogue, ())
    refused = decide(
        act, actor=actor, member=member, setting=setting, version=member.version, wanted=wanted & member.levels
    )
    if refused is None:
        return Outcome.CHANGED if wanted else Outcome.ENDED
    if refused.reason is ActReason.LAST_MANAGER:
        return Outcome.LAST_MANAGER
    stays = bool(wanted) or refused.reason is ActReason.ELSEWHERE
    return Outcome.KEPT if stays else Outcome.GONE
