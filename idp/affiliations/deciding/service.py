"""One act of one manager on one person: locks, facts, rule, change, history, audit, messages (MODEL §10)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import (
    COMMENT_LENGTH,
    Place,
    actor_at,
    member_of,
    next_number,
    place_of,
    row_of,
    setting_of,
)
from idp.affiliations.deciding.models import Comment
from idp.affiliations.deciding.rules import BECOMES, Act, Actor, Member, Reason, decide, word_of
from idp.affiliations.invitations import orphaned
from idp.affiliations.invitations import service as invitations
from idp.affiliations.managers.facts import lock
from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house, limiter
from idp.foundation.database import see_as
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import Acting, AffiliationStatus
from idp.vocabulary.refused import Refused

MAILS_A_PERSON: Final = Budget(
    "manager_mails", limit=5, window=timedelta(hours=1), lock_first=timedelta(hours=1), lock_max=timedelta(hours=1)
)
"""Registration and reset mails that managers may have sent to one person (AD-20)."""
MAILS_A_MANAGER: Final = Budget(
    "mails_by_manager", limit=200, window=timedelta(hours=1), lock_first=timedelta(hours=1), lock_max=timedelta(hours=1)
)
"""Such mails of one manager to whomever (AD-20)."""
_MAILING: Final = frozenset({Act.SEND_REGISTRATION, Act.SEND_RESET, Act.START_RECOVERY})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a manager asks for; `version` is the one that their page showed."""

    act: Act
    affiliation_id: UUID
    version: int
    levels: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, and to whom."""

    act: Act
    affiliation_id: UUID
    subject_id: str
    before: AffiliationStatus


@dataclass(frozen=True, slots=True)
class _Case:
    place: Place
    actor: Actor
    acting: Acting
    asked: Asked
    now: datetime
    origin: Origin


def act(
    tx: Session, asked: Asked, *, acting: Acting, party: RelyingParty, now: datetime, origin: Origin
) -> Done | Refused:
    """Do one act, or say why not; what is not this manager's looks as if it did not exist.

    `SEND_RESET` and `START_RECOVERY` are judged, counted and kept here; what they start is the authenticators'.
    """
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    lock(tx, place.target)
    actor = actor_at(tx, place, acting=acting, now=now)
    outcome = actor if isinstance(actor, Refused) else _act(tx, _Case(place, actor, acting, asked, now, origin))
    if isinstance(outcome, Refused):
        _audit_refusal(tx, place, asked, outcome, acting=acting, now=now, origin=origin)
    return outcome


def _act(tx: Session, case: _Case) -> Done | Refused:
    row = row_of(tx, case.place, case.asked.affiliation_id, lock=True)
    if row is None:
        return Refused(Reason.UNKNOWN)
    member = member_of(case.place, row, now=case.now)
    setting = setting_of(tx, case.place, member, now=case.now)
    asked = case.asked
    refused = decide(
        asked.act, actor=case.actor, member=member, setting=setting, version=asked.version, wanted=asked.levels
    )
    if refused is not None:
        return refused
    if len(asked.text) > COMMENT_LENGTH:
        return Refused(Reason.TOO_LONG)
    if asked.act in _MAILING and _over(tx, case, row):
        return Refused(Reason.TOO_MANY)
    _do(tx, case, row, member)
    see_as(tx, target_id=case.place.target.id)
    _remember(tx, case, row, text=asked.text or _what_changed(case, member))
    return Done(asked.act, row.id, row.subject_id, member.status)


def _do(tx: Session, case: _Case, row: Affiliation, member: Member) -> None:
    match case.asked.act:
        case Act.SET_LEVELS:
            _set_levels(tx, case, row, member)
        case Act.SEND_REGISTRATION:
            _invite(tx, case, row)
        case Act.SEND_RESET | Act.START_RECOVERY | Act.COMMENT:
            _audit_kept(tx, case, row)
        case act:
            _change(tx, case, row, member, BECOMES[act])


def _change(tx: Session, case: _Case, row: Affiliation, member: Member, status: AffiliationStatus) -> None:
    if member.status is AffiliationStatus.DISABLED and row.status == AffiliationStatus.ACTIVE:
        row.status, row.disabled_by = AffiliationStatus.DISABLED.value, "dormant"
        tx.flush()  # what reads dormant is so for good before it is changed: nobody is told twice
    affiliations.change_status(
        tx,
        affiliation_id=row.id,
        status=status,
        now=case.now,
        actor=case.actor.subject_id,
        origin=case.origin,
        acting=case.acting,
        disabled_by="manager",
    )
    match case.asked.act:
        case Act.VERIFY:
            _vouch(tx, case, row)
            _invite(tx, case, row)
        case Act.ENABLE:
            _invite(tx, case, row)
        case Act.REFUSE:
            invitations.void_for(tx, affiliation_id=row.id, now=case.now)
            _tell(tx, case, row, notice="verification_lapsed", refused=True)
        case _:
            invitations.void_for(tx, affiliation_id=row.id, now=case.now)


def _vouch(tx: Session, case: _Case, row: Affiliation) -> None:
    """The manager's word, worth no more than their own proof (MODEL §1)."""
    kind, portal = word_of(case.actor).value, case.place.party.client_id
    tx.add(AffiliationEvidence(affiliation_id=row.id, kind=kind, portal=portal, at=case.now, by=case.actor.subject_id))


