"""Which factors count, and whether somebody proved themselves strongly a moment ago. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from idp.sessions.rules import PASSWORD, PENDING_FOR, UPSTREAM, FirstFactor, SessionFacts
from idp.subjects.rules import Status, SubjectFacts
from idp.vocabulary.assurance import STRONG, Acr, Amr, Factor

FRESH_FOR: Final = timedelta(minutes=15)
"""How long a strong proof lets somebody change what proves them (MODEL §9, step-up)."""
MOST_OF_A_KIND: Final = 10


class Reason(StrEnum):
    """Why a second factor was not taken, not added or not removed."""

    WRONG_CODE = "wrong_code"
    REPLAYED = "replayed"
    TOO_MANY = "too_many"
    TOO_MANY_HERE = "too_many_here"
    BUSY = "busy"
    NOT_ACCEPTED = "not_accepted"
    NOT_HELD = "not_held"
    NOTHING_PENDING = "nothing_pending"
    NOT_FRESH = "not_fresh"
    LAST_ONE = "last_one"
    NONE_LEFT = "none_left"
    HOLDS_ENOUGH = "holds_enough"
    BAD_NAME = "bad_name"


@dataclass(frozen=True, slots=True)
class Held:
    """One factor of a person."""

    id: UUID
    kind: Factor
    name: str
    gives: frozenset[Acr]
    amr: tuple[Amr, ...]
    created_at: datetime
    last_used_at: datetime | None = None
    stopped: bool = False
    """It obliges to a second factor and is none itself (MF-28)."""


def kinds_of(held: Iterable[Held]) -> tuple[Factor, ...]:
    """The kinds among them, strongest first."""
    kinds = {each.kind for each in held}
    return tuple(kind for kind in Factor if kind in kinds)


def working(held: Iterable[Held]) -> tuple[Held, ...]:
    """Those that can be proven: without the stopped ones."""
    return tuple(each for each in held if not each.stopped)


def to_prove(held: Collection[Held]) -> tuple[Factor, ...]:
    """The kinds that a proof can be of: what works, else what is stopped, which only a recovery code mends."""
    return kinds_of(working(held)) or kinds_of(held)


def strongest(kinds: Collection[Factor]) -> frozenset[Factor]:
    """The strong kinds among them, else whatever there is."""
    return frozenset(kinds) & STRONG or frozenset(kinds)


def is_fresh(session: SessionFacts, *, held: Collection[Factor], now: datetime) -> bool:
    """Whether the person proved the strongest that they hold within the last 15 minutes, in this session (MF-33), and has
    not been away since."""
    wanted = {*strongest(held), Factor.RECOVERY} if held else {PASSWORD, UPSTREAM}
    back = session.resumed_at
    proofs = (at for kind, at in session.proven.items() if kind in wanted)
    return any(now - at < FRESH_FOR and (back is None or at >= back) for at in proofs)


def still_pending(pending: FirstFactor | None, *, subject: SubjectFacts | None, now: datetime) -> bool:
    """Whether a right password still waits for its second factor: not for long, and not past a reset or a disabling."""
    if pending is None or subject is None or now - pending.at >= PENDING_FOR:
        return False
    return subject.status is Status.ACTIVE and subject.epoch == pending.epoch


def default_way(ways: Collection[Held]) -> Held | None:
    """What is asked first: the strongest kind, and of one kind the one used last."""
    order = list(Factor)
    ranked = sorted(ways, key=lambda way: way.last_used_at or way.created_at, reverse=True)
    return min(ranked, key=lambda way: order.index(way.kind), default=None)
