"""Time never goes back within a process (R-19)."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.foundation.clock import Forward

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Hands:
    """A system's clock that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.wall, self.passed = NOON, 0.0

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.passed += seconds


def test_R_19_a_step_back_revives_nothing_and_time_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    hands = Hands()
    now = Forward(wall=lambda: hands.wall, monotonic=lambda: hands.passed)
    hands.pass_by(10)
    before = now()
    assert before == NOON + timedelta(seconds=10)
    hands.wall -= timedelta(hours=1)
    hands.pass_by(1)
    assert now() == before + timedelta(seconds=1)
    hands.pass_by(30)
    assert now() == before + timedelta(seconds=31)
    assert [record.levelname for record in caplog.records] == ["ERROR"], "told once"
    hands.wall = NOON + timedelta(hours=2)
    assert now() == hands.wall, "forward it goes at once"


def test_R_19_what_ntp_takes_back_little_by_little_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    hands = Hands()
    now = Forward(wall=lambda: hands.wall, monotonic=lambda: hands.passed)
    last = now()
    for _ in range(100):
        hands.pass_by(1)
        hands.wall -= timedelta(milliseconds=1)
        before, last = last, now()
        assert last > before
    assert last == NOON + timedelta(seconds=100)
    assert caplog.records == []
