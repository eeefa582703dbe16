"""Opening a review, saying what is kept, and confirming it: locks, facts, rule, change, audit, mail in one transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import Place, actor_at, member_of, place_of, row_of
from idp.affiliations.deciding.rules import Actor
from idp.affiliations.managers.facts import lock
from idp.affiliations.managers.telling import tell_managers
from idp.affiliations.models import Affiliation
from idp.affiliations.reviews import closing, facts
from idp.affiliations.reviews.models import AccessReview, ReviewItem
from idp.affiliations.reviews.rules import Reason, may_confirm, may_say
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import new_id, see_as
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary.affiliation import Acting
from idp.vocabulary.refused import Refused

AT_ONCE = 200
"""People whose access is ended or changed with the confirmation itself; the worker carries out the rest."""


def every_of(party: RelyingParty) -> timedelta:
    """How often a portal's targets are reviewed; nothing: never."""
    days = party.portal.review_days if party.portal is not None else 0
    return house.get(Settings).review_every if days is None else timedelta(days=days)


def open_review(tx: Session, place: Place, *, now: datetime) -> UUID | None:
    """Begin a review and tell the managers; `None` where there is nobody to ask."""
    managers = facts.ask_whom(tx, place, now=now)
    if not managers:
        return None
    see_as(tx, everything=True)
    row = AccessReview(
        id=new_id(),
        portal=place.party.client_id,
        registry_name=place.target.registry,
        target_kind=place.target.kind.value,
        target_id=place.target.id,
        opened_at=now,
        due_at=now + house.get(Settings).review_window,
    )
    tx.add(row)
    tx.flush()
    audit.append(
        tx,
        Event.REVIEW_OPENED,
        now=now,
        actor="system",
        origin=Origin.local("worker"),
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"review": row.id, "due": row.due_at, "managers": len(managers)},
    )
    context = {"target": place.target.name, "ends": row.due_at}
    tell_managers(tx, managers, notice="review_opened", party=place.party, context=context, now=now)
    return row.id


def say(
    tx: Session,
    review_id: UUID,
    said: Mapping[UUID, Collection[str]],
    *,
    every: bool = False,
    acting: Acting,
    party: RelyingParty,
    now: datetime,
    origin: Origin,
) -> int | Refused:
    """Keep what a manager ticked for some people (`every`: all that they have); all of it or nothing.

    Says how many people it was about.
    """
    found = _opened(tx, review_id, acting=acting, party=party, now=now)
    if isinstance(found, Refused):
        return found
    place, actor, row = found
    others = len(facts.ask_whom(tx, place, now=now, but=actor.subject_id))
    see_as(tx, target_id=place.target.id)
    told: dict[str, list[str]] = {"kept": [], "ended": []}
    for affiliation_id, ticked in said.items():
        person = row_of(tx, place, affiliation_id)
        if person is None or person.created_at > row.opened_at:
            return Refused(Reason.UNKNOWN)
        member = member_of(place, person, now=now)
        kept = member.levels if every else ticked
        refused = may_say(facts.standing_of(row), member, kept, actor=actor, other_managers=others, now=now)
        if refused is not None:
            return refused
        _keep(tx, row, person, kept, before=member.levels, by=actor.subject_id, now=now)
        told["kept" if kept else "ended"].append(str(affiliation_id))
    _audit_said(tx, row, told, by=actor.subject_id, now=now, origin=origin)
    return len(said)


def confirm(
    tx: Session, review_id: UUID, *, acting: Acting, party: RelyingParty, now: datetime, origin: Origin
) -> Refused | None:
    """End the review: what was not kept ends, of up to 200 people at once, of the rest within the worker's next round."""
    found = _opened(tx, review_id, acting=acting, party=party, now=now)
    if isinstance(found, Refused):
        return found
    place, actor, row = found
    others = len(facts.ask_whom(tx, place, now=now, but=actor.subject_id))
    see_as(tx, target_id=place.target.id)
    inside, kept = facts.own_item(tx, row, subject_id=actor.subject_id)
    refused = may_confirm(facts.standing_of(row), own_is_open=inside and not kept, other_managers=others, now=now)
    if refused is not None:
        return refused
    row.confirmed_at, row.confirmed_by = now, actor.subject_id
    audit.append(
        tx,
        Event.REVIEW_CONFIRMED,
        now=now,
        actor=actor.subject_id,
        origin=origin,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"review": row.id},
    )
    closing.carry_out(tx, place, row, now=now, origin=origin, batch=AT_ONCE)
    return None


def _opened(
    tx: Session, review_id: UUID, *, acting: Acting, party: RelyingParty, now: datetime
) -> tuple[Place, Actor, AccessReview] | Refused:
    """The review under the practice's lock and its own, and the manager as they are now (AD-11)."""
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    lock(tx, place.target)
    actor = actor_at(tx, place, acting=acting, now=now)
    if isinstance(actor, Refused):
        return actor
    row = facts.find(tx, place, review_id, lock=True)
    return Refused(Reason.UNKNOWN) if row is None else (place, actor, row)


def _keep(
    tx: Session,
    row: AccessReview,
    person: Affiliation,
    kept: Collection[str],
    *,
    before: Collection[str],
    by: str,
    now: datetime,
) -> None:
    said = facts.item(tx, row, person.id)
    if said is None:
        said = ReviewItem(
            review_id=row.id, affiliation_id=person.id, target_id=row.target_id, levels_before=sorted(before)
        )
        tx.add(said)
    said.levels_kept, said.said_by, said.said_at = sorted(kept), by, now
    tx.flush()  # while the fence is open for this target


def _audit_said(
    tx: Session, row: AccessReview, told: Mapping[str, list[str]], *, by: str, now: datetime, origin: Origin
) -> None:
    audit.append(
        tx,
        Event.REVIEW_SAID,
        now=now,
        actor=by,
        origin=origin,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"review": row.id, **told},
    )
