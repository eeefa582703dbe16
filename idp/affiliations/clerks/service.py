"""Adding somebody by name, and their answer at the next sign-in (D6, D7; MODEL §10 "add clerk")."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.clerks import facts
from idp.affiliations.clerks.rules import Answer, Found, Looked, Reason
from idp.affiliations.deciding.facts import Place, actor_at, levels_within, next_number, place_of
from idp.affiliations.deciding.models import Comment
from idp.affiliations.deciding.rules import Actor, word_of
from idp.affiliations.invitations import sending
from idp.affiliations.invitations import service as invitations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import LIFETIME
from idp.affiliations.invitations.rules import Reason as NotOffered
from idp.affiliations.invitations.service import Accepted
from idp.affiliations.managers.facts import lock, point_at
from idp.affiliations.models import Affiliation
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import limiter
from idp.foundation.database import see_as
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.foundation.prepared import prepared
from idp.relying_parties.rules import RelyingParty
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.affiliation import Acting, AffiliationStatus, TargetKind
from idp.vocabulary.refused import Refused

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
LOOKS: Final = Budget("clerk_looks", limit=60, window=_HOUR, lock_first=_HOUR, lock_max=_HOUR)
"""Searches of one manager (ruling 10: nobody walks through user names)."""
ADDED: Final = Budget("clerks_added", limit=100, window=_DAY, lock_first=_HOUR, lock_max=_DAY)
"""People added to one target by name (AD-20)."""
ADDED_LINE: Final = "add_clerk"


@dataclass(frozen=True, slots=True)
class Case:
    """A manager at their place, as they are in this transaction, which holds the practice's lock."""

    place: Place
    actor: Actor
    now: datetime
    origin: Origin


@dataclass(frozen=True, slots=True)
class Offered:
    """An access that waits for the person's yes."""

    invitation_id: UUID
    target_name: str
    levels: tuple[str, ...]


def open_case(tx: Session, *, acting: Acting, party: RelyingParty, now: datetime, origin: Origin) -> Case | Refused:
    """Authorize the manager anew, under the practice's lock (AD-11)."""
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    lock(tx, place.target)
    actor = actor_at(tx, place, acting=acting, now=now)
    return actor if isinstance(actor, Refused) else Case(place, actor, now, origin)


def look(tx: Session, case: Case, looked: Looked) -> Found | Refused:
    """Who may be found with what was typed; every look counts, whatever it finds."""
    if not looked.words:
        return Refused(Reason.NOTHING_TYPED)
    if isinstance(limiter.reserve(tx, budget=LOOKS, key=case.actor.subject_id, now=case.now), Refused):
        return Refused(Reason.TOO_MANY)
    near = facts.colleagues(tx, case.place, looked)
    far = facts.stranger(tx, case.place, looked)
    audit.append(
        tx,
        Event.PERSON_LOOKED_FOR,
        now=case.now,
        actor=case.actor.subject_id,
        origin=case.origin,
        client_id=case.place.party.client_id,
        target_kind=case.place.target.kind.value,
        target_id=case.place.target.id,
        details={"found": len(near) + (far is not None)},
    )
    unseen = far is not None and not any(each.user_name == (far[1].user_id or "") for each in near)
    here = far is not None and facts.acts_here(tx, case.place, subject_id=far[1].id)
    return Found(near, far[0] if far is not None and unseen and not here else None)


def may_add(tx: Session, case: Case, levels: Sequence[str]) -> Refused | None:
    """Whether the manager may give these levels, and has not added too many people today; counts this one (AD-20)."""
    over = limiter.reserve(tx, budget=ADDED, key=str(case.place.target.id), now=case.now)
    if isinstance(over, Refused):
        return Refused(Reason.TOO_MANY)
    return levels_within(levels, actor=case.actor, place=case.place)


def add_existing(tx: Session, case: Case, *, person: SubjectFacts, levels: Sequence[str]) -> UUID | Refused:
    """Let somebody act for the target as soon as they say yes, at their next sign-in or by the mailed link."""
    if person.email_verified_at is None:
        return Refused(Reason.NO_MAILBOX)
    refused = may_add(tx, case, levels)
    if refused is not None:
        return refused
    see_as(tx, subject_id=person.id, target_id=case.place.target.id)
    if facts.acts_here(tx, case.place, subject_id=person.id):
        return Refused(Reason.ALREADY_HELD)
    return offer(tx, case, person=person, levels=levels, mailed=True)


