"""How often a code may be tried, whatever its kind: authenticator app, SMS, e-mail, recovery (MF-03, MF-32)."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.authenticators.factors.rules import Reason
from idp.authenticators.password.budgets import everybody
from idp.foundation import limiter
from idp.foundation.limiter import Budget
from idp.vocabulary.assurance import Factor
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


EVERYBODY: Final = "factor_everybody"
TYPED: Final = frozenset({Factor.TOTP, Factor.SMS, Factor.EMAIL, Factor.RECOVERY})
"""Kinds whose proof is a typed code, counted here."""


def reserve(tx: Session, *, account: str, txn: UUID, now: datetime) -> Refused | None:
    """Count an attempt against this sign-in, the account and all together, before the code is looked at (RA-14).

    Where the browser is one that the person had remembered, `account` names it too (SI-09).
    """
    if isinstance(limiter.reserve(tx, budget=everybody(EVERYBODY), key="all", now=now), Refused):
        return Refused(Reason.BUSY)
    if isinstance(limiter.reserve(tx, budget=ACCOUNT, key=account, now=now), Refused):
        return Refused(Reason.TOO_MANY)
    if isinstance(limiter.reserve(tx, budget=CHALLENGE, key=str(txn), now=now), Refused):
        limiter.give_back(tx, budget=ACCOUNT, key=account, now=now)
        return Refused(Reason.TOO_MANY_HERE)
    return None


def succeeded(tx: Session, *, account: str, txn: UUID, now: datetime, typed: bool = True) -> None:
    """The person proved themselves: what was held against the account and this sign-in is forgiven.

    `typed`: by a code that `reserve` had counted; what is not typed was not counted.
    """
    if typed:
        limiter.give_back(tx, budget=everybody(EVERYBODY), key="all", now=now)
    limiter.forgive(tx, budget=ACCOUNT, key=account, now=now)
    limiter.forgive(tx, budget=CHALLENGE, key=str(txn), now=now)


def forgive(tx: Session, *, account: str, now: datetime) -> None:
    """Nothing is held against the account any more: they proved themselves elsewhere, or lost what was guessed at."""
    limiter.forgive(tx, budget=ACCOUNT, key=account, now=now)
