"""One round of the worker: lease, do, write down. Sending stands between two transactions, never inside one."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.foundation.vault import Unopenable
from idp.messaging import service as messaging
from idp.messaging.delivery import Mailroom
from idp.messaging.models import OutboxMessage
from idp.messaging.rules import RETRIES, Link, Reason, Undelivered
from idp.sessions.models import LogoutDelivery
from idp.vocabulary.refused import Refused
from idp.worker.leasing import lease
from idp.worker.ringing import Ring, ring_next
from idp.worker.rules import LOGOUT_RETRIES, Undelivery, retry_logout_at

DeliverLogout = Callable[[Any, datetime], Refused | None]
"""One logout call for one leased row, with a token minted now: `None` when the relying party took it (LO-12)."""

MOST_MESSAGE_TRIES: Final = len(RETRIES) + 1
MOST_LOGOUT_TRIES: Final = len(LOGOUT_RETRIES) + 1
"""A row leased more often killed its workers: it is given up without another try."""
_outbox: Table = OutboxMessage.__table__  # type: ignore[assignment]
_logouts: Table = LogoutDelivery.__table__  # type: ignore[assignment]
_log = logging.getLogger(__name__)
_jitter: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Ports:
    """The three ways out."""

    mailroom: Mailroom
    deliver_logout: DeliverLogout
    ring: Ring


def work_once(*, ports: Ports, read_clock: Callable[[], datetime]) -> int:
    """One message, one logout call and one ring, if any are due; says how many rows were worked on.

    `read_clock` is asked before and after sending: a slow server must not shorten a link's life or a pause.
    """
    return (
        ring_next(ports.ring, read_clock=read_clock)
        + send_next(ports.mailroom, read_clock=read_clock)
        + call_next(ports.deliver_logout, read_clock=read_clock)
    )


def send_next(mailroom: Mailroom, *, read_clock: Callable[[], datetime]) -> int:
    """Send the message that is due longest."""
    started = read_clock()
    with writing() as tx:
        rows = lease(tx, _outbox, now=started)
    for row in rows:
        link, outcome = _try_to_send(row, mailroom, now=started)
        now = read_clock()
        with writing() as tx:
            messaging.settle(tx, row=row, link=link, outcome=outcome, now=now, sent_at=started, jitter=_jitter.random())
        if outcome is not None:
            _log.warning(
                "a message did not leave",
                extra={"notice": row.notice, "attempts": row.attempts, "reason": outcome.detail},
            )
    return len(rows)


def _try_to_send(row: Any, mailroom: Mailroom, *, now: datetime) -> tuple[Link | None, Undelivered | None]:
    if row.attempts > MOST_MESSAGE_TRIES:
        return None, Undelivered(Reason.REJECTED, "tries used up")
    try:
        owed = messaging.opened(row)
    except Unopenable:
        return None, Undelivered(Reason.TRY_LATER, "cannot be unsealed")
    try:
        return owed.payload.link, mailroom.deliver(owed, now=now)
    except Exception as error:
        _log.exception("a message cannot be sent", extra={"notice": row.notice})
        return None, Undelivered(Reason.TRY_LATER, type(error).__name__)


def call_next(deliver: DeliverLogout, *, read_clock: Callable[[], datetime]) -> int:
    """Make the logout call that is due longest."""
    with writing() as tx:
        rows = lease(tx, _logouts, now=read_clock())
    for row in rows:
        outcome = _try_to_call(row, deliver, now=read_clock())
        now = read_clock()
        with writing() as tx:
            _settle_logout(tx, row=row, outcome=outcome, now=now)
        if outcome is not None:
            _log.warning(
                "a relying party did not take its logout call",
                extra={"client_id": row.client_id, "attempts": row.attempts, "reason": outcome.reason.value},
            )
    return len(rows)


def _try_to_call(row: Any, deliver: DeliverLogout, *, now: datetime) -> Refused | None:
    try:
        return Refused(Undelivery.TRIES_USED_UP) if row.attempts > MOST_LOGOUT_TRIES else deliver(row, now)
    except Exception:
        _log.exception("a logout call cannot be made", extra={"client_id": row.client_id})
        return Refused(Undelivery.FAULT)


def _settle_logout(tx: Session, *, row: Any, outcome: Refused | None, now: datetime) -> None:
    why = None if outcome is None else outcome.reason.value
    again = None if outcome is None else retry_logout_at(row.attempts, now=now, jitter=_jitter.random())
    if again is not None:
        values: dict[str, Any] = {"due_at": again, "leased_until": None, "last_error": why}
    else:
        outcome_word = "delivered" if outcome is None else "dead"
        values = {"done_at": now, "leased_until": None, "outcome": outcome_word, "last_error": why}
    c = _logouts.c
    mine = (c.id == row.id, c.attempts == row.attempts, c.done_at.is_(None))
    written = tx.execute(update(_logouts).where(*mine).values(**values)).rowcount  # type: ignore[attr-defined]
    if written and outcome is not None and again is None:
        audit.append(
            tx,
            Event.LOGOUT_UNDELIVERABLE,
            now=now,
            actor="system",
            origin=Origin.local("worker"),
            outcome=outcome.reason.value,
            client_id=row.client_id,
            details={"sid": row.sid, "tries": row.attempts},
        )
