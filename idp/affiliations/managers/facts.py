"""A target as the roster has it now, and who manages it at a portal (MODEL §1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.affiliations.facts import held_of
from idp.affiliations.models import Affiliation
from idp.affiliations.rules import Held, PortalTerms, Target, manages_at
from idp.directory import service as directory
from idp.directory.models import Practice, TradingPartner
from idp.foundation.database import see_as
from idp.subjects import service as subjects
from idp.subjects.rules import Status, SubjectFacts
from idp.vocabulary.affiliation import TargetKind

MOST: Final = 200
"""Managers of one target that are read, those who acted last first: nobody mails more than that."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """A target that somebody claims or asks for."""

    registry: str
    kind: TargetKind
    id: UUID
    practice_id: UUID | None
    """The practice itself, or the provider's; `None` for a trading partner."""
    name: str
    in_force: bool
    moved_at: datetime | None = None
    """When the roster moved the record to another TIN; what was proven before is proven no more (MODEL §10)."""


@dataclass(frozen=True, slots=True)
class Manager:
    """A person who manages a target at a portal now."""

    subject: SubjectFacts
    held: Held


def point_at(tx: Session, *, registry: str, kind: TargetKind, target_id: UUID, now: datetime) -> Pointed | None:
    """The target in this registry; `None` where it has no such record."""
    match kind:
        case TargetKind.PROVIDER:
            provider = directory.provider(tx, target_id)
            if provider is None or provider.registry != registry:
                return None
            in_force = provider.in_force(now.date())
            moved = provider.tin_changed_at
            return Pointed(registry, kind, target_id, provider.practice_id, provider.name, in_force, moved)
        case TargetKind.PRACTICE:
            practice = directory.practice(tx, target_id)
            if practice is None:
                return None
            in_force = practice.retired_at is None and directory.practice_in_force(
                tx, practice_id=target_id, registry=registry, now=now
            )
            return Pointed(registry, kind, target_id, target_id, practice.name, in_force)
        case TargetKind.TRADING_PARTNER:
            partner = directory.trading_partner(tx, target_id)
            if partner is None or partner.registry != registry:
                return None
            return Pointed(registry, kind, target_id, None, partner.name, partner.in_force)


def lock(tx: Session, target: Pointed) -> None:
    """Let nobody else change who manages this target until the transaction ends: the first lock of all (EN-17, RA-06).

    It is the practice's row, so that a provider's and its practice's managers are counted one after the other.
    """
    table = TradingPartner if target.practice_id is None else Practice
    identity = target.id if target.practice_id is None else target.practice_id
    tx.execute(select(table.id).where(table.id == identity).with_for_update(key_share=True))


def managers_of(
    tx: Session, *, target: Pointed, terms: PortalTerms, now: datetime, dormancy: timedelta, but: str | None = None
) -> tuple[Manager, ...]:
    """Everybody who manages the target at the portal now, `but` one person; who acted last comes first.

    A practice's managers manage its providers too. The row fence stays open for the target when it returns.
    """
    rows = _marked(tx, target.kind, target.id, target.registry) if target.practice_id != target.id else []
    if target.practice_id is not None and _has_number(tx, target, now=now):
        rows = _marked(tx, TargetKind.PRACTICE, target.practice_id, target.registry) + rows
    found: dict[str, Manager] = {}
    for row in rows:
        held = held_of(row, as_target(target, row))
        if row.subject_id == but or not manages_at(held, terms=terms, now=now, dormancy=dormancy):
            continue
        subject = subjects.by_id(tx, subject_id=row.subject_id)
        if subject is not None and subject.status is Status.ACTIVE:
            found.setdefault(subject.id, Manager(subject, held))
    see_as(tx, target_id=target.id)
    return tuple(found.values())


def _has_number(tx: Session, target: Pointed, *, now: datetime) -> bool:
    """Nobody manages the records of a number that is another owner's now (MODEL §10)."""
    if target.practice_id is None or target.practice_id == target.id:
        return True
    practice = directory.practice(tx, target.practice_id)
    return practice is not None and practice.has_number(now.date())


def _marked(tx: Session, kind: TargetKind, target_id: UUID, registry: str) -> list[Affiliation]:
    see_as(tx, target_id=target_id)
    query = (
        select(Affiliation)
        .where(
            Affiliation.target_id == target_id,
            Affiliation.registry_name == registry,
            Affiliation.target_kind == kind.value,
            Affiliation.account_manager.is_(True),
            Affiliation.status == "active",
        )
        .order_by(func.coalesce(Affiliation.last_used_at, Affiliation.activated_at).desc(), Affiliation.id)
        .limit(MOST)
    )
    return list(tx.scalars(query))


def as_target(target: Pointed, row: Affiliation) -> Target:
    """What a manager's own affiliation points at: in force as the target is, unless its record moved since."""
    moved = target.moved_at is not None and target.moved_at > row.created_at
    kind = TargetKind(row.target_kind)
    in_force = target.in_force and not (kind is TargetKind.PROVIDER and moved)
    return Target(kind=kind, id=row.target_id, name=target.name, in_force=in_force, practice_id=target.practice_id)
