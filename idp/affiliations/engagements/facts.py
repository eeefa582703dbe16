"""Engagements and their staff as stored."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, exists, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from idp.affiliations.engagements.models import EngagementStaff
from idp.affiliations.engagements.rules import Agreed, Staffed, Stands
from idp.affiliations.listing import Key as Key
from idp.affiliations.models import Affiliation
from idp.directory.facts import has_number_on
from idp.directory.models import Engagement, Practice, TradingPartner
from idp.foundation.database import Rows, see_as
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind

A_PAGE: Final = 25
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


def managed_by_others(tx: Session, *, partner_id: UUID, registry: str, today: date) -> list[UUID]:
    """Practices that a trading partner works for on the day and that somebody manages; the fence is open for everything then."""
    see_as(tx, everything=True)
    managed = exists().where(
        Affiliation.target_id == Engagement.practice_id,
        Affiliation.registry_name == registry,
        Affiliation.account_manager.is_(True),
        Affiliation.status == AffiliationStatus.ACTIVE.value,
    )
    query = select(Engagement.practice_id).where(
        Engagement.trading_partner_id == partner_id,
        Engagement.starts_on <= today,
        or_(Engagement.ends_on.is_(None), Engagement.ends_on > today),
        managed,
    )
    return sorted(set(tx.scalars(query)))


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


def practices_of(
    tx: Session, *, partner_id: UUID, today: date, after: Key | None = None
) -> tuple[list[tuple[Practice, Agreed]], Key | None]:
    """Some of the practices that engaged the partner, now or from a day to come, by name, and where the next page begins."""
    key = (Practice.name, Practice.id)
    query = _engaged(partner_id, today).order_by(*key).limit(A_PAGE + 1)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(literal(after.name), literal(after.affiliation_id)))
    found = tx.scalars(query).all()
    last = found[A_PAGE - 1] if len(found) > A_PAGE else None
    more = None if last is None else Key(last.name, last.id)
    return _with_terms(tx, found[:A_PAGE], partner_id=partner_id, today=today), more


def engaged(tx: Session, *, partner_id: UUID, practice_id: UUID, today: date) -> tuple[Practice, Agreed] | None:
    """One of them."""
    found = tx.scalars(_engaged(partner_id, today).where(Practice.id == practice_id)).all()
    return next(iter(_with_terms(tx, found, partner_id=partner_id, today=today)), None)


def _engaged(partner_id: UUID, today: date) -> Select[Practice]:
    return select(Practice).where(
        Practice.id.in_(select(Engagement.practice_id).where(*_not_ended(partner_id, today))), has_number_on(today)
    )


def _with_terms(
    tx: Session, practices: Sequence[Practice], *, partner_id: UUID, today: date
) -> list[tuple[Practice, Agreed]]:
    terms: dict[UUID, list[Engagement]] = {}
    query = select(Engagement).where(
        *_not_ended(partner_id, today), Engagement.practice_id.in_([each.id for each in practices])
    )
    for row in tx.scalars(query):
        terms.setdefault(row.practice_id, []).append(row)
    holds = ((each, agreed(terms[each.id], today=today)) for each in practices)
    return [(each, agreed_on) for each, agreed_on in holds if agreed_on is not None]


def _not_ended(partner_id: UUID, today: date) -> tuple[ColumnElement[bool], ...]:
    return Engagement.trading_partner_id == partner_id, Engagement.ends_on.is_(None) | (Engagement.ends_on > today)


def staffed(tx: Session, *, partner_id: UUID, practices: Collection[UUID]) -> dict[UUID, Staffed]:
    """By practice; where a practice is missing, all of the staff work for it."""
    found: dict[UUID, set[UUID]] = {}
    for row in tx.execute(_STAFF.where(_staff.c.practice_id.in_(practices)), {"partner": partner_id}):
        found.setdefault(row.practice_id, set()).add(row.affiliation_id)
    return {practice: Staffed(frozenset(people)) for practice, people in found.items()}


def staff_of(
    tx: Session, *, partner_id: UUID, registry: str, after: Key | None = None
) -> tuple[list[tuple[Affiliation, Subject]], Key | None]:
    """Some of the partner's own people who may work for somebody, by name, and where the next page begins."""
    see_as(tx, target_id=partner_id)
    key = (Affiliation.sort_key, Affiliation.id)
    query = (
        select(Affiliation, Subject)
        .join(Subject, Subject.id == Affiliation.subject_id)
        .where(*_works_for(partner_id, registry))
        .order_by(*key)
        .limit(A_PAGE + 1)
    )
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(literal(after.name), literal(after.affiliation_id)))
    found = [(row, subject) for row, subject in tx.execute(query)]
    last = found[A_PAGE - 1][0] if len(found) > A_PAGE else None
    return found[:A_PAGE], None if last is None else Key(last.sort_key, last.id)


def all_staff(tx: Session, *, partner_id: UUID, registry: str) -> dict[UUID, str]:
    """Each of them, and whose it is."""
    see_as(tx, target_id=partner_id)
    query = select(Affiliation.id, Affiliation.subject_id).where(*_works_for(partner_id, registry))
    return {row.id: row.subject_id for row in tx.execute(query)}


def _works_for(partner_id: UUID, registry: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Affiliation.target_id == partner_id,
        Affiliation.registry_name == registry,
        Affiliation.target_kind == TargetKind.TRADING_PARTNER.value,
        Affiliation.status.in_([AffiliationStatus.ACTIVE.value, AffiliationStatus.UNVERIFIED.value]),
    )


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
