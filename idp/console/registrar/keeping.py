"""A registrar keeps access that is there already: disables, enables, ends or moves it, sends its registration mail again,
takes its manager mark, comments on it; one transaction each, always with words for the history."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import Place
from idp.affiliations.deciding.service import MAILS_A_MANAGER, MAILS_A_PERSON
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.sending import send_registration, void_for
from idp.affiliations.managers.facts import lock, point_at
from idp.affiliations.models import Affiliation, HeldLevel
from idp.audit import service as audit
from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.console.registrar import facts
from idp.console.registrar.history import record, remember
from idp.console.registrar.keeping_rules import Act, Kept, may, offered
from idp.console.registrar.rules import Reason
from idp.console.staff.service import By
from idp.directory import service as directory
from idp.directory.changed import What
from idp.foundation import house, limiter
from idp.foundation.database import see_as, writing
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

_BECOMES = {
    Act.DISABLE: AffiliationStatus.DISABLED,
    Act.ENABLE: AffiliationStatus.UNVERIFIED,
    Act.END: AffiliationStatus.ENDED,
    Act.MOVE: AffiliationStatus.ENDED,
}


@dataclass(frozen=True, slots=True)
class Keeping:
    """A row with what the rule asks of it, and where it would move to."""

    row: Affiliation
    place: Place
    kept: Kept
    new_target: UUID | None


def offers(tx: Session, affiliation_id: UUID, *, by: By) -> tuple[Act, ...]:
    """What this registrar may do with it now."""
    found = _found(tx, affiliation_id, by=by)
    return () if found is None else offered(found.kept, actor=by.subject_id or "")


def keep(by: By, *, affiliation_id: UUID, act: Act, version: int, reason: str) -> Refused | None:
    """Do it, with a reason for the history; the person is told, their portals are called, tokens die at once."""
    with writing() as tx:
        seen = _found(tx, affiliation_id, by=by)
        if seen is None:
            return Refused(Reason.UNKNOWN)
        lock(tx, seen.place.target)
        found = _found(tx, affiliation_id, by=by, locked=True)
        if found is None:
            return Refused(Reason.UNKNOWN)
        refused = may(act, found.kept, actor=by.subject_id or "", version=version)
        if refused is None and not reason.strip():
            refused = Refused(Reason.NO_REASON)
        if refused is None and act is Act.SEND_REGISTRATION and _over(tx, by, found.row):
            refused = Refused(Reason.TOO_MANY)
        if refused is not None:
            record(tx, by, found.row, client_id=found.place.party.client_id, act=act.value, refused=refused)
            return refused
        _do(tx, by, found, act)
        remember(tx, by, found.row, action=f"payer_{act.value}", text=reason)
    return None


def _do(tx: Session, by: By, found: Keeping, act: Act) -> None:
    match act:
        case Act.SEND_REGISTRATION:
            worth = _worth(tx, found)
            send_registration(
                tx, row=found.row, place=found.place, evidence=worth, by=by.actor, now=by.now, origin=by.origin
            )
            record(tx, by, found.row, client_id=found.place.party.client_id, act=act.value, event=Event.MEMBER_HELPED)
        case Act.UNMARK:
            _unmark(tx, by, found)
        case Act.COMMENT:
            record(
                tx, by, found.row, client_id=found.place.party.client_id, act=act.value, event=Event.MEMBER_COMMENTED
            )
        case _:
            _change(tx, by, found, act)


def _change(tx: Session, by: By, found: Keeping, act: Act) -> None:
    row = found.row
    if found.kept.status is AffiliationStatus.DISABLED and row.status == AffiliationStatus.ACTIVE:
        row.status, row.disabled_by = AffiliationStatus.DISABLED.value, "dormant"
        tx.flush()  # what reads dormant is so for good before it is changed: nobody is told twice
    void_for(tx, affiliation_id=row.id, now=by.now)
    affiliations.change_status(
        tx,
        affiliation_id=row.id,
        status=_BECOMES[act],
        now=by.now,
        actor=by.actor,
        origin=by.origin,
        disabled_by="payer",
    )
    tx.flush()  # the unique index counts what has not ended: a moved one makes room first
    if act is Act.ENABLE:
        _invite(tx, by, row, found.place)
    if act is Act.MOVE and found.new_target is not None:
        _move(tx, by, found, found.new_target)


def _move(tx: Session, by: By, found: Keeping, target_id: UUID) -> None:
    """A new row, as MODEL §10 has it: the payer's word, the levels held before, no mark; the mailbox is proven afresh."""
    row, target = found.row, found.place.target
    levels: dict[str, list[str]] = {}
    managing = {found.place.party.client_id: found.place.managing}
    for held in row.levels:
        if managing.get(held.portal) != held.level:
            levels.setdefault(held.portal, []).append(held.level)
    identity = affiliations.grant_affiliation(
        tx,
        subject_id=row.subject_id,
        registry=row.registry_name,
        kind=target.kind,
        target_id=target_id,
        evidence={found.place.party.client_id: Evidence.PAYER},
        levels=levels,
        now=by.now,
        actor=by.actor,
        origin=by.origin,
        status=AffiliationStatus.UNVERIFIED,
    )
    see_as(tx, everything=True)
    new = tx.get_one(Affiliation, identity)
    pointed = point_at(tx, registry=row.registry_name, kind=target.kind, target_id=target_id, now=by.now)
    assert pointed is not None, "where it moves to was read under the same lock"
    _invite(tx, by, new, Place(found.place.party, found.place.terms, pointed))


