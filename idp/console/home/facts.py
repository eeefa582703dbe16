"""What waits, counted at every look."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.affiliations.models import Affiliation
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.rules import Status
from idp.affiliations.rules import PENDING_LIFETIME
from idp.audit.events import Event
from idp.console.outbox import facts as outbox
from idp.console.reviews import facts as reviews
from idp.console.trail.facts import count_since
from idp.foundation import house
from idp.foundation.database import see_as
from idp.settings import Settings
from idp.vocabulary.affiliation import AffiliationStatus


@dataclass(frozen=True, slots=True)
class Counters:
    """How the system is now."""

    requests: int
    escalated: int
    verifications: int
    failed_sign_ins: int
    """Within 24 hours."""
    waiting: int
    dead: int
    reviews: int
    """Of access, that nobody confirmed in time."""


def counters(tx: Session, *, now: datetime) -> Counters:
    """All of them."""
    see_as(tx, everything=True)
    open_ones = (
        AccessRequest.status == Status.PENDING.value,
        AccessRequest.submitted_at > now - house.get(Settings).access_request_window,
    )
    requests = tx.execute(select(func.count()).where(*open_ones)).scalar_one()
    escalated = tx.execute(select(func.count()).where(*open_ones, AccessRequest.escalated_at.is_not(None))).scalar_one()
    verifications = tx.execute(
        select(func.count()).where(
            Affiliation.status == AffiliationStatus.VERIFICATION_PENDING.value,
            Affiliation.created_at > now - PENDING_LIFETIME,
        )
    ).scalar_one()
    failed = count_since(tx, Event.SIGN_IN_REFUSED, since=now - timedelta(hours=24))
    return Counters(
        requests, escalated, verifications, failed, outbox.waiting(tx), outbox.dead(tx), reviews.overdue(tx, now=now)
    )
