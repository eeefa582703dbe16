"""A manager, or the payer's registrar where nobody manages, invites by mail, sends the mail again, takes it back (E10; AD-12, AD-20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import COMMENT_LENGTH, Place, levels_within, others_manage, place_of, whoever_at
from idp.affiliations.deciding.rules import Actor, may_invite, word_of
from idp.affiliations.deciding.rules import Reason as ActReason
from idp.affiliations.invitations.listing import open_at
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import Reason
from idp.affiliations.invitations.sending import Invitee, mail, send, void
from idp.affiliations.managers.facts import lock
from idp.affiliations.models import Affiliation
from idp.affiliations.requests.closing import deny_approved
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house, limiter
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.subjects import likeness
from idp.subjects.models import Subject
from idp.subjects.rules import email_key
from idp.vocabulary.affiliation import Acting
from idp.vocabulary.refused import Refused

_DAY: Final = timedelta(days=1)
A_TARGET: Final = Budget("invitations", limit=100, window=_DAY, lock_first=timedelta(hours=1), lock_max=_DAY)
AN_ADDRESS: Final = Budget(
    "invitations_to", limit=5, window=timedelta(hours=1), lock_first=timedelta(hours=1), lock_max=timedelta(hours=1)
)
NAME_LENGTH: Final = 80


@dataclass(frozen=True, slots=True)
class _Case:
    place: Place
    actor: Actor
    now: datetime
    origin: Origin


def invite(
    tx: Session,
    *,
    acting: Acting,
    party: RelyingParty,
    email: str,
    given_name: str,
    family_name: str,
    levels: Sequence[str],
    locale: str,
    now: datetime,
    origin: Origin,
    why: str = "",
) -> UUID | Refused:
    """Invite an address; whether it is anybody's account shows nowhere. One open invitation an address and target.

    A registrar says why; it stands in the audit, since nobody has a history there yet.
    """
    case = _case(tx, acting=acting, party=party, now=now, origin=origin)
    if isinstance(case, Refused):
        return case
    outcome = _invite(
        tx, case, email=email, given_name=given_name, family_name=family_name, levels=levels, locale=locale, why=why
    )
    if isinstance(outcome, Refused):
        _audit_refusal(tx, case, outcome)
    elif case.actor.payer:
        _audit_why(tx, case, outcome, why)
    return outcome


def resend(
    tx: Session, *, acting: Acting, party: RelyingParty, invitation_id: UUID, now: datetime, origin: Origin
) -> Refused | None:
    """A new link for another seven days; the former one is dead (MODEL §9). Who sends it again vouches from here on."""
    case = _case(tx, acting=acting, party=party, now=now, origin=origin)
    if isinstance(case, Refused):
        return case
    row = _open_one(tx, case, invitation_id)
    if row is None:
        return Refused(Reason.UNKNOWN)
    refused = (
        _may(tx, case)
        or _over(tx, case, row.email_key)
        or levels_within(row.levels, actor=case.actor, place=case.place)
    )
    if refused is not None:
        return refused
    row.invited_by, row.evidence = case.actor.by, word_of(case.actor).value
    mail(tx, row, party=party, target=case.place.target.name, by=case.actor.by, now=now, origin=origin)
    return None


def take_back(
    tx: Session, *, acting: Acting, party: RelyingParty, invitation_id: UUID, now: datetime, origin: Origin
) -> Refused | None:
    """The link is dead at once."""
    case = _case(tx, acting=acting, party=party, now=now, origin=origin)
    if isinstance(case, Refused):
        return case
    row = _open_one(tx, case, invitation_id)
    if row is None:
        return Refused(Reason.UNKNOWN)
    refused = _may(tx, case)
    if refused is not None:
        return refused
    void(tx, row, by=case.actor.by, now=now, origin=origin)
    if row.request_id is not None:
        deny_approved(tx, row.request_id, by=case.actor.by, now=now, origin=origin)
    return None


def _case(tx: Session, *, acting: Acting, party: RelyingParty, now: datetime, origin: Origin) -> _Case | Refused:
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    lock(tx, place.target)
    actor = whoever_at(tx, place, acting=acting, now=now)
    return actor if isinstance(actor, Refused) else _Case(place, actor, now, origin)


def _invite(
    tx: Session,
    case: _Case,
    *,
    email: str,
    given_name: str,
    family_name: str,
    levels: Sequence[str],
    locale: str,
    why: str,
) -> UUID | Refused:
    refused = _may(tx, case, why=why)
    if refused is not None:
        return refused
    key = email_key(email)
    if isinstance(key, Refused):
        return Refused(Reason.BAD_EMAIL)
    if likeness.are_one(tx, case.actor.subject_id, None, email=key):
        return Refused(ActReason.SELF)
    if max(len(given_name), len(family_name)) > NAME_LENGTH:
        return Refused(Reason.TOO_LONG)
    if _is_listed(tx, case.place, key):
        return Refused(Reason.ALREADY_HELD)
    refused = levels_within(levels, actor=case.actor, place=case.place) or _over(tx, case, key)
    if refused is not None:
        return refused
    answers: UUID | None = None
    for former in tx.scalars(select(Invitation).where(*open_at(case.place), Invitation.email_key == key)):
        void(tx, former, by=case.actor.by, now=case.now, origin=case.origin)
        answers = former.request_id or answers
    zone = house.get(Settings).default_zone
    row = send(
        tx,
        invitee=Invitee(email, given_name, family_name, locale, zone),
        place=case.place,
        levels=levels,
        evidence=word_of(case.actor),
        by=case.actor.by,
        now=case.now,
        origin=case.origin,
        request_id=answers,
    )
    return row.id


def _may(tx: Session, case: _Case, *, why: str | None = None) -> Refused | None:
    """What the rule asks of a registrar beside what it asks of everybody."""
    if why is not None and len(why) > COMMENT_LENGTH:
        return Refused(Reason.TOO_LONG)
    managed = case.actor.payer and others_manage(tx, case.place, now=case.now)
    return may_invite(case.actor, managed=managed, said=why is None or bool(why.strip()))


def _open_one(tx: Session, case: _Case, invitation_id: UUID) -> Invitation | None:
    query = select(Invitation).where(*open_at(case.place), Invitation.id == invitation_id).with_for_update()
    return tx.scalars(query).one_or_none()


def _is_listed(tx: Session, place: Place, key: str) -> bool:
    """Whether a person with this address is on the target's own list already: its manager sees that list anyway."""
    target = place.target
    query = (
        select(Affiliation.id)
        .join(Subject, Subject.id == Affiliation.subject_id)
        .where(
            Subject.email_key == key,
            Affiliation.target_id == target.id,
            Affiliation.registry_name == target.registry,
            Affiliation.target_kind == target.kind.value,
            Affiliation.status.in_(("verification_pending", "unverified", "active")),
        )
    )
    return tx.execute(query.limit(1)).first() is not None


def _over(tx: Session, case: _Case, key: str) -> Refused | None:
    target = str(case.place.target.id)
    for budget, counted in ((A_TARGET, target), (AN_ADDRESS, f"{target} {key}")):
        if isinstance(limiter.reserve(tx, budget=budget, key=counted, now=case.now), Refused):
            return Refused(Reason.TOO_MANY)
    return None


def _audit_why(tx: Session, case: _Case, invitation: UUID, why: str) -> None:
    audit.append(
        tx,
        Event.MEMBER_HELPED,
        now=case.now,
        actor=case.actor.by,
        origin=case.origin,
        client_id=case.place.party.client_id,
        target_kind=case.place.target.kind.value,
        target_id=case.place.target.id,
        details={"act": "invite", "invitation": invitation, "reason": why.strip()},
    )


def _audit_refusal(tx: Session, case: _Case, refused: Refused) -> None:
    audit.append(
        tx,
        Event.INVITATION_SENT,
        now=case.now,
        actor=case.actor.by,
        origin=case.origin,
        outcome=refused.reason.value,
        client_id=case.place.party.client_id,
        target_kind=case.place.target.kind.value,
        target_id=case.place.target.id,
    )