def _invite(tx: Session, by: By, row: Affiliation, place: Place) -> None:
    send_registration(tx, row=row, place=place, evidence=Evidence.PAYER, by=by.actor, now=by.now, origin=by.origin)


def _worth(tx: Session, found: Keeping) -> Evidence:
    """What the mail before was worth: one sent again makes nobody's proof stronger (MODEL §1)."""
    before = tx.scalars(
        select(Invitation.evidence)
        .where(Invitation.affiliation_id == found.row.id, Invitation.portal == found.place.party.client_id)
        .order_by(Invitation.created_at.desc())
        .limit(1)
    ).one_or_none()
    if before is not None:
        return Evidence(before)
    proofs = [Evidence(proof.kind) for proof in found.row.evidence]
    return max(proofs, key=lambda proof: proof.strength)


def _over(tx: Session, by: By, row: Affiliation) -> bool:
    """Whether the person, or this registrar, has had as many mails sent as a manager may (AD-20)."""
    counted = ((MAILS_A_PERSON, row.subject_id), (MAILS_A_MANAGER, by.actor))
    return any(isinstance(limiter.reserve(tx, budget=budget, key=key, now=by.now), Refused) for budget, key in counted)


def _unmark(tx: Session, by: By, found: Keeping) -> None:
    """The mark goes, with the managing level of every portal that shows it; what else they may do stays (MODEL §2, §7)."""
    row, place = found.row, found.place
    for held in list(row.levels):
        party = relying_parties.find(held.portal)
        if party is not None and any(level.manages and level.key == held.level for level in party.manifest.levels):
            tx.execute(delete(HeldLevel).where(HeldLevel.id == held.id))
    row.account_manager = False
    row.epoch += 1
    row.version += 1
    tx.flush()
    tx.expire(row, ["levels"])
    audit.append(
        tx,
        Event.AFFILIATION_CHANGED,
        now=by.now,
        actor=by.actor,
        origin=by.origin,
        subject_id=row.subject_id,
        client_id=place.party.client_id,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"before": "account manager", "after": "no account manager"},
    )
    person = subjects.by_id(tx, subject_id=row.subject_id)
    if person is not None:
        context = {"target": place.target.name, "url": f"{house.get(Settings).issuer}/account/access", "by_payer": True}
        notices.notify(tx, notice="access_changed", subject=person, party=place.party, context=context, now=by.now)


def _found(tx: Session, affiliation_id: UUID, *, by: By, locked: bool = False) -> Keeping | None:
    row = facts.find(tx, affiliation_id, lock=locked)
    case = facts.case_of(tx, row, now=by.now) if row is not None else None
    if row is None or case is None:
        return None
    see_as(tx, everything=True)
    new_target = _new_target(tx, row)
    kept = Kept(
        subject_id=row.subject_id,
        status=facts.status_now(case.place, row, now=by.now),
        version=row.version,
        managed=case.managed,
        disabled_by=row.disabled_by,
        movable=new_target is not None and not _has_one(tx, row, new_target),
        account_manager=row.account_manager,
    )
    return Keeping(row, case.place, kept, new_target)


def _new_target(tx: Session, row: Affiliation) -> UUID | None:
    """The record itself, once it belongs to another number; the practice that this one was merged into; else nowhere."""
    if row.target_kind == TargetKind.PROVIDER:
        provider = directory.provider(tx, row.target_id)
        moved = provider.tin_changed_at if provider is not None else None
        return row.target_id if moved is not None and moved > row.created_at else None
    if row.target_kind == TargetKind.PRACTICE:
        merged = tx.scalars(
            select(AuditEvent.details)
            .where(
                AuditEvent.target_id == str(row.target_id),
                AuditEvent.type == Event.PRACTICE_CHANGED.value,
                AuditEvent.outcome == What.PRACTICE_MERGED.value,
            )
            .order_by(AuditEvent.sequence.desc())
            .limit(1)
        ).one_or_none()
        return UUID(merged["successor"]) if merged is not None else None
    return None


def _has_one(tx: Session, row: Affiliation, target_id: UUID) -> bool:
    live = select(Affiliation.id).where(
        Affiliation.subject_id == row.subject_id,
        Affiliation.registry_name == row.registry_name,
        Affiliation.target_id == target_id,
        Affiliation.status != AffiliationStatus.ENDED.value,
        Affiliation.id != row.id,
    )
    return tx.execute(live.limit(1)).first() is not None
