"""When to try again, and when to give up. Facts in, outcome out."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Undelivery(StrEnum):
    """Why a logout call was not even made."""

    TRIES_USED_UP = "tries_used_up"
    FAULT = "fault"


LEASE: Final = timedelta(seconds=60)
"""How long a leased row is nobody else's; every single try ends well before."""
LOGOUT_RETRIES: Final = tuple(timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200, 21_600, 54_000))
"""Pauses after the first, second … failed logout call: eight tries in about a day (LO-12)."""


PUSH_RETRY: Final = timedelta(seconds=5)
"""Between tries to ring a phone, until the request is over."""


def retry_push_at(*, expires_at: datetime, now: datetime) -> datetime | None:
    """When to ring again, or `None`: it would come too late."""
    again = now + PUSH_RETRY
    return again if again < expires_at else None


def retry_logout_at(attempts: int, *, now: datetime, jitter: float) -> datetime | None:
    """When to call again after `attempts` failures, or `None`: give up. `jitter` in 0..1 spreads a crowd by a fifth."""
    if attempts > len(LOGOUT_RETRIES):
        return None
    return now + LOGOUT_RETRIES[max(attempts, 1) - 1] * (0.9 + 0.2 * jitter)
