"""What becomes of reviews by time alone: they begin, managers are reminded, and what nobody kept ends."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import Place
from idp.affiliations.managers.facts import point_at
from idp.affiliations.managers.telling import tell_managers
from idp.affiliations.reviews import closing, facts, service
from idp.affiliations.reviews.models import AccessReview
from idp.affiliations.reviews.rules import REMINDED_BEFORE, State, reminders_due, state_at
from idp.foundation import house
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary.affiliation import TargetKind

_LOOKED_AT: Final = 5_000
"""Due targets read in one round: above the number of those that nobody in force can answer for."""


def begin(tx: Session, *, now: datetime, batch: int) -> int:
    """Open a batch of reviews that are due; says how many."""
    done = 0
    for party in relying_parties.every(now=now).values():
        every, terms = service.every_of(party), affiliations.terms_of(party)
        if party.portal is None or terms is None or not party.enabled or not every:
            continue
        see_as(tx, everything=True)
        for kind, target_id in tx.execute(facts.due_targets(terms, since=now - every, now=now, limit=_LOOKED_AT)).all():
            place = _place(tx, party, registry=terms.registry, kind=kind, target_id=target_id, now=now)
            opened = place is not None and place.target.in_force
            if place is not None and opened and service.open_review(tx, place, now=now) is not None:
                done += 1
            if done >= batch:
                return done
    return done


def remind(tx: Session, *, now: datetime, batch: int) -> int:
    """Remind the managers of a batch of open reviews; says how many were looked at."""
    done = 0
    for number, before in reversed(tuple(enumerate(REMINDED_BEFORE, start=1))):
        query = (
            select(AccessReview)
            .where(
                AccessReview.closed_at.is_(None),
                AccessReview.confirmed_at.is_(None),
                AccessReview.due_at <= now + before,
                AccessReview.due_at > now,
                AccessReview.reminders < number,
            )
            .limit(batch - done)
        )
        rows = tx.scalars(query.with_for_update(skip_locked=True)).all()
        for row in rows:
            _remind(tx, row, now=now)
        done += len(rows)
    return done


def close(tx: Session, *, now: datetime, batch: int) -> int:
    """Carry out a batch of what reviews that are over decided; says how many people and reviews it was about."""
    query = (
        select(AccessReview)
        .where(
            AccessReview.closed_at.is_(None), or_(AccessReview.confirmed_at.is_not(None), AccessReview.due_at <= now)
        )
        .order_by(AccessReview.due_at)
        .limit(1)
    )
    row = tx.scalars(query.with_for_update(skip_locked=True)).one_or_none()
    if row is None or state_at(facts.standing_of(row), now=now) is State.OPEN:
        return 0
    place = _of(tx, row, now=now)
    see_as(tx, everything=True)
    if place is None or (row.confirmed_at is None and not facts.ask_whom(tx, place, now=now)):
        # Nobody could have answered: the payer sees it as overdue, and it waits for whoever manages the target next.
        see_as(tx, everything=True)
        row.due_at, row.reminders = now + house.get(Settings).review_window, 0
        return 1
    return 1 + closing.carry_out(tx, place, row, now=now, origin=Origin.local("worker"), batch=batch)


def _remind(tx: Session, row: AccessReview, *, now: datetime) -> None:
    row.reminders = reminders_due(row.due_at, now=now)
    place = _of(tx, row, now=now)
    if place is None:
        return
    managers = facts.ask_whom(tx, place, now=now)
    see_as(tx, everything=True)
    context = {"target": place.target.name, "ends": row.due_at}
    tell_managers(tx, managers, notice="review_waiting", party=place.party, context=context, now=now)


def _of(tx: Session, row: AccessReview, *, now: datetime) -> Place | None:
    party = relying_parties.find(row.portal, now=now)
    kind, target_id = row.target_kind, row.target_id
    if party is None:
        return None
    return _place(tx, party, registry=row.registry_name, kind=kind, target_id=target_id, now=now)


def _place(
    tx: Session, party: RelyingParty, *, registry: str, kind: str, target_id: UUID, now: datetime
) -> Place | None:
    terms = affiliations.terms_of(party)
    target = point_at(tx, registry=registry, kind=TargetKind(kind), target_id=target_id, now=now)
    return None if terms is None or target is None else Place(party, terms, target)
