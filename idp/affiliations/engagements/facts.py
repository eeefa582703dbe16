"""Engagements and their staff as stored."""

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.affiliations.engagements.models import EngagementStaff
from idp.affiliations.engagements.rules import MOST_STAFF, Agreed, Staffed, Stands
from idp.affiliations.models import Affiliation
from idp.directory.facts import has_number_on
from idp.directory.models import Engagement, Practice, TradingPartner
from idp.foundation.database import Rows, see_as
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind

_staff = EngagementStaff.__table__
_STAFF: Final = select(_staff.c.practice_id, _staff.c.affiliation_id).where(
    _staff.c.trading_partner_id == bindparam("partner")
)


def closed_to(tx: Rows, *, partner_id: UUID, affiliation_id: UUID) -> frozenset[UUID]:
    """The practices that the partner assigned to others of its staff alone."""
    assigned, mine = set(), set()
    for row in tx.execute(_STAFF, {"partner": partner_id}):
        assigned.add(row.practice_id)
        if row.affiliation_id == affiliation_id:
            mine.add(row.practice_id)
    return frozenset(assigned - mine)


def rows_of(tx: Session, *, partner_id: UUID, practice_id: UUID) -> list[Engagement]:
    """The manager's row and the roster's, those that have ended too."""
    query = select(Engagement).where(Engagement.trading_partner_id == partner_id, Engagement.practice_id == practice_id)
    return list(tx.scalars(query.order_by(Engagement.source)))


def agreed(rows: list[Engagement], *, today: date) -> Agreed | None:
    """What holds: the manager's word before the roster's, what runs before what has ended."""
    every = [_agreed(row) for row in rows]
    order = {Stands.RUNS: 0, Stands.BEGINS: 1, Stands.ENDED: 2}
    return min(every, key=lambda each: (order[each.stands(today)], each.source), default=None)


def partners_of(tx: Session, *, practice_id: UUID, registry: str, today: date) -> list[tuple[TradingPartner, Agreed]]:
    """Every partner that works for the practice, will, or did, by name."""
    query = (
        select(TradingPartner, Engagement)
        .join(Engagement, Engagement.trading_partner_id == TradingPartner.id)
        .where(Engagement.practice_id == practice_id, TradingPartner.registry_name == registry)
        .order_by(TradingPartner.name, TradingPartner.id)
    )
    grouped: dict[UUID, tuple[TradingPartner, list[Engagement]]] = {}
    for partner, row in tx.execute(query):
        grouped.setdefault(partner.id, (partner, []))[1].append(row)
    found = [(partner, agreed(rows, today=today)) for partner, rows in grouped.values()]
    return [(partner, holds) for partner, holds in found if holds is not None]


def practices_of(tx: Session, *, partner_id: UUID, today: date, limit: int) -> list[tuple[Practice, Agreed]]:
    """The practices that engaged the partner, now or from a day to come, by name."""
    query = (
        select(Practice, Engagement)
        .join(Engagement, Engagement.practice_id == Practice.id)
        .where(
            Engagement.trading_partner_id == partner_id,
            has_number_on(today),
            Engagement.ends_on.is_(None) | (Engagement.ends_on > today),
        )
        .order_by(Practice.name, Practice.id)
        .limit(2 * limit)
    )
    grouped: dict[UUID, tuple[Practice, list[Engagement]]] = {}
    for practice, row in tx.execute(query):
        grouped.setdefault(practice.id, (practice, []))[1].append(row)
    found = [(practice, agreed(rows, today=today)) for practice, rows in grouped.values()]
    return [(practice, holds) for practice, holds in found if holds is not None][:limit]


def staffed(tx: Session, *, partner_id: UUID) -> dict[UUID, Staffed]:
    """By practice; where a practice is missing, all of the staff work for it."""
    found: dict[UUID, set[UUID]] = {}
    for row in tx.execute(_STAFF, {"partner": partner_id}):
        found.setdefault(row.practice_id, set()).add(row.affiliation_id)
    return {practice: Staffed(frozenset(people)) for practice, people in found.items()}


def staff_of(tx: Session, *, partner_id: UUID, registry: str) -> list[tuple[Affiliation, Subject]]:
    """The partner's own people who may work for somebody, by name."""
    see_as(tx, target_id=partner_id)
    query = (
        select(Affiliation, Subject)
        .join(Subject, Subject.id == Affiliation.subject_id)
        .where(
            Affiliation.target_id == partner_id,
            Affiliation.registry_name == registry,
            Affiliation.target_kind == TargetKind.TRADING_PARTNER.value,
            Affiliation.status.in_([AffiliationStatus.ACTIVE.value, AffiliationStatus.UNVERIFIED.value]),
        )
        .order_by(Subject.family_name, Subject.given_name, Affiliation.id)
        .limit(MOST_STAFF)
    )
    return [(affiliation, subject) for affiliation, subject in tx.execute(query)]


def portals_of_partners(registry: str) -> list[RelyingParty]:
    """Where a trading partner's staff act: whose levels a cap is about."""
    every = relying_parties.every().values()
    return [
        party
        for party in every
        if party.portal is not None
        and party.portal.registry == registry
        and TargetKind.TRADING_PARTNER in party.portal.acting_for
    ]


def _agreed(row: Engagement) -> Agreed:
    cap = None if row.levels_cap is None else tuple(sorted(row.levels_cap))
    return Agreed(row.starts_on, row.ends_on, cap, row.source)
