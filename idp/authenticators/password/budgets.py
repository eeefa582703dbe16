"""How often a password may be tried; sign-in, change of password and reset share them (SECURITY D7, SI-20)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.authenticators.password.rules import Reason
from idp.foundation import house, limiter
from idp.foundation.limiter import Budget
from idp.settings import Settings
from idp.vocabulary.refused import Refused

ACCOUNT: Final = Budget(
    name="password",
    limit=5,
    window=timedelta(minutes=15),
    lock_first=timedelta(minutes=15),
    lock_max=timedelta(hours=24),
    ever=100,
)
"""MODEL §6: 15 minutes after five failures, doubling to 24 hours; never a hundred failures without a reset (SI-04)."""
EVERYBODY: Final = "password_everybody"


def everybody(name: str) -> Budget:
    """Brakes an attack that is spread over accounts and addresses alike; short, since it brakes honest people too."""
    return Budget(
        name=name,
        limit=house.get(Settings).tries_a_minute,
        window=timedelta(minutes=1),
        lock_first=timedelta(seconds=5),
        lock_max=timedelta(seconds=20),
    )


def reserve(tx: Session, *, account: str, now: datetime) -> Refused | None:
    """Count an attempt against the account and against all, before anything is verified (RX-03).

    `account` is the subject id, or the login key where nobody has it: unknown accounts lock like known ones.
    """
    if isinstance(limiter.reserve(tx, budget=everybody(EVERYBODY), key="all", now=now), Refused):
        return Refused(Reason.BUSY)
    if isinstance(limiter.reserve(tx, budget=ACCOUNT, key=account, now=now), Refused):
        return Refused(Reason.TOO_MANY)
    return None


def succeeded(tx: Session, *, account: str, now: datetime, subject_id: str | None = None) -> None:
    """The person proved themselves: their failures are forgiven, nobody else's are (SI-08).

    `account` is what was charged; failures under the person's own name are forgiven with it.
    """
    limiter.give_back(tx, budget=everybody(EVERYBODY), key="all", now=now)
    for key in sorted({account, subject_id or account}):
        limiter.forgive(tx, budget=ACCOUNT, key=key, now=now)


def nothing_tried(tx: Session, *, account: str, now: datetime) -> None:
    """No hash was computed, we were too busy: nobody's attempt is used up by that."""
    limiter.give_back(tx, budget=ACCOUNT, key=account, now=now)
    limiter.give_back(tx, budget=everybody(EVERYBODY), key="all", now=now)


def succeeded_at_setting(tx: Session, *, account: str, now: datetime) -> None:
    """A new password ends every pause of the account (MODEL §6: ended by time or reset mail)."""
    limiter.forgive(tx, budget=ACCOUNT, key=account, now=now)


def locked(tx: Session, *, account: str, now: datetime) -> bool:
    """Whether the account's password is refused now (MODEL §6: shown as *Locked*)."""
    return limiter.state(tx, budget=ACCOUNT, key=account, now=now) is not None
