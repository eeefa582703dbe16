"""When a TIN passes to another owner: nobody who held it does, and whoever does is somebody else (MODEL §10).

Judged from what is stored of all records of the number and their dates: never from what one run remembers.
"""

from collections import deque
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

    def turns(self) -> list[date]:
        """Days on which it begins or ceases to be in force."""
        left = self.left_on()
        return [self.effective_date] if left is None else [] if left == date.min else [self.effective_date, left]

    def left_on(self) -> date | None:
        """From when on it is in force no more nor will be: from ever, if it never is; `None`: that is not known of."""
        if not self.holds(self.effective_date):
            return date.min
        return min((day for day in (self.end_date, self.npi_deactivated_on) if day is not None), default=None)


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
        """The first day, from today on, on which the number is another owner's; `None`: no day that is known of.

        Only days are judged on which somebody begins or ceases to hold it: on no other can it pass.
        """
        turns = {day for each in self.holders for day in each.turns() if day > today}
        before = _Before(self)
        for day in sorted({today, *turns}):
            before.go_to(day)
            if self._has_passed(day, before):
                return day
        return None

    def newcomers(self, on: date) -> list[Holder]:
        """Who takes the number along when it passes: who holds it, or will, and is none of those before."""
        before = _Before(self)
        before.go_to(on)
        return [each for each in self.holders if (each.holds(on) or each.will(on)) and not before.has(each)]

    def merged_into(self, registry: str, now: datetime) -> UUID | None:
        """Where the last of a registry's records went, if none is left that holds the number or will."""
        on = now.date()
        if any(each.registry == registry and (each.holds(on) or each.will(on)) for each in self.holders):
            return None
        went = [each for each in self.former if each.registry == registry and each.went_to is not None]
        last = max(went, key=lambda each: each.at, default=None)
        return last.went_to if last is not None and last.at > now - RECENTLY else None

    def _has_passed(self, on: date, before: "_Before") -> bool:
        present = [each for each in self.holders if each.holds(on)] or [each for each in self.holders if each.will(on)]
        return bool(present) and not any(before.has(each) or self._belongs(each, before) for each in present)

    def _belongs(self, record: Holder, before: "_Before") -> bool:
        """Whether the practice has been this record's from the beginning, or for long together with those before."""
        later = record.joined_at is not None and record.joined_at > self.created_at
        if before.is_nobody:
            return not later
        if record.effective_date <= self.created_at.date() and (not later or not before.held):
            return True
        return before.last_held - max(record.effective_date, self.joined(record)) >= TOGETHER

    def joined(self, record: Holder) -> date:
        """Since when the record is known to be of this practice."""
        return (record.joined_at or self.created_at).date()


class _Before:
    """Those who held the number before a day, and hold it no more nor will; days are gone through in their order, once."""

    def __init__(self, owned: Owned) -> None:
        self._owned = owned
        self._npis = {each.npi for each in owned.former}
        self._names = {each.name_key for each in owned.former}
        self.is_nobody = not owned.former
        self.held = bool(owned.former)
        """Whether anybody before was in force here: else nobody can have come to act for them."""
        self.last_held = date.min
        """The last day on which any of them was, as far as it is told."""
        ends = [(each.at.date(), each.at.date()) for each in owned.former]
        leaving = []
        for each in owned.holders:
            left = each.left_on()
            if left is not None:
                leaving.append((left, each))
                told = (day for day in (each.end_date, each.npi_deactivated_on) if day is not None)
                ends += [(max(left, day), day) for day in told]
        self._leaving = deque(sorted(leaving, key=lambda pair: pair[0]))
        self._ends = deque(sorted(ends))

    def go_to(self, on: date) -> None:
        """Take in who has left by the day."""
        while self._leaving and self._leaving[0][0] <= on:
            self._take(self._leaving.popleft()[1])
        while self._ends and self._ends[0][0] <= on:
            self.last_held = max(self.last_held, self._ends.popleft()[1])

    def _take(self, each: Holder) -> None:
        self._npis.add(each.npi)
        self._names.add(each.name_key)
        self.is_nobody = False
        if each.end_date is not None and each.end_date > max(each.effective_date, self._owned.joined(each)):
            self.held = True

    def has(self, record: Holder) -> bool:
        """Whether it is one of them; where nobody is left to compare with, the practice's name is."""
        names = {self._owned.name_key} if self.is_nobody else self._names
        return record.npi in self._npis or record.name_key in names
