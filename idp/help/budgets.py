"""How many messages one address may send, and one portal's support may get (X7)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.foundation import limiter
from idp.foundation.limiter import Budget
from idp.help.rules import Reason
from idp.vocabulary.refused import Refused

_DAY: Final = timedelta(days=1)
SENDER: Final = Budget(
    "support_sender", limit=5, window=timedelta(hours=1), lock_first=timedelta(hours=1), lock_max=_DAY
)
SUPPORT: Final = Budget(
    "support_inbox", limit=200, window=timedelta(hours=1), lock_first=timedelta(minutes=15), lock_max=_DAY
)
"""So that strangers of many addresses cannot bury what people really ask."""


def reserve(tx: Session, *, address: str, client_id: str, now: datetime) -> Refused | None:
    """Count a message against who sends it and against whose inbox it fills."""
    for budget, key in ((SENDER, limiter.network_of(address)), (SUPPORT, client_id)):
        if isinstance(limiter.reserve(tx, budget=budget, key=key, now=now), Refused):
            return Refused(Reason.TOO_MANY)
    return None
