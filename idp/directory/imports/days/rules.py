"""On which days a record begins or ceases to be in force, and what those who hang on it have been told (MODEL §10). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from idp.directory.changed import What
from idp.directory.rules import ProviderStatus, in_force

DAYS: Final = ("status", "effective_date", "end_date", "npi_deactivated_on", "turns_on")
"""What this goes by, as the columns of a record are called."""


@dataclass(frozen=True, slots=True)
class Days:
    """When a record is in force. `turns_on` is the next day that was noted on which that changes, until it is told."""

    status: str
    effective_date: date
    end_date: date | None
    npi_deactivated_on: date | None
    turns_on: date | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Days":
        return cls(*(values.get(name) for name in DAYS))  # type: ignore[arg-type]

    def listed(self, on: date) -> bool:
        """Whether the payer's file has it in force on the day."""
        return in_force(self, on)

    def npi_counts(self, on: date) -> bool:
        return self.npi_deactivated_on is None or self.npi_deactivated_on > on

    def holds(self, on: date) -> bool:
        """Whether it is in force on the day."""
        return self.listed(on) and self.npi_counts(on)

    def next_turn(self, after: date) -> date | None:
        """The first day after this one on which it is in force and was not the day before, or the other way round."""
        begins, ends = self.effective_date, self._ends()
        if ends is not None and ends <= begins:
            return None
        if begins > after:
            return begins
        return ends if ends is not None and ends > after else None

    def _ends(self) -> date | None:
        if self.end_date is None and self.status != ProviderStatus.ACTIVE:
            return date.min
        return min((day for day in (self.end_date, self.npi_deactivated_on) if day is not None), default=None)

    def told_on(self, today: date) -> date:
        """The day as of which those who hang on it have been told: of a turn that nobody has told yet the day before."""
        late = self.turns_on is not None and self.turns_on <= today
        return self.turns_on - timedelta(days=1) if late and self.turns_on is not None else today

    def held(self, today: date) -> bool:
        """Whether it was in force when those who hang on it were last told."""
        return self.holds(self.told_on(today))


def news(was: Days, now: Days, today: date) -> list[What]:
    """What is to be told of a record that was so, and has these days now."""
    before, found = was.told_on(today), []
    if was.listed(before) != now.listed(today):
        found.append(What.RESTORED if now.listed(today) else What.ENDED)
    if was.npi_counts(before) != now.npi_counts(today):
        found.append(What.NPI_REACTIVATED if now.npi_counts(today) else What.NPI_DEACTIVATED)
    return found


def overdue(record: Days, today: date) -> list[What]:
    """What a day that has come tells of a record that no file has changed: nothing, where it ends as it was told before."""
    return news(record, record, today) if record.held(today) != record.holds(today) else []
