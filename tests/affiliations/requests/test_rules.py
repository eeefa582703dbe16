"""How a request stands at a moment (B8, AD-08, EN-16)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.affiliations.requests.rules import (
    Cause,
    Reason,
    Standing,
    Status,
    Wish,
    may_ask,
    reminders_due,
    status_at,
    time_left,
)
from idp.vocabulary.refused import Refused

ASKED = datetime(2026, 3, 2, 12, tzinfo=UTC)
WINDOW = timedelta(hours=120)
SECOND = timedelta(seconds=1)


def test_B8_undecided_it_is_pending_to_the_last_second_and_denied_from_the_120th_hour() -> None:
    asked = Standing(Status.PENDING, ASKED)
    assert status_at(asked, now=ASKED + WINDOW - SECOND, window=WINDOW) == (Status.PENDING, None)
    assert status_at(asked, now=ASKED + WINDOW, window=WINDOW) == (Status.DENIED, Cause.UNANSWERED)


@given(
    status=st.sampled_from([Status.APPROVED, Status.DENIED, Status.WITHDRAWN, Status.CLOSED]),
    hours=st.integers(0, 10_000),
)
def test_B8_what_was_decided_stays_decided(status: Status, hours: int) -> None:
    asked = Standing(status, ASKED, Cause.MANAGER)
    assert status_at(asked, now=ASKED + timedelta(hours=hours), window=WINDOW) == (status, Cause.MANAGER)


def test_B6_the_time_left_is_never_less_than_none() -> None:
    assert time_left(ASKED, now=ASKED + timedelta(hours=1), window=WINDOW) == timedelta(hours=119)
    assert time_left(ASKED, now=ASKED + timedelta(days=9), window=WINDOW) == timedelta(0)


@pytest.mark.parametrize(("hours", "due"), [(0, 0), (71, 0), (72, 1), (95, 1), (96, 2), (119, 2)])
def test_reminders_fall_due_on_day_3_and_day_4(hours: int, due: int) -> None:
    assert reminders_due(ASKED, now=ASKED + timedelta(hours=hours)) == due


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, None),
        ({"served": False}, Reason.OTHER_TARGET),
        ({"in_force": False}, Reason.NOT_IN_FORCE),
        ({"already_held": True}, Reason.ALREADY_HELD),
        ({"open_at_target": 99}, None),
        ({"open_at_target": 100}, Reason.INBOX_FULL),
    ],
)
def test_EN_16_who_may_ask(changed: dict[str, Any], refused: Reason | None) -> None:
    values: dict[str, Any] = {"served": True, "in_force": True, "already_held": False, "open_at_target": 0}
    outcome = may_ask(Wish(**(values | changed)))
    assert outcome == (None if refused is None else Refused(refused))
