"""E6: mails on days 60, 75 and 85, disabled on day 90."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.affiliations.dormancy.rules import ends_at, unused_since, warnings_due

USED = datetime(2026, 3, 2, 12, tzinfo=UTC)
DORMANCY = timedelta(days=90)


@pytest.mark.parametrize(
    ("days", "due"), [(0, 0), (59, 0), (60, 1), (74, 1), (75, 2), (84, 2), (85, 3), (89, 3), (200, 3)]
)
def test_E6_mails_are_due_on_days_60_75_and_85(days: int, due: int) -> None:
    assert warnings_due(USED, now=USED + timedelta(days=days), dormancy=DORMANCY) == due


@pytest.mark.parametrize("number", [1, 2, 3])
def test_E6_the_sweep_looks_for_just_those(number: int) -> None:
    now = USED + timedelta(days=(60, 75, 85)[number - 1])
    assert unused_since(number, now=now, dormancy=DORMANCY) == USED
    assert ends_at(USED, dormancy=DORMANCY) == USED + DORMANCY