def _invite(tx: Session, case: _Case, row: Affiliation) -> None:
    invitations.send_registration(
        tx,
        row=row,
        place=case.place,
        evidence=word_of(case.actor),
        by=case.actor.subject_id,
        now=case.now,
        origin=case.origin,
    )


def _set_levels(tx: Session, case: _Case, row: Affiliation, member: Member) -> None:
    portal, wanted = case.place.party.client_id, frozenset(case.asked.levels)
    tx.execute(delete(HeldLevel).where(HeldLevel.affiliation_id == row.id, HeldLevel.portal == portal))
    affiliations.give_levels(
        tx, affiliation_id=row.id, levels={portal: sorted(wanted)}, now=case.now, by=case.actor.subject_id
    )
    row.account_manager = case.place.managing in wanted
    if case.place.managing in member.levels - wanted:
        orphaned.void_of(tx, row, actor=case.actor.subject_id, now=case.now, origin=case.origin, portal=portal)
    row.epoch += 1
    row.version += 1
    tx.flush()
    tx.expire(row, ["levels"])
    audit.append(
        tx,
        Event.LEVELS_CHANGED,
        now=case.now,
        actor=case.actor.subject_id,
        origin=case.origin,
        subject_id=row.subject_id,
        client_id=portal,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={"before": sorted(member.levels), "after": sorted(wanted)},
    )
    _tell(tx, case, row, notice="access_changed")


def _tell(tx: Session, case: _Case, row: Affiliation, *, notice: str, **more: object) -> None:
    subject = subjects.by_id(tx, subject_id=row.subject_id)
    if subject is None:
        return
    notices.notify(
        tx,
        notice=notice,
        subject=subject,
        party=case.place.party,
        context={
            "target": case.place.target.name,
            "url": f"{house.get(Settings).issuer}/account/access",
            **more,
        },
        now=case.now,
    )


def _over(tx: Session, case: _Case, row: Affiliation) -> bool:
    counted = ((MAILS_A_PERSON, row.subject_id), (MAILS_A_MANAGER, case.actor.subject_id))
    return any(
        isinstance(limiter.reserve(tx, budget=budget, key=key, now=case.now), Refused) for budget, key in counted
    )


def _what_changed(case: _Case, member: Member) -> str:
    """For the history: which levels came and went, and from which state somebody was disabled (it may be undone)."""
    if case.asked.act is Act.DISABLE:
        return member.status.value
    if case.asked.act is not Act.SET_LEVELS:
        return ""
    wanted = frozenset(case.asked.levels)
    came, went = sorted(wanted - member.levels), sorted(member.levels - wanted)
    return ", ".join([*(f"+{level}" for level in came), *(f"-{level}" for level in went)])[:COMMENT_LENGTH]


def _remember(tx: Session, case: _Case, row: Affiliation, *, text: str) -> None:
    tx.add(
        Comment(
            affiliation_id=row.id,
            target_id=row.target_id,
            number=next_number(tx, row.id),
            action=case.asked.act.value,
            text=text,
            author=case.actor.subject_id,
            at=case.now,
        )
    )
    tx.flush()  # while the fence is open for this target


def _audit_kept(tx: Session, case: _Case, row: Affiliation) -> None:
    """Comments and asked-for mails; what a comment says stands in the history alone, the mail is told by who sends it (AU-06)."""
    audit.append(
        tx,
        Event.MEMBER_COMMENTED if case.asked.act is Act.COMMENT else Event.MEMBER_HELPED,
        now=case.now,
        actor=case.actor.subject_id,
        origin=case.origin,
        subject_id=row.subject_id,
        client_id=case.place.party.client_id,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={"act": case.asked.act.value},
    )


def _audit_refusal(
    tx: Session, place: Place, asked: Asked, refused: Refused, *, acting: Acting, now: datetime, origin: Origin
) -> None:
    audit.append(
        tx,
        Event.AFFILIATION_CHANGED,
        now=now,
        actor=acting.subject_id,
        origin=origin,
        outcome=refused.reason.value,
        client_id=place.party.client_id,
        target_kind=place.target.kind.value,
        target_id=place.target.id,
        details={"act": asked.act.value, "affiliation": asked.affiliation_id},
    )
