"""Ringing phones that are asked to approve a sign-in: as messages are sent, but only while anybody waits."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, update

from idp.authenticators.push import subscribing
from idp.authenticators.push.models import PushDelivery
from idp.authenticators.push.rules import Reason
from idp.foundation.database import writing
from idp.vocabulary.refused import Refused
from idp.worker.leasing import lease
from idp.worker.rules import retry_push_at

Ring = Callable[[Any, datetime], Refused | None]
"""One try to ring a phone for one leased row: `None` when its push service took it (RFC 8030)."""
_table: Table = PushDelivery.__table__  # type: ignore[assignment]
_log = logging.getLogger(__name__)


def ring_next(ring: Ring, *, read_clock: Callable[[], datetime]) -> int:
    """Ring the phone that is due longest; one whose push service says that nobody is there is not rung again."""
    with writing() as tx:
        rows = lease(tx, _table, now=read_clock())
    for row in rows:
        outcome = _try(ring, row, now=read_clock())
        now = read_clock()
        again = _again(row, outcome, now=now)
        values: dict[str, Any] = {"leased_until": None, "last_error": outcome.reason.value if outcome else None}
        ended = {"done_at": now, "outcome": "dead" if outcome else "delivered"}
        with writing() as tx:
            if outcome is not None and outcome.reason is Reason.GONE:
                subscribing.unsubscribe(tx, factor_id=row.factor_id)
            mine = (_table.c.id == row.id, _table.c.attempts == row.attempts, _table.c.done_at.is_(None))
            tx.execute(update(_table).where(*mine).values(**values, **({"due_at": again} if again else ended)))
        if outcome is not None:
            _log.warning("a phone was not rung", extra={"attempts": row.attempts, "reason": outcome.reason.value})
    return len(rows)


def _try(ring: Ring, row: Any, *, now: datetime) -> Refused | None:
    try:
        return ring(row, now)
    except Exception:
        _log.exception("a phone cannot be rung")
        return Refused(Reason.TRY_LATER)


def _again(row: Any, outcome: Refused | None, *, now: datetime) -> datetime | None:
    if outcome is None or outcome.reason is not Reason.TRY_LATER:
        return None
    return retry_push_at(expires_at=row.expires_at, now=now)
