"""Opening an invitation's link, and saying yes (B7, EN-13, AD-12)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations.facts import held_of
from idp.affiliations.invitations.effects import make, wake
from idp.affiliations.invitations.inviter import may_still
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import LIFETIME, PRESENTED_FOR, Answer, Effect, Reason, effect_of
from idp.affiliations.invitations.sending import Invitee, mail, send, send_registration, void, void_for
from idp.affiliations.managers.facts import Pointed, as_target, lock, point_at
from idp.affiliations.models import Affiliation
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.rules import Status as RequestStatus
from idp.affiliations.rules import status_at
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, digest_of
from idp.foundation.database import see_as, writing
from idp.foundation.origin import Origin
from idp.settings import Settings
from idp.subjects import likeness
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import Status, SubjectFacts, email_key
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.refused import Refused

__all__ = [
    "Accepted", "Invitee", "Offer", "accept", "look", "mail", "present", "presented", "send", "send_registration", "void",
    "void_for",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation as the page shows it."""

    id: UUID
    portal: str
    target_name: str
    levels: tuple[str, ...]
    completes: bool
    """It completes an affiliation that waits."""
    email: str
    given_name: str
    family_name: str
    subject_id: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the yes did."""

    effect: Effect
    affiliation_id: UUID
    portal: str
    target_name: str


def look(tx: Session, token: str, *, now: datetime) -> Offer | Refused:
    """What a link invites to; changes nothing (a mail scanner may open it)."""
    found = artefacts.peek(tx, kind=Kind.INVITATION, digest=digest_of(token), now=now)
    row = None if isinstance(found, Refused) else tx.get(Invitation, found.family)
    return Refused(Reason.DEAD_LINK) if row is None or not _open(row) else _offer(tx, row, now=now)


def present(token: str, *, browser_digest: bytes, now: datetime, origin: Origin) -> Offer | Refused:
    """Note that this browser holds the link's secret, so that it may sign in or register first and say yes then."""
    with writing() as tx:
        found = artefacts.peek(tx, kind=Kind.INVITATION, digest=digest_of(token), now=now)
        row = None if isinstance(found, Refused) else tx.get(Invitation, found.family, with_for_update=True)
        if row is None or not _open(row):
            return Refused(Reason.DEAD_LINK)
        row.presented_by, row.presented_at = browser_digest, now
        _audit(tx, row, Event.INVITATION_PRESENTED, actor=row.subject_id or "anonymous", now=now, origin=origin)
        return _offer(tx, row, now=now)


def presented(tx: Session, *, browser_digest: bytes, now: datetime) -> tuple[Offer, ...]:
    """The invitations whose link this browser opened lately, the last first; `accept` says whether they still work."""
    query = (
        select(Invitation)
        .where(Invitation.presented_by == browser_digest, Invitation.presented_at > now - PRESENTED_FOR)
        .order_by(Invitation.presented_at.desc())
        .limit(20)
    )
    return tuple(_offer(tx, row, now=now) for row in tx.scalars(query) if _open(row))


def accept(
    tx: Session, *, invitation_id: UUID, browser_digest: bytes, subject_id: str, now: datetime, origin: Origin
) -> Accepted | Refused:
    """Say yes, as the person to whom it was sent, in the browser that opened its link; once (EN-13).

    The affiliation is active with the manager's evidence; a request behind it is closed.
    """
    seen = tx.get(Invitation, invitation_id)
    if seen is None or seen.presented_by != browser_digest:
        return Refused(Reason.UNKNOWN)
    return _judged(tx, invitation_id, _target(tx, seen, now=now), subject_id, now=now, origin=origin)


def accept_at_sign_in(
    tx: Session, *, invitation_id: UUID, subject_id: str, now: datetime, origin: Origin
) -> Accepted | Refused:
    """Say yes to what is offered to this very account, signed in: no link is needed for it (ruling 10)."""
    seen = tx.get(Invitation, invitation_id)
    if seen is None or not seen.at_sign_in or seen.subject_id != subject_id:
        return Refused(Reason.UNKNOWN)
    return _judged(tx, invitation_id, _target(tx, seen, now=now), subject_id, now=now, origin=origin)


def _judged(
    tx: Session, invitation_id: UUID, target: Pointed | None, subject_id: str, *, now: datetime, origin: Origin
) -> Accepted | Refused:
    if target is not None:
        lock(tx, target)
    person = _person(tx, subject_id)
    row = tx.get(Invitation, invitation_id, with_for_update=True, populate_existing=True)
    outcome = person if isinstance(person, Refused) else _accept(tx, row, target, person, now=now, origin=origin)
    if row is not None:
        refused = outcome.reason.value if isinstance(outcome, Refused) else "ok"
        _audit(tx, row, Event.INVITATION_ACCEPTED, actor=subject_id, now=now, origin=origin, outcome=refused)
    return outcome


