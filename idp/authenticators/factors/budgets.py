"""How often a code may be tried, whatever its kind: authenticator app, SMS, e-mail, recovery (MF-03, MF-32)."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.authenticators.factors.rules import Reason
from idp.foundation import limiter
from idp.foundation.limiter import Budget
from idp.vocabulary.refused import Refused

CHALLENGE: Final = Budget(
    name="factor_challenge",
    limit=5,
    window=timedelta(hours=1),
    lock_first=timedelta(hours=2),
    lock_max=timedelta(hours=2),
)
"""Five tries a sign-in; then it begins again with the password. The pause outlives the transaction."""
ACCOUNT: Final = Budget(
    name="factor",
    limit=10,
    window=timedelta(minutes=10),
    lock_first=timedelta(minutes=10),
    lock_max=timedelta(hours=24),
    ever=100,
)
"""Ten in ten minutes, never a hundred in all; a passkey is not counted here, so its holder is never locked out (SI-09)."""


def reserve(tx: Session, *, account: str, txn: UUID, now: datetime) -> Refused | None:
    """Count an attempt against this sign-in and the account before the code is looked at (RA-14)."""
    if isinstance(limiter.reserve(tx, budget=ACCOUNT, key=account, now=now), Refused):
        return Refused(Reason.TOO_MANY)
    if isinstance(limiter.reserve(tx, budget=CHALLENGE, key=str(txn), now=now), Refused):
        limiter.give_back(tx, budget=ACCOUNT, key=account, now=now)
        return Refused(Reason.TOO_MANY_HERE)
    return None


def succeeded(tx: Session, *, account: str, txn: UUID, now: datetime) -> None:
    """The person proved themselves: what was held against the account and this sign-in is forgiven."""
    limiter.forgive(tx, budget=ACCOUNT, key=account, now=now)
    limiter.forgive(tx, budget=CHALLENGE, key=str(txn), now=now)
