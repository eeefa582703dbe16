"""Clearing up, in small batches; everything here is only tidiness, since reading already decides (DESIGN §4.8)."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from idp.account.closing import sweeping as accounts
from idp.affiliations.dormancy import sweeping as dormancy
from idp.affiliations.registering import sweeping as claims
from idp.affiliations.requests import reopening
from idp.affiliations.requests import sweeping as requests
from idp.affiliations.reviews import sweeping as reviews
from idp.authenticators.lost_factors import service as lost_factors
from idp.authenticators.push import closing as approvals
from idp.authenticators.remembered_devices import service as devices
from idp.directory.imports import rejects
from idp.directory.imports.days import sweeping as days
from idp.directory.imports.ownership import sweeping as ownership
from idp.enrollment import runs as enrollments
from idp.federation import arrivals
from idp.foundation import artefacts, house, limiter
from idp.foundation.database import see_as, writing
from idp.messaging import service as messaging
from idp.sessions import service as sessions
from idp.sessions import transactions
from idp.sessions.models import LogoutDelivery
from idp.settings import Settings
from idp.subjects import contact

BATCHES: Final = 100
"""Of one kind in one sweep: what is left of a huge backlog waits for the next."""
FULL: Final = 200
"""So many rows in a batch: there are more, and somebody may be waiting to write."""
PAUSE: Final = 0.1
"""SQLite has one writer, and whoever waits for it looks again every tenth of a second at worst."""
SHARE: Final = 3
"""So many times as long as a full batch took, others have the database: a backlog never starves a sign-in."""
_logouts: Table = LogoutDelivery.__table__  # type: ignore[assignment]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction cleared, and for how many seconds the next ought to wait."""

    job: str
    cleared: int
    pause: float


def sweep(*, now: datetime) -> dict[str, int]:
    """One pass, all at once; says how many rows of each kind were cleared."""
    cleared = Counter[str]()
    for batch in batches(now=now):
        cleared[batch.job] += batch.cleared
        time.sleep(batch.pause)
    return dict(cleared)


def batches(*, now: datetime, most: int = BATCHES) -> Iterator[Batch]:
    """One pass, at most so many batches of each kind, in turn; whoever asks for the next does other work before.

    No kind waits for another's backlog, nor for its failure: that ends its own turn, and is raised when all others are done.
    """
    left, failed = _jobs(now=now), None
    for _ in range(most):
        for name, job in tuple(left.items()):
            try:
                batch = _batch(name, job)
            except Exception as failure:
                _log.exception("a kind was not cleared up", extra={"kind": name})
                batch, failed = Batch(name, 0, 0.0), failure
            if batch.cleared == 0:
                del left[name]
            yield batch
    if failed is not None:
        raise failed


def _batch(name: str, job: Callable[[Session], int]) -> Batch:
    began = time.monotonic()
    with writing() as tx:
        see_as(tx, everything=True)
        cleared = job(tx)
    pause = min(1.0, max(PAUSE, SHARE * (time.monotonic() - began))) if cleared >= FULL else 0.0
    return Batch(name, cleared, pause)


def _jobs(*, now: datetime) -> dict[str, Callable[[Session], int]]:
    settings = house.get(Settings)
    before, batch = now - settings.purge_after, settings.purge_batch
    return {
        "sessions_ended": lambda tx: sessions.close_dead(tx, now=now, batch=min(batch, 200)),
        "requests_denied": lambda tx: requests.deny_overdue(tx, now=now, batch=min(batch, 200)),
        "requests_reopened": lambda tx: reopening.reopen_orphaned(tx, now=now, batch=min(batch, 200)),
        "requests_escalated": lambda tx: requests.escalate(tx, now=now, batch=min(batch, 200)),
        "requests_reminded": lambda tx: requests.remind(tx, now=now, batch=min(batch, 200)),
        "records_turned": lambda tx: days.tell_due(tx, now=now, batch=min(batch, 200)),
        "numbers_passed_on": lambda tx: ownership.part_due(tx, now=now, batch=min(batch, 200)),
        "access_dormant": lambda tx: dormancy.disable_dormant(tx, now=now, batch=min(batch, 200)),
        "access_warned": lambda tx: dormancy.warn(tx, now=now, batch=min(batch, 200)),
        "reviews_opened": lambda tx: reviews.begin(tx, now=now, batch=min(batch, 200)),
        "reviews_reminded": lambda tx: reviews.remind(tx, now=now, batch=min(batch, 200)),
        "reviews_closed": lambda tx: reviews.close(tx, now=now, batch=min(batch, 200)),
        "claims_lapsed": lambda tx: claims.end_lapsed(tx, now=now, batch=min(batch, 200)),
        "recoveries_opened": lambda tx: lost_factors.tell_open(tx, now=now),
        "approvals_unanswered": lambda tx: approvals.sweep(tx, now=now, batch=min(batch, 200)),
        "approvals": lambda tx: approvals.purge(tx, before=before, batch=batch),
        "transactions": lambda tx: transactions.purge(tx, before=before, batch=batch),
        "enrollments": lambda tx: enrollments.purge(tx, now=now, batch=batch),
        "remembered_devices": lambda tx: devices.purge(tx, before=before, batch=batch),
        "accounts_wiped": lambda tx: accounts.wipe_due(tx, now=now, batch=min(batch, 50)),
        "former_contacts": lambda tx: contact.purge(tx, now=now, batch=batch),
        "upstream_arrivals": lambda tx: arrivals.purge(tx, before=before - settings.session_absolute, batch=batch),
        "artefacts": lambda tx: artefacts.purge(tx, before=before, batch=batch),
        "import_rejects": lambda tx: rejects.purge(tx, now=now, batch=batch),
        "counts": lambda tx: limiter.purge(tx, now=now, batch=batch),
        "messages": lambda tx: messaging.purge(tx, now=now, batch=batch),
        "logout_deliveries": lambda tx: _purge_logouts(tx, now=now, batch=batch),
    }


def _purge_logouts(tx: Session, *, now: datetime, batch: int) -> int:
    doomed = select(_logouts.c.id).where(_logouts.c.done_at < now - messaging.KEPT_AFTER).limit(batch)
    return tx.execute(delete(_logouts).where(_logouts.c.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]