def _accept(
    tx: Session, row: Invitation | None, target: Pointed | None, person: SubjectFacts, *, now: datetime, origin: Origin
) -> Accepted | Refused:
    if row is None or target is None:
        return Refused(Reason.DEAD_LINK)
    see_as(tx, subject_id=person.id, target_id=target.id)
    own = _own(tx, person.id, target)
    effect = effect_of(_answer(tx, row, own, target, person, now=now))
    if effect == Refused(Reason.INVITER_GONE) and row.request_id is not None:
        void(tx, row, by="system", now=now, origin=origin)  # the request behind it is decided anew
    if isinstance(effect, Refused):
        return effect
    see_as(tx, subject_id=person.id, target_id=target.id)  # the inviter was looked at meanwhile
    artefacts.void(tx, now=now, kind=Kind.INVITATION, family=row.id)
    row.used_at = now
    if own is not None and effect is Effect.NEW:
        own.status, own.ended_at, own.epoch = AffiliationStatus.ENDED.value, now, own.epoch + 1
        tx.flush()  # the unique index counts what has not ended
    if own is None or effect is Effect.NEW:
        row.affiliation_id = make(tx, row, target, person, now=now, origin=origin)
    else:
        row.affiliation_id = wake(tx, row, own, effect, now=now, origin=origin)
    see_as(tx, subject_id=person.id, target_id=target.id)
    if row.request_id is not None:
        _close_request(tx, row, row.affiliation_id)
    return Accepted(effect, row.affiliation_id, row.portal, target.name)


def _answer(
    tx: Session, row: Invitation, own: Affiliation | None, target: Pointed, person: SubjectFacts, *, now: datetime
) -> Answer:
    addressed = row.at_sign_in or row.email_key == email_key(person.email or "")
    mine = row.subject_id in (None, person.id) and addressed
    status = None
    if own is not None:
        held = held_of(own, as_target(target, own))
        status = status_at(held, now=now, dormancy=house.get(Settings).dormancy)
    return Answer(
        alive=_open(row) and (_waits_at_sign_in(row, now=now) or _link_lives(tx, row, now=now)),
        addressed=mine,
        in_force=target.in_force,
        backed=may_still(tx, row, own, target, now=now),
        own_hand=likeness.are_one(tx, row.invited_by.removeprefix("staff:"), person.id),
        for_affiliation=row.affiliation_id is not None,
        own=status,
        disabled_by=None if own is None else own.disabled_by,
    )


def _waits_at_sign_in(row: Invitation, *, now: datetime) -> bool:
    """An access offered to a known account, which nobody else can take, whatever became of its mail."""
    return row.at_sign_in and now < row.sent_at + LIFETIME


def _link_lives(tx: Session, row: Invitation, *, now: datetime) -> bool:
    """Whether the link that was opened is still good: a resent or removed invitation has none that is."""
    return artefacts.lives(tx, kind=Kind.INVITATION, family=row.id, now=now)


def _close_request(tx: Session, row: Invitation, affiliation_id: UUID) -> None:
    request = tx.get(AccessRequest, row.request_id, with_for_update=True)
    if request is not None and request.status == RequestStatus.APPROVED.value:
        request.status = RequestStatus.CLOSED.value
        request.affiliation_id = affiliation_id
        request.version += 1
        tx.flush()


def _own(tx: Session, subject_id: str, target: Pointed) -> Affiliation | None:
    return tx.scalars(
        select(Affiliation)
        .where(
            Affiliation.subject_id == subject_id,
            Affiliation.registry_name == target.registry,
            Affiliation.target_kind == target.kind.value,
            Affiliation.target_id == target.id,
            Affiliation.status != AffiliationStatus.ENDED.value,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _person(tx: Session, subject_id: str) -> SubjectFacts | Refused:
    tx.get(Subject, subject_id, with_for_update={"key_share": True}, populate_existing=True)
    person = subjects.by_id(tx, subject_id=subject_id)
    if person is None or person.status is Status.DISABLED:
        return Refused(Reason.PERSON_NOT_ACTIVE)
    if person.email is None or person.email_verified_at is None:
        return Refused(Reason.MAILBOX_UNPROVEN)
    return person


def _target(tx: Session, row: Invitation, *, now: datetime) -> Pointed | None:
    kind = TargetKind(row.target_kind)
    return point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)


def _open(row: Invitation) -> bool:
    return row.used_at is None and row.voided_at is None


def _offer(tx: Session, row: Invitation, *, now: datetime) -> Offer:
    target = _target(tx, row, now=now)
    return Offer(
        id=row.id,
        portal=row.portal,
        target_name=target.name if target is not None else "",
        levels=tuple(row.levels),
        completes=row.affiliation_id is not None,
        email=row.email,
        given_name=row.given_name,
        family_name=row.family_name,
        subject_id=row.subject_id,
    )


def _audit(
    tx: Session, row: Invitation, event: Event, *, actor: str, now: datetime, origin: Origin, outcome: str = "ok"
) -> None:
    audit.append(
        tx,
        event,
        now=now,
        actor=actor,
        origin=origin,
        outcome=outcome,
        subject_id=row.subject_id,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"invitation": row.id},
    )
