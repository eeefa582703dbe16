"""Carrying out a review that is over: what nobody kept ends, what was partly kept is narrowed, a manager remains."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import Place, manager_at, member_of
from idp.affiliations.deciding.reaching import setting_of
from idp.affiliations.deciding.rules import Actor, Member
from idp.affiliations.invitations import orphaned
from idp.affiliations.invitations.sending import void_for
from idp.affiliations.managers.facts import lock
from idp.affiliations.managers.telling import tell_deciders
from idp.affiliations.models import Affiliation, HeldLevel
from idp.affiliations.reviews import facts
from idp.affiliations.reviews.models import AccessReview, ReviewItem
from idp.affiliations.reviews.rules import SYSTEM, Outcome, outcome
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.refused import Refused


def carry_out(tx: Session, place: Place, row: AccessReview, *, now: datetime, origin: Origin, batch: int) -> int:
    """Do a batch of what the review decided, and close it when nothing is left; says how many people it was about.

    The row of the review is locked; the practice is locked here, so that managers are counted one after the other.
    """
    lock(tx, place.target)
    see_as(tx, everything=True)
    rows = facts.undone(tx, row, limit=batch)
    for person in rows:
        _decide(tx, place, row, person, now=now, origin=origin)
    if len(rows) < batch:
        _close(tx, place, row, now=now, origin=origin)
    return len(rows)


def _decide(
    tx: Session, place: Place, row: AccessReview, person: Affiliation, *, now: datetime, origin: Origin
) -> None:
    member, by = member_of(place, person, now=now), row.confirmed_by or SYSTEM
    actor = _confirmed_by(tx, place, row, now=now)
    setting = setting_of(tx, place, person, member, by=actor, now=now)
    see_as(tx, everything=True)
    said = facts.item(tx, row, person.id)
    if said is None:
        levels = sorted(member.levels)
        said = ReviewItem(review_id=row.id, affiliation_id=person.id, target_id=row.target_id, levels_before=levels)
        tx.add(said)
    found = outcome(said.levels_kept, member=member, setting=setting, by=by)
    if found is Outcome.ENDED:
        _end(tx, person, by=by, now=now, origin=origin)
    elif found is Outcome.CHANGED:
        _narrow(tx, place, person, member, said.levels_kept or (), by=by, now=now, origin=origin)
    said.outcome = found.value
    tx.flush()


def _confirmed_by(tx: Session, place: Place, row: AccessReview, *, now: datetime) -> Actor | None:
    """Who ended the review, as they are now; one that lapsed is nobody's act, and only asks who would be left."""
    if row.confirmed_by is None:
        return None
    found = manager_at(tx, place, subject_id=row.confirmed_by, now=now)
    return Actor(row.confirmed_by, frozenset(), ()) if isinstance(found, Refused) else found


def _end(tx: Session, person: Affiliation, *, by: str, now: datetime, origin: Origin) -> None:
    void_for(tx, affiliation_id=person.id, now=now)
    affiliations.change_status(
        tx, affiliation_id=person.id, status=AffiliationStatus.ENDED, now=now, actor=by, origin=origin
    )


def _narrow(
    tx: Session,
    place: Place,
    person: Affiliation,
    member: Member,
    kept: Collection[str],
    *,
    by: str,
    now: datetime,
    origin: Origin,
) -> None:
    """What stays keeps its giver; defaults that were only read are written down, or they would come back."""
    portal, wanted = place.party.client_id, frozenset(kept) & member.levels
    written = {held.level for held in person.levels if held.portal == portal}
    theirs = (HeldLevel.affiliation_id == person.id, HeldLevel.portal == portal)
    tx.execute(delete(HeldLevel).where(*theirs, HeldLevel.level.not_in(wanted)))
    affiliations.give_levels(tx, affiliation_id=person.id, levels={portal: sorted(wanted - written)}, now=now, by=by)
    person.account_manager = person.account_manager and place.managing in wanted
    if place.managing in member.levels - wanted:
        orphaned.void_of(tx, person, actor=by, now=now, origin=origin, portal=portal)
    person.epoch += 1
    person.version += 1
    tx.flush()
    tx.expire(person, ["levels"])
    audit.append(
        tx,
        Event.LEVELS_CHANGED,
        now=now,
        actor=by,
        origin=origin,
        subject_id=person.subject_id,
        client_id=portal,
        target_kind=person.target_kind,
        target_id=person.target_id,
        details={"before": sorted(member.levels), "after": sorted(wanted)},
    )
    subject = subjects.by_id(tx, subject_id=person.subject_id)
    if subject is not None:
        context = {"target": place.target.name, "url": f"{house.get(Settings).issuer}/account/access"}
        notices.notify(tx, notice="access_changed", subject=subject, party=place.party, context=context, now=now)


def _close(tx: Session, place: Place, row: AccessReview, *, now: datetime, origin: Origin) -> None:
    row.closed_at = now
    tx.flush()
    counted = Counter(item.outcome for item, _subject in facts.items(tx, row.id))
    told = {each.value: counted.get(each.value, 0) for each in Outcome}
    audit.append(
        tx,
        Event.REVIEW_CLOSED,
        now=now,
        actor=row.confirmed_by or SYSTEM,
        origin=origin,
        outcome="ok" if row.confirmed_at is not None else "unanswered",
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"review": row.id, **told},
    )
    managers = facts.ask_whom(tx, place, now=now)
    see_as(tx, everything=True)
    context = {
        "target": place.target.name,
        "kept": told["kept"] + told["last_manager"],
        "changed": told["changed"],
        "ended": told["ended"],
        "answered": row.confirmed_at is not None,
    }
    tell_deciders(tx, managers, notice="review_closed", party=place.party, context=context, now=now)
