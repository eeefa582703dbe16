"""When a TIN passes to another owner: nobody who held it does, and whoever does is somebody else (MODEL §10).

Judged from what is stored of all records of the number and their dates: never from what one run remembers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from idp.directory.rules import in_force

TOGETHER: Final = timedelta(days=365)
"""Who has shared the number for so long with those before is their colleague, and stays in the practice."""
RECENTLY: Final = timedelta(days=1)
"""A run that was killed is resumed within this time: its moves and those of the next are one."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A provider record of a practice, as it is stored."""

    id: UUID
    registry: str
    npi: str
    name_key: str
    status: str
    effective_date: date
    end_date: date | None
    npi_deactivated_on: date | None = None
    joined_at: datetime | None = None
    """When it came to this practice; `None`: as early as that is known."""

    def holds(self, on: date) -> bool:
        """Whether it is in force on the day."""
        return in_force(self, on) and (self.npi_deactivated_on is None or self.npi_deactivated_on > on)

    def will(self, on: date) -> bool:
        """Whether it is in force on a later day only."""
        return self.effective_date > on and self.holds(self.effective_date)


@dataclass(frozen=True, slots=True)
class Former:
    """A record that was in force in the practice, and ended or moved away."""

    provider_id: UUID
    registry: str
    npi: str
    name_key: str
    at: datetime
    went_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class Owned:
    """A practice with all that is stored of who holds its number, and of who did."""

    name_key: str
    created_at: datetime
    holders: Sequence[Holder]
    former: Sequence[Former]

    def passes_on(self, today: date) -> date | None:
        """The first day, from today on, on which the number is another owner's; `None`: no day that is known of."""
        days = {today}
        for each in self.holders:
            known = (each.effective_date, each.end_date, each.npi_deactivated_on)
            days |= {day for day in known if day is not None and day > today}
        return next((day for day in sorted(days) if self._has_passed(day)), None)

    def newcomers(self, on: date) -> list[Holder]:
        """Who takes the number along when it passes: who holds it, or will, and is none of those before."""
        known = self._known(on)
        return [each for each in self.holders if (each.holds(on) or each.will(on)) and not known.has(each)]

    def merged_into(self, registry: str, now: datetime) -> UUID | None:
        """Where the last of a registry's records went, if none is left that holds the number or will."""
        on = now.date()
        if any(each.registry == registry and (each.holds(on) or each.will(on)) for each in self.holders):
            return None
        went = [each for each in self.former if each.registry == registry and each.went_to is not None]
        last = max(went, key=lambda each: each.at, default=None)
        return last.went_to if last is not None and last.at > now - RECENTLY else None

    def _has_passed(self, on: date) -> bool:
        present = [each for each in self.holders if each.holds(on)] or [each for each in self.holders if each.will(on)]
        past = self._past(on)
        if not present or any(self._belongs(each, past, on) for each in present):
            return False
        known = self._known(on)
        return not any(known.has(each) for each in present)

    def _past(self, on: date) -> list[Holder]:
        return [each for each in self.holders if not each.holds(on) and not each.will(on)]

    def _belongs(self, record: Holder, past: Sequence[Holder], on: date) -> bool:
        """Whether the practice has been this record's from the beginning, or for long together with those before."""
        first = self.created_at.date()
        later = record.joined_at is not None and record.joined_at > self.created_at
        if not past and not self.former:
            return not later
        if record.effective_date <= first and (not later or not self._was_held(past)):
            return True
        return self._last_held(past, on) - max(record.effective_date, self._joined(record)) >= TOGETHER

    def _was_held(self, past: Sequence[Holder]) -> bool:
        """Whether anybody before was in force here: else nobody can have come to act for them."""
        return bool(self.former) or any(
            each.end_date is not None and each.end_date > max(each.effective_date, self._joined(each)) for each in past
        )

    def _joined(self, record: Holder) -> date:
        return (record.joined_at or self.created_at).date()

    def _last_held(self, past: Sequence[Holder], on: date) -> date:
        ends = [day for each in past for day in (each.end_date, each.npi_deactivated_on) if day is not None]
        days = [day for day in (*ends, *(each.at.date() for each in self.former)) if day <= on]
        return max(days, default=date.min)

    def _known(self, on: date) -> "_Known":
        before: list[Holder | Former] = [*self._past(on), *self.former]
        names = {each.name_key for each in before} if before else {self.name_key}
        return _Known({each.npi for each in before}, names)


@dataclass(frozen=True, slots=True)
class _Known:
    """Of those before; where nobody is left to compare with, the practice's name is."""

    npis: set[str]
    names: set[str]

    def has(self, record: Holder) -> bool:
        return record.npi in self.npis or record.name_key in self.names
