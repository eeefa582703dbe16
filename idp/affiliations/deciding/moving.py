"""Access that the roster has moved begins anew where the roster has it now: by the payer's hand only (MODEL §10)."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.cases import Case
from idp.affiliations.deciding.facts import Place, member_of
from idp.affiliations.deciding.rules import Actor, Member
from idp.affiliations.invitations.sending import send_registration
from idp.affiliations.managers.facts import point_at
from idp.affiliations.models import Affiliation
from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.directory import service as directory
from idp.directory.changed import What
from idp.foundation.database import see_as
from idp.subjects import likeness
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence


def seen_by(tx: Session, actor: Actor, place: Place, row: Affiliation, *, now: datetime) -> Member:
    """A row as the rule reads it: whether it is who acts, and for a registrar whether there is a place where it may go.

    The row fence is the target's when it returns.
    """
    one = likeness.are_one(tx, actor.subject_id, row.subject_id)
    member = replace(member_of(place, row, now=now), same_person=one)
    if not actor.payer or member.status is not AffiliationStatus.SUSPENDED:
        return member
    see_as(tx, everything=True)
    new_target = _new_target(tx, row)
    movable = new_target is not None and not _has_one(tx, row, new_target)
    see_as(tx, target_id=place.target.id)
    return replace(member, movable=movable)


def move(tx: Session, case: Case, row: Affiliation) -> None:
    """A new row, as MODEL §10 has it: the payer's word, the levels held before, no mark; the mailbox is proven afresh.

    The old one has ended and been written: the unique index counts what has not.
    """
    place = case.place
    see_as(tx, everything=True)
    target_id = _new_target(tx, row)
    assert target_id is not None, "the rule saw where it goes, under the same lock"
    levels: dict[str, list[str]] = {}
    for held in row.levels:
        if (held.portal, held.level) != (place.party.client_id, place.managing):
            levels.setdefault(held.portal, []).append(held.level)
    identity = affiliations.grant_affiliation(
        tx,
        subject_id=row.subject_id,
        registry=row.registry_name,
        kind=place.target.kind,
        target_id=target_id,
        evidence={place.party.client_id: Evidence.PAYER},
        levels=levels,
        now=case.now,
        actor=case.actor.by,
        origin=case.origin,
        status=AffiliationStatus.UNVERIFIED,
    )
    see_as(tx, everything=True)
    new = tx.get_one(Affiliation, identity)
    pointed = point_at(tx, registry=row.registry_name, kind=place.target.kind, target_id=target_id, now=case.now)
    assert pointed is not None, "where it moves to was read under the same lock"
    there = Place(place.party, place.terms, pointed)
    send_registration(
        tx, row=new, place=there, evidence=Evidence.PAYER, by=case.actor.by, now=case.now, origin=case.origin
    )


def _new_target(tx: Session, row: Affiliation) -> UUID | None:
    """The record itself, once it belongs to another number; the practice that its registry merged this one into; else nowhere."""
    if row.target_kind == TargetKind.PROVIDER:
        provider = directory.provider(tx, row.target_id)
        moved = provider.tin_changed_at if provider is not None else None
        return row.target_id if moved is not None and moved > row.created_at else None
    if row.target_kind == TargetKind.PRACTICE:
        every = tx.scalars(
            select(AuditEvent.details)
            .where(
                AuditEvent.target_id == str(row.target_id),
                AuditEvent.type == Event.PRACTICE_CHANGED.value,
                AuditEvent.outcome == What.PRACTICE_MERGED.value,
            )
            .order_by(AuditEvent.at.desc(), AuditEvent.sequence.desc())
        ).all()
        merged = next((details for details in every if details["registry"] == row.registry_name), None)
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
