"""When a person is written to about access that they do not use. Pure (E6: on days 60, 75 and 85 of 90)."""

from datetime import datetime, timedelta
from typing import Final

WARNED_BEFORE: Final = (timedelta(days=30), timedelta(days=15), timedelta(days=5))
"""How long before the end the first, second and third mail are due."""


def ends_at(used_at: datetime, *, dormancy: timedelta) -> datetime:
    """From when on access that was last used at `used_at` reads disabled."""
    return used_at + dormancy


def warnings_due(used_at: datetime, *, now: datetime, dormancy: timedelta) -> int:
    """How many mails there should have been by now; of several missed ones only the last is sent."""
    return sum(now >= ends_at(used_at, dormancy=dormancy) - before for before in WARNED_BEFORE)


def unused_since(number: int, *, now: datetime, dormancy: timedelta) -> datetime:
    """The last use at or before which warning `number` (from 1) is due."""
    return now - dormancy + WARNED_BEFORE[number - 1]
