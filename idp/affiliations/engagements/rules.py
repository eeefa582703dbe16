"""What a practice may agree with a trading partner, and how it stands on a day. Pure (MODEL §2, §7)."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from idp.vocabulary.refused import Refused

AHEAD: Final = timedelta(days=366)
"""How far ahead an engagement may begin."""


class Reason(StrEnum):
    """Why an engagement is not changed."""

    UNKNOWN = "unknown"
    CHANGED_MEANWHILE = "changed_meanwhile"
    IN_THE_PAST = "in_the_past"
    TOO_FAR_AHEAD = "too_far_ahead"
    ENDS_BEFORE_IT_BEGINS = "ends_before_it_begins"
    NO_SUCH_LEVEL = "no_such_level"
    NO_LEVEL = "no_level"
    NOT_RUNNING = "not_running"
    NOT_IN_FORCE = "not_in_force"
    NO_STAFF = "no_staff"


class Stands(StrEnum):
    """How an engagement stands today."""

    RUNS = "runs"
    BEGINS = "begins"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a practice and a trading partner agreed; `cap` is `None` where nothing is capped."""

    starts_on: date
    ends_on: date | None
    cap: tuple[str, ...] | None
    source: str = "manager"

    def stands(self, today: date) -> Stands:
        """Read, not stored."""
        if self.ends_on is not None and self.ends_on <= today:
            return Stands.ENDED
        return Stands.RUNS if self.starts_on <= today else Stands.BEGINS

    @property
    def seen(self) -> str:
        """What a page was shown, so that a change made meanwhile is noticed."""
        text = f"{self.starts_on}|{self.ends_on}|{self.cap}|{self.source}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Staffed:
    """Who of the partner's staff works for a practice; `None`: all of them."""

    affiliation_ids: frozenset[UUID] | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who of the people on one page shall work for a practice; of the others each stays as they are, or none works."""

    shown: frozenset[UUID]
    ticked: frozenset[UUID]
    nobody_else: bool = False

    def after(self, before: frozenset[UUID]) -> frozenset[UUID]:
        """Everybody who then works for it."""
        return self.ticked if self.nobody_else else (before - self.shown) | self.ticked


def judge(wanted: Agreed, *, before: Agreed | None, catalogue: Collection[str], today: date) -> Refused | None:
    """Whether this may be agreed today. What runs already keeps its beginning."""
    runs = before is not None and before.stands(today) is Stands.RUNS
    if not runs and wanted.starts_on < today:
        return Refused(Reason.IN_THE_PAST)
    if wanted.starts_on > today + AHEAD:
        return Refused(Reason.TOO_FAR_AHEAD)
    if wanted.ends_on is not None and wanted.ends_on <= max(wanted.starts_on, today):
        return Refused(Reason.ENDS_BEFORE_IT_BEGINS)
    if wanted.cap is not None and not set(wanted.cap) <= set(catalogue):
        return Refused(Reason.NO_SUCH_LEVEL)
    return Refused(Reason.NO_LEVEL) if wanted.cap == () else None
