"""One act of one manager, or of the payer's registrar, on one person: locks, facts, rule, change, history, audit, messages (MODEL §10)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding import leveling, moving
from idp.affiliations.deciding.cases import Asked as Asked
from idp.affiliations.deciding.cases import Case, tell
from idp.affiliations.deciding.cases import Done as Done
from idp.affiliations.deciding.facts import (
    COMMENT_LENGTH,
    Place,
    next_number,
    place_of,
    row_of,
    whoever_at,
)
from idp.affiliations.deciding.models import Comment
from idp.affiliations.deciding.reaching import setting_of
from idp.affiliations.deciding.rules import BECOMES, Act, Member, Reason, decide, word_of
from idp.affiliations.invitations import service as invitations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.managers.facts import lock
from idp.affiliations.models import Affiliation
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import limiter
from idp.foundation.database import see_as
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.affiliation import Acting, AffiliationStatus
from idp.vocabulary.evidence import Evidence
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
    actor = whoever_at(tx, place, acting=acting, now=now)
    outcome = actor if isinstance(actor, Refused) else _act(tx, Case(place, actor, acting, asked, now, origin))
    if isinstance(outcome, Refused):
        _audit_refusal(tx, place, asked, outcome, acting=acting, now=now, origin=origin)
    return outcome


def _act(tx: Session, case: Case) -> Done | Refused:
    row = row_of(tx, case.place, case.asked.affiliation_id, lock=True)
    if row is None:
        return Refused(Reason.UNKNOWN)
    member = moving.seen_by(tx, case.actor, case.place, row, now=case.now)
    setting = setting_of(tx, case.place, row, member, by=case.actor, now=case.now)
    asked = case.asked
    refused = decide(
        asked.act, actor=case.actor, member=member, setting=setting, version=asked.version, wanted=asked.levels
    )
    if refused is not None:
        return refused
    if case.actor.payer and not asked.text.strip():
        return Refused(Reason.NO_REASON)
    if len(asked.text) > COMMENT_LENGTH:
        return Refused(Reason.TOO_LONG)
    if asked.act in _MAILING and _over(tx, case, row):
        return Refused(Reason.TOO_MANY)
    _do(tx, case, row, member)
    see_as(tx, target_id=case.place.target.id)
    _remember(tx, case, row, text=asked.text or _what_changed(case, member))
    return Done(asked.act, row.id, row.subject_id, member.status)


def _do(tx: Session, case: Case, row: Affiliation, member: Member) -> None:
    match case.asked.act:
        case Act.SET_LEVELS:
            leveling.set_levels(tx, case, row, member)
        case Act.MARK:
            leveling.mark(tx, case, row, member)
        case Act.UNMARK:
            leveling.unmark(tx, case, row, member)
        case Act.SEND_REGISTRATION:
            _invite(tx, case, row, evidence=_worth(tx, case, row))
            if case.actor.payer:
                _audit_kept(tx, case, row)
        case Act.SEND_RESET | Act.START_RECOVERY | Act.COMMENT:
            _audit_kept(tx, case, row)
        case act:
            _change(tx, case, row, member, BECOMES[act])


def _change(tx: Session, case: Case, row: Affiliation, member: Member, status: AffiliationStatus) -> None:
    if member.status is AffiliationStatus.DISABLED and row.status == AffiliationStatus.ACTIVE:
        row.status, row.disabled_by = AffiliationStatus.DISABLED.value, "dormant"
        tx.flush()  # what reads dormant is so for good before it is changed: nobody is told twice
    affiliations.change_status(
        tx,
        affiliation_id=row.id,
        status=status,
        now=case.now,
        actor=case.actor.by,
        origin=case.origin,
        acting=case.acting,
        disabled_by="payer" if case.actor.payer else "manager",
    )
    match case.asked.act:
        case Act.VERIFY:
            leveling.vouch(tx, case, row)
            _invite(tx, case, row)
        case Act.ENABLE:
            _invite(tx, case, row)
        case Act.MOVE:
            invitations.void_for(tx, affiliation_id=row.id, now=case.now)
            tx.flush()
            moving.move(tx, case, row)
        case Act.REFUSE:
            invitations.void_for(tx, affiliation_id=row.id, now=case.now)
            tell(tx, case, row, notice="verification_lapsed", refused=True)
        case _:
            invitations.void_for(tx, affiliation_id=row.id, now=case.now)


def _invite(tx: Session, case: Case, row: Affiliation, *, evidence: Evidence | None = None) -> None:
    invitations.send_registration(
        tx,
        row=row,
        place=case.place,
        evidence=evidence or word_of(case.actor),
        by=case.actor.by,
        now=case.now,
        origin=case.origin,
    )


def _worth(tx: Session, case: Case, row: Affiliation) -> Evidence | None:
    """What the mail before was worth: one that the payer sends again makes nobody's proof stronger (MODEL §1)."""
    if not case.actor.payer:
        return None
    before = tx.scalars(
        select(Invitation.evidence)
        .where(Invitation.affiliation_id == row.id, Invitation.portal == case.place.party.client_id)
        .order_by(Invitation.created_at.desc())
        .limit(1)
    ).one_or_none()
    proofs = [Evidence(proof.kind) for proof in row.evidence if proof.from_registry is None]
    return Evidence(before) if before is not None else max(proofs, key=lambda proof: proof.strength)


def _over(tx: Session, case: Case, row: Affiliation) -> bool:
    counted = ((MAILS_A_PERSON, row.subject_id), (MAILS_A_MANAGER, case.actor.by))
    return any(
        isinstance(limiter.reserve(tx, budget=budget, key=key, now=case.now), Refused) for budget, key in counted
    )


def _what_changed(case: Case, member: Member) -> str:
    """For the history: which levels came and went, and from which state somebody was disabled (it may be undone)."""
    if case.asked.act is Act.DISABLE:
        return member.status.value
    if case.asked.act is not Act.SET_LEVELS:
        return ""
    wanted = frozenset(case.asked.levels)
    came, went = sorted(wanted - member.levels), sorted(member.levels - wanted)
    return ", ".join([*(f"+{level}" for level in came), *(f"-{level}" for level in went)])[:COMMENT_LENGTH]


def _remember(tx: Session, case: Case, row: Affiliation, *, text: str) -> None:
    act = case.asked.act.value
    tx.add(
        Comment(
            affiliation_id=row.id,
            target_id=row.target_id,
            number=next_number(tx, row.id),
            action=f"payer_{act}" if case.actor.payer else act,
            text=text.strip(),
            author=case.actor.by,
            at=case.now,
        )
    )
    tx.flush()  # while the fence is open for this target


def _audit_kept(tx: Session, case: Case, row: Affiliation) -> None:
    """Comments and asked-for mails; what a comment says stands in the history alone, the mail is told by who sends it (AU-06)."""
    audit.append(
        tx,
        Event.MEMBER_COMMENTED if case.asked.act is Act.COMMENT else Event.MEMBER_HELPED,
        now=case.now,
        actor=case.actor.by,
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
        actor=acting.by,
        origin=origin,
        outcome=refused.reason.value,
        client_id=place.party.client_id,
        target_kind=place.target.kind.value,
        target_id=place.target.id,
        details={"act": asked.act.value, "affiliation": asked.affiliation_id},
    )
