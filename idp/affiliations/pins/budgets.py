"""How often PINs may be tried: per provider ID, per address and in all (EN-01, ruling 11)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.affiliations.pins.rules import Reason
from idp.foundation import limiter
from idp.foundation.limiter import Budget
from idp.vocabulary.refused import Refused

_HOUR: Final = timedelta(hours=1)
PAUSE: Final = Budget("pin_letter", limit=5, window=_HOUR, lock_first=_HOUR, lock_max=_HOUR)
"""Five wrong PINs pause the provider ID for an hour."""
IN_ALL: Final = Budget(
    "pin_letter_in_all", limit=20, window=timedelta(days=365), lock_first=_HOUR, lock_max=_HOUR, ever=20
)
"""Twenty without a right one between them void its letters, whatever time passes."""
ADDRESS: Final = Budget(
    "pin_address", limit=20, window=_HOUR, lock_first=timedelta(minutes=15), lock_max=timedelta(hours=24)
)
EVERYBODY: Final = Budget(
    "pin_everybody",
    limit=600,
    window=timedelta(minutes=10),
    lock_first=timedelta(seconds=30),
    lock_max=timedelta(minutes=5),
)
"""Brakes a walk over provider IDs from many addresses; short, since it brakes honest people too."""


def reserve(tx: Session, *, provider: str, address: str, now: datetime) -> Refused | None:
    """Count an attempt before the PIN is looked at; `limiter.Reason.EXHAUSTED` says that the letters are to be void."""
    if isinstance(limiter.reserve(tx, budget=EVERYBODY, key="all", now=now), Refused):
        return Refused(Reason.BUSY)
    if isinstance(limiter.reserve(tx, budget=ADDRESS, key=limiter.network_of(address), now=now), Refused):
        return Refused(Reason.TOO_MANY)
    if isinstance(limiter.reserve(tx, budget=PAUSE, key=provider, now=now), Refused):
        return Refused(Reason.TOO_MANY)
    counted = limiter.reserve(tx, budget=IN_ALL, key=provider, now=now)
    return counted if isinstance(counted, Refused) else None


def used_up(tx: Session, *, provider: str, now: datetime) -> bool:
    """Whether no PIN of this provider ID may be tried any more."""
    found = limiter.state(tx, budget=IN_ALL, key=provider, now=now)
    return found is not None and found.reason is limiter.Reason.EXHAUSTED


def matched(tx: Session, *, provider: str, address: str, now: datetime) -> None:
    """The right PIN: nothing is held against the provider ID, and the shared budgets get this attempt back."""
    limiter.forgive(tx, budget=PAUSE, key=provider, now=now)
    limiter.forgive(tx, budget=IN_ALL, key=provider, now=now)
    limiter.give_back(tx, budget=ADDRESS, key=limiter.network_of(address), now=now)
    limiter.give_back(tx, budget=EVERYBODY, key="all", now=now)


def start_over(tx: Session, *, provider: str, now: datetime) -> None:
    """The letters are void: the next letter begins with a count of its own."""
    limiter.forgive(tx, budget=IN_ALL, key=provider, now=now)
