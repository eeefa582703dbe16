"""Whether an invitation may be accepted, and what it then does. Pure (MODEL §10; EN-13, AD-12)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.refused import Refused

LIFETIME: Final = timedelta(days=7)
"""From its sending (MODEL §9)."""
PRESENTED_FOR: Final = timedelta(hours=24)
"""How long the browser that opened the link may take to register or sign in."""


class Reason(StrEnum):
    """Why an invitation is not sent, shown or accepted."""

    DEAD_LINK = "dead_link"
    INVITER_GONE = "inviter_gone"
    OWN = "own"
    NOT_YOURS = "not_yours"
    NOT_IN_FORCE = "not_in_force"
    BY_PAYER = "by_payer"
    SUSPENDED = "suspended"
    PERSON_NOT_ACTIVE = "person_not_active"
    MAILBOX_UNPROVEN = "mailbox_unproven"
    BAD_EMAIL = "bad_email"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    UNKNOWN = "unknown"
    ALREADY_HELD = "already_held"


class Effect(StrEnum):
    """What accepting does."""

    NEW = "new"
    ACTIVATE = "activate"
    STRENGTHEN = "strengthen"


class State(StrEnum):
    """How an open invitation stands."""

    SENT = "sent"
    OPENED = "opened"
    EXPIRED = "expired"


def state_at(*, opened: bool, ends_at: datetime, now: datetime) -> State:
    """Read, not stored: an invitation ends by itself."""
    if now >= ends_at:
        return State.EXPIRED
    return State.OPENED if opened else State.SENT


@dataclass(frozen=True, slots=True)
class Answer:
    """An invitation, the person who says yes, and what they have at the target already."""

    alive: bool
    addressed: bool
    """It was sent to the address that the person has proven, or to this very person."""
    in_force: bool
    backed: bool
    """Who invited may still do so, or it is the payer's word."""
    own_hand: bool
    """Who invited is who says yes, by this account or another of theirs (AD-07)."""
    for_affiliation: bool
    """It completes one affiliation (*Send Registration Email*) and makes no new one."""
    own: AffiliationStatus | None
    disabled_by: str | None = None


def effect_of(answer: Answer) -> Effect | Refused:
    """What the yes does now."""
    if not answer.alive:
        return Refused(Reason.DEAD_LINK)
    if not answer.addressed:
        return Refused(Reason.NOT_YOURS)
    if answer.own_hand:
        return Refused(Reason.OWN)
    if not answer.in_force:
        return Refused(Reason.NOT_IN_FORCE)
    if not answer.backed:
        return Refused(Reason.INVITER_GONE)
    match answer.own:
        case None | AffiliationStatus.ENDED:
            return Refused(Reason.DEAD_LINK) if answer.for_affiliation else Effect.NEW
        case AffiliationStatus.ACTIVE:
            return Effect.STRENGTHEN
        case AffiliationStatus.SUSPENDED:
            return Refused(Reason.SUSPENDED)
        case AffiliationStatus.DISABLED if answer.for_affiliation or answer.disabled_by == "payer":
            # a registration link sent before the disabling is dead; what the payer disabled the payer enables
            return Refused(Reason.BY_PAYER if answer.disabled_by == "payer" else Reason.DEAD_LINK)
        case _:
            return Effect.ACTIVATE
