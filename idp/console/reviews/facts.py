"""Reviews that need somebody's attention, the most urgent first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from idp.affiliations.managers.facts import point_at
from idp.affiliations.reviews.facts import Counts, counts, standing_of
from idp.affiliations.reviews.models import AccessReview
from idp.affiliations.reviews.rules import State, state_at
from idp.foundation.database import see_as
from idp.vocabulary.affiliation import TargetKind

SHOWN: Final = 100
SOON: Final = timedelta(days=7)
KEPT: Final = timedelta(days=90)
"""How long a review that nobody confirmed stays in the list."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One of them."""

    row: AccessReview
    target: str
    state: State
    counts: Counts


def urgent(tx: Session, *, now: datetime) -> tuple[Listed, ...]:
    """Open ones that end within a week, and those that lapsed within the last 90 days."""
    see_as(tx, everything=True)
    query = select(AccessReview).where(_is_urgent(now)).order_by(AccessReview.due_at, AccessReview.id).limit(SHOWN)
    found = []
    for row in tx.scalars(query).all():
        target = point_at(
            tx, registry=row.registry_name, kind=TargetKind(row.target_kind), target_id=row.target_id, now=now
        )
        see_as(tx, everything=True)
        state = state_at(standing_of(row), now=now)
        found.append(Listed(row, target.name if target is not None else "", state, counts(tx, row)))
    return tuple(found)


def overdue(tx: Session, *, now: datetime) -> int:
    """How many lapsed and are not closed, or were closed without anybody's word within the last 90 days."""
    see_as(tx, everything=True)
    lapsed = and_(AccessReview.confirmed_at.is_(None), AccessReview.due_at <= now, AccessReview.due_at > now - KEPT)
    return tx.execute(select(func.count()).select_from(AccessReview).where(lapsed)).scalar_one()


def _is_urgent(now: datetime) -> ColumnElement[bool]:
    lapsed = and_(AccessReview.due_at <= now, AccessReview.due_at > now - KEPT)
    soon = and_(AccessReview.closed_at.is_(None), AccessReview.due_at <= now + SOON)
    return and_(AccessReview.confirmed_at.is_(None), or_(lapsed, soon))
