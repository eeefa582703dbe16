"""How many requests one address may make, and one target may get (EN-16)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.affiliations.requests.rules import Reason
from idp.foundation import limiter
from idp.foundation.limiter import Budget
from idp.vocabulary.refused import Refused

_DAY: Final = timedelta(days=1)
REQUESTER: Final = Budget("access_requester", limit=10, window=_DAY, lock_first=timedelta(hours=1), lock_max=_DAY)
TARGET: Final = Budget("access_target", limit=200, window=_DAY, lock_first=timedelta(hours=1), lock_max=_DAY)
"""Withdrawn requests count too, so that nobody fills the managers' mailboxes by asking and withdrawing."""


def reserve(tx: Session, *, email_key: str, target: str, now: datetime) -> Refused | None:
    """Count a request against who asks and against what is asked for."""
    if isinstance(limiter.reserve(tx, budget=REQUESTER, key=email_key, now=now), Refused):
        return Refused(Reason.TOO_MANY)
    if isinstance(limiter.reserve(tx, budget=TARGET, key=target, now=now), Refused):
        return Refused(Reason.TOO_MANY)
    return None