def offer(tx: Session, case: Case, *, person: SubjectFacts, levels: Sequence[str], mailed: bool) -> UUID:
    """The access itself, waiting; `mailed=False` is for an account made just now, whose first mail is another one."""
    target, portal = case.place.target, case.place.party.client_id
    made = affiliations.grant_affiliation(
        tx,
        subject_id=person.id,
        registry=target.registry,
        kind=target.kind,
        target_id=target.id,
        evidence={portal: word_of(case.actor)},
        levels={portal: sorted(set(levels))},
        status=AffiliationStatus.UNVERIFIED,
        account_manager=case.place.managing in levels,
        now=case.now,
        actor=case.actor.subject_id,
        origin=case.origin,
    )
    see_as(tx, target_id=target.id)
    sending.offer(
        tx, affiliation_id=made, subject=person, place=case.place, evidence=word_of(case.actor),
        by=case.actor.subject_id, mailed=mailed, now=case.now, origin=case.origin,
    )  # fmt: skip
    _remember(tx, case, made)
    return made


_invitation = Invitation.__table__
_OFFERED: Final = prepared(
    select(_invitation)
    .where(
        _invitation.c.subject_id == bindparam("subject"),
        _invitation.c.portal == bindparam("at"),
        _invitation.c.at_sign_in.is_(True),
        _invitation.c.used_at.is_(None),
        _invitation.c.voided_at.is_(None),
        _invitation.c.sent_at > bindparam("since"),
    )
    .order_by(_invitation.c.created_at, _invitation.c.id)
    .limit(1)
)


def offered(tx: Session, *, subject_id: str, portal: str, now: datetime) -> Offered | None:
    """What a manager of this portal offers the person, the oldest first; asked at each sign-in there."""
    row = tx.execute(_OFFERED, {"subject": subject_id, "at": portal, "since": now - LIFETIME}).one_or_none()
    if row is None:
        return None
    see_as(tx, subject_id=subject_id)
    waiting = tx.get(Affiliation, row.affiliation_id) if row.affiliation_id is not None else None
    target = point_at(tx, registry=row.registry, kind=TargetKind(row.target_kind), target_id=row.target_id, now=now)
    if waiting is None or waiting.status != AffiliationStatus.UNVERIFIED or target is None or not target.in_force:
        return None
    levels = tuple(sorted(held.level for held in waiting.levels if held.portal == portal))
    return Offered(row.id, target.name, levels)


def answer(
    tx: Session, said: Answer, *, invitation_id: UUID, subject_id: str, now: datetime, origin: Origin
) -> Accepted | Refused | None:
    """The person's yes makes the access active; their no ends it. `None`: they declined."""
    if said is Answer.ACCEPT:
        return invitations.accept_at_sign_in(
            tx, invitation_id=invitation_id, subject_id=subject_id, now=now, origin=origin
        )
    return _decline(tx, invitation_id=invitation_id, subject_id=subject_id, now=now, origin=origin)


def _decline(tx: Session, *, invitation_id: UUID, subject_id: str, now: datetime, origin: Origin) -> Refused | None:
    row = tx.get(Invitation, invitation_id, with_for_update=True)
    if row is None or row.subject_id != subject_id or not row.at_sign_in or row.affiliation_id is None:
        return Refused(NotOffered.UNKNOWN)
    if row.used_at is not None or row.voided_at is not None:
        return Refused(NotOffered.UNKNOWN)
    sending.void(tx, row, by=subject_id, now=now, origin=origin)
    affiliations.change_status(
        tx,
        affiliation_id=row.affiliation_id,
        status=AffiliationStatus.ENDED,
        now=now,
        actor=subject_id,
        origin=origin,
    )
    return None


def _remember(tx: Session, case: Case, affiliation_id: UUID) -> None:
    tx.add(
        Comment(
            affiliation_id=affiliation_id,
            target_id=case.place.target.id,
            number=next_number(tx, affiliation_id),
            action=ADDED_LINE,
            text="",
            author=case.actor.subject_id,
            at=case.now,
        )
    )
    tx.flush()  # while the fence is open for this target
