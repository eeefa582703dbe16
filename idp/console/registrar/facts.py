"""Claims and requests as a registrar judges them: what was claimed, beside what the directory holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import Place
from idp.affiliations.facts import held_of
from idp.affiliations.managers.facts import Pointed, as_target, managers_of, point_at
from idp.affiliations.models import Affiliation
from idp.affiliations.requests.facts import Asked, asked_of
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.rules import Status
from idp.affiliations.rules import PENDING_LIFETIME, status_at
from idp.foundation import house
from idp.foundation.database import see_as
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind

A_PAGE: Final = 25
Key = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Listed:
    """A claim in the list."""

    id: UUID
    name: str
    target: str
    kind: TargetKind
    at: datetime
    managed: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A row with the place where it is judged."""

    row: Affiliation
    place: Place
    managed: bool


def claims(tx: Session, *, after: Key | None, now: datetime) -> tuple[tuple[Listed, ...], Key | None]:
    """Claims that wait, oldest first, paged by key."""
    see_as(tx, everything=True)
    query = (
        select(Affiliation)
        .where(
            Affiliation.status == AffiliationStatus.VERIFICATION_PENDING.value,
            Affiliation.created_at > now - PENDING_LIFETIME,
        )
        .order_by(Affiliation.created_at, Affiliation.id)
        .limit(A_PAGE + 1)
    )
    if after is not None:
        at, identity = after
        query = query.where(
            or_(Affiliation.created_at > at, and_(Affiliation.created_at == at, Affiliation.id > identity))
        )
    rows = tx.scalars(query).all()
    shown = rows[:A_PAGE]
    listed = tuple(each for row in shown if (each := _listed(tx, row, now=now)) is not None)
    more = (shown[-1].created_at, shown[-1].id) if len(rows) > A_PAGE else None
    return listed, more


def _listed(tx: Session, row: Affiliation, *, now: datetime) -> Listed | None:
    case = case_of(tx, row, now=now)
    person = subjects.by_id(tx, subject_id=row.subject_id)
    if case is None or person is None:
        return None
    kind = TargetKind(row.target_kind)
    return Listed(row.id, person.name, case.place.target.name, kind, row.created_at, case.managed)


def case_of(tx: Session, row: Affiliation, *, now: datetime) -> Case | None:
    """The portal where the claim was made, its target, and whether somebody manages that there now.

    The row fence is open for the target when it returns.
    """
    portal = next((proof.portal for proof in row.evidence), "")
    place = place_of(
        tx, portal=portal, registry=row.registry_name, kind=row.target_kind, target_id=row.target_id, now=now
    )
    if place is None:
        return None
    return Case(row, place, is_managed(tx, place, but=row.subject_id, now=now))


def place_of(tx: Session, *, portal: str, registry: str, kind: str, target_id: UUID, now: datetime) -> Place | None:
    """A target at a portal."""
    party = relying_parties.find(portal, now=now)
    terms = affiliations.terms_of(party) if party is not None else None
    target = point_at(tx, registry=registry, kind=TargetKind(kind), target_id=target_id, now=now)
    return None if party is None or terms is None or target is None else Place(party, terms, target)


def is_managed(tx: Session, place: Place, *, but: str | None, now: datetime) -> bool:
    """Whether somebody else manages the target at the portal now."""
    dormancy = house.get(Settings).dormancy
    return bool(managers_of(tx, target=place.target, terms=place.terms, now=now, dormancy=dormancy, but=but))


def find(tx: Session, identity: UUID, *, lock: bool = False) -> Affiliation | None:
    """The affiliation, whatever its target."""
    see_as(tx, everything=True)
    query = select(Affiliation).where(Affiliation.id == identity)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).one_or_none()


def status_now(place: Place, row: Affiliation, *, now: datetime) -> AffiliationStatus:
    """The effective status of a row at its target."""
    held = held_of(row, as_target(place.target, row))
    return status_at(held, now=now, dormancy=house.get(Settings).dormancy)


def requests(
    tx: Session, *, after: Key | None, now: datetime
) -> tuple[tuple[Asked, ...], Key | None, Mapping[UUID, str]]:
    """Undecided requests that were escalated, the one with the least time left first; and their targets' names."""
    see_as(tx, everything=True)
    window, table = _window(), AccessRequest
    query = (
        select(table)
        .where(
            table.status == Status.PENDING.value,
            table.submitted_at > now - window,
            table.escalated_at.is_not(None),
        )
        .order_by(table.submitted_at, table.id)
        .limit(A_PAGE + 1)
    )
    if after is not None:
        query = query.where(
            or_(table.submitted_at > after[0], and_(table.submitted_at == after[0], table.id > after[1]))
        )
    rows = tx.scalars(query).all()
    shown = rows[:A_PAGE]
    names = {row.target_id: target.name for row in shown if (target := _pointed(tx, row, now=now)) is not None}
    more = (shown[-1].submitted_at, shown[-1].id) if len(rows) > A_PAGE else None
    return tuple(asked_of(row, now=now, window=window) for row in shown), more, names


def find_request(tx: Session, identity: UUID, *, lock: bool = False) -> AccessRequest | None:
    """The request, whatever its target."""
    see_as(tx, everything=True)
    query = select(AccessRequest).where(AccessRequest.id == identity)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).one_or_none()


def _pointed(tx: Session, row: AccessRequest, *, now: datetime) -> Pointed | None:
    kind = TargetKind(row.target_kind)
    return point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)


def _window() -> timedelta:
    return house.get(Settings).access_request_window
