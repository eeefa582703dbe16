"""When a TIN has passed to another owner: nobody who held it does, and whoever does is somebody else (MODEL §10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from idp.directory.rules import in_force


@dataclass(frozen=True, slots=True)
class Holder:
    """A provider record of a practice, as it is after the batch."""

    id: UUID
    npi: str
    name_key: str
    status: str
    effective_date: date
    end_date: date | None
    joined: bool
    """It came to this practice in this run."""
    ended_now: bool = False
    """It ended in this run."""

    def counts(self, on: date) -> bool:
        """Whether it is in force, or will be."""
        return self.effective_date > on or in_force(self, on)


@dataclass(frozen=True, slots=True)
class Leaver:
    """A record that has moved to another practice in this batch."""

    npi: str
    name_key: str
    went_to: UUID


def has_passed_on(holders: Sequence[Holder], leavers: Sequence[Leaver], *, named: str, on: date) -> bool:
    """Whether the practice's number belongs to somebody else now.

    Whoever holds it came in this run, or began no earlier than the last one ended of whom we learn so in this run; and
    shares neither NPI nor name with those before. Where nobody is left to compare with, the practice's name is.
    """
    present = [each for each in holders if each.counts(on)]
    past = [each for each in holders if not each.counts(on)]
    if not present:
        return False
    fresh = all(each.joined for each in present)
    if not fresh and not _followed(present, past):
        return False
    npis = {each.npi for each in past} | {each.npi for each in leavers}
    names = {each.name_key for each in past} | {each.name_key for each in leavers} or {named}
    return not any(each.npi in npis or each.name_key in names for each in present)


def _followed(present: Sequence[Holder], past: Sequence[Holder]) -> bool:
    ends = [each.end_date for each in past if each.end_date is not None]
    if not ends or not any(each.ended_now for each in past):
        return False
    return all(each.effective_date >= max(ends) for each in present)
