"""Whether an invitation may be accepted, and what it then does. Pure (MODEL §10; EN-13, AD-12)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence
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


@dataclass(frozen=True, slots=True)
class Asks:
    """What a portal of the registry asks, and its level that shows the mark."""

    accepts: Evidence
    accepts_for_manager: Evidence
    managing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Has:
    """What an access holds: levels by portal, and the mark."""

    levels: Mapping[str, frozenset[str]]
    account_manager: bool


def becomes(
    effect: Effect, has: Has, *, ticked: Iterable[str], portal: str, proofs: Iterable[Evidence], word: Evidence,
    asks: Mapping[str, Asks],
) -> Has:  # fmt: skip
    """What an invitation makes of access that is there already: what was ticked, and of what was before only what was in
    force. Nothing else comes to life by the inviter's word, neither old levels nor an old mark, at no portal (MODEL §7).

    Access that slept begins anew. Access that acts keeps what it acts by and gains what was ticked; its mark stays where the
    word makes it count nowhere anew, else only a tick keeps it.
    """
    given, before = frozenset(ticked), tuple(proofs)
    here = asks.get(portal)
    mark = here is not None and bool(given & here.managing) and word.suffices(here.accepts_for_manager)
    if effect is not Effect.STRENGTHEN:
        return Has({portal: given}, mark)
    levels = {
        name: keys
        for name, keys in has.levels.items()
        if name not in asks or not _gains(before, word, asks[name].accepts)
    }
    levels[portal] = levels.get(portal, frozenset()) | given
    kept = has.account_manager and not any(_gains(before, word, each.accepts_for_manager) for each in asks.values())
    if not (mark or kept):
        levels = {name: keys - asks[name].managing if name in asks else keys for name, keys in levels.items()}
    return Has({name: keys for name, keys in levels.items() if keys}, mark or kept)


def _gains(before: Iterable[Evidence], word: Evidence, least: Evidence) -> bool:
    return word.suffices(least) and not any(proof.suffices(least) for proof in before)
