"""The people of a target as a manager sees them, paged by name; what a manager manages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from idp.affiliations.deciding.facts import Place, held_at
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.affiliations.rules import PENDING_LIFETIME, Held, PortalTerms, ProviderChoice, manages_at
from idp.affiliations.searching import facts as words
from idp.affiliations.searching import rules as searching
from idp.affiliations.service import terms_of
from idp.manage.rules import A_PAGE, MOST_COUNTED, Count, Filter, Key, Row, Sort
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence

_ORDERS: Final[dict[Sort, InstrumentedAttribute[str]]] = {
    Sort.LAST_NAME: Affiliation.sort_key,
    Sort.FIRST_NAME: Affiliation.first_key,
    Sort.USER_NAME: Affiliation.login_key,
}
"""Each is kept, and read by its own index."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of people, and where the next one begins."""

    rows: tuple[Row, ...]
    after: Key | None


@dataclass(frozen=True, slots=True)
class Managed:
    """A target that somebody manages at a portal."""

    party: RelyingParty
    held: Held
    providers: tuple[ProviderChoice, ...] = ()
    """Of a practice, at a portal that acts for providers: their people are managed with it (MODEL §1)."""


def managed_by(held: tuple[Held, ...], *, now: datetime, dormancy: timedelta) -> tuple[Managed, ...]:
    """Where a person is an account manager now: each portal with each of their targets, by portal and name."""
    found = []
    for party in relying_parties.every(now=now).values():
        terms = terms_of(party) if party.portal is not None and party.enabled else None
        if terms is not None:
            found += [
                Managed(party, each, _providers(each, terms))
                for each in held
                if manages_at(each, terms=terms, now=now, dormancy=dormancy)
            ]
    return tuple(sorted(found, key=lambda each: (each.party.manifest.name, each.held.target.name)))


def _providers(held: Held, terms: PortalTerms) -> tuple[ProviderChoice, ...]:
    of_practice = held.target.kind is TargetKind.PRACTICE and TargetKind.PROVIDER in terms.acting_for
    return held.target.providers if of_practice else ()


def people(
    tx: Session,
    place: Place,
    *,
    shown: Filter,
    search: str,
    after: Key | None,
    now: datetime,
    dormancy: timedelta,
    sort: Sort = Sort.LAST_NAME,
    limit: int = A_PAGE,
) -> Listed:
    """A page of the target's people; the row fence is open for the target."""
    status, order = _status(place, now=now, dormancy=dormancy), _ORDERS[sort]
    where = [*_held(place), status != AffiliationStatus.ENDED.value]
    if shown is not Filter.ALL:
        where.append(status == shown.value)
        stored = _where_stored(tx, place, shown, unused_since=now - dormancy)
        if stored is None:
            return Listed((), None)
        where += stored
    query = (
        select(Affiliation, Subject, status.label("now_is"), order.label("sorted_by"))
        .join(Subject, Subject.id == Affiliation.subject_id)
        .order_by(order, Affiliation.id)
        .limit(limit + 1)
    )
    terms = searching.terms(search)
    if terms and sort is Sort.LAST_NAME:
        ids = words.page(tx, target_id=place.target.id, terms=terms, where=where, after=after, limit=limit + 1)
        query = query.where(Affiliation.id.in_(ids))
    else:
        query = query.where(*_of(place), *where, *(words.has(term) for term in terms))
        if after is not None:
            query = query.where(
                or_(order > after.name, and_(order == after.name, Affiliation.id > after.affiliation_id)),
                order >= after.name,
            )
    found = tx.execute(query).all()
    rows = tuple(_row(each, place, now=now, dormancy=dormancy) for each in found[:limit])
    last = found[limit - 1] if len(found) > limit else None
    return Listed(rows, None if last is None else Key(last.sorted_by, last.Affiliation.id))


def counts(tx: Session, place: Place, *, now: datetime, dormancy: timedelta) -> Mapping[Filter, Count]:
    """How many people each tab shows, counted no further than is told: a look costs the same at any number of people.

    Where a target's records moved, whoever registered before is read through to count those who came since.
    """
    status = _status(place, now=now, dormancy=dormancy)
    found: dict[Filter, list[int]] = {each: [] for each in Filter if each is not Filter.ALL}
    some = [
        (each, select(literal(1)).where(*_of(place), *where, status == each.value).limit(MOST_COUNTED + 1).subquery())
        for each, where in _stored(place, unused_since=now - dormancy)
    ]
    query = union_all(*(select(literal(each.value), func.count()).select_from(rows) for each, rows in some))
    for shown, number in tx.execute(query):
        found[Filter(shown)].append(number)
    each_tab = {each: Count.of(numbers) for each, numbers in found.items()}
    return {Filter.ALL: Count.of([number for numbers in found.values() for number in numbers]), **each_tab}


def _where_stored(
    tx: Session, place: Place, shown: Filter, *, unused_since: datetime
) -> tuple[ColumnElement[bool], ...] | None:
    """What narrows a tab to an index beside its status; `None`: nobody can be on it now."""
    ranges = [where for each, where in _stored(place, unused_since=unused_since) if each is shown]
    if not ranges:
        return None
    first, *unswept = ranges
    query = select(literal(1)).where(*_of(place)).limit(1)
    return () if any(tx.execute(query.where(*where)).first() for where in unswept) else first


def _stored(place: Place, *, unused_since: datetime) -> Iterator[tuple[Filter, tuple[ColumnElement[bool], ...]]]:
    """Where the people of each tab are stored, by ranges of indexes; `_status` then judges each row."""
    held, is_ = Affiliation, AffiliationStatus
    yield Filter.VERIFICATION_PENDING, (held.status == is_.VERIFICATION_PENDING.value,)
    yield Filter.UNVERIFIED, (held.status == is_.UNVERIFIED.value,)
    yield Filter.DISABLED, (held.status == is_.DISABLED.value,)
    active = held.status == is_.ACTIVE.value
    if place.target.moved_at is not None or not place.target.in_force:
        yield Filter.SUSPENDED, (active,)
    if place.target.in_force:
        yield Filter.ACTIVE, (active,)
        yield Filter.DISABLED, (active, held.last_used_at.is_(None), held.activated_at <= unused_since)
        yield Filter.DISABLED, (active, held.last_used_at <= unused_since)


def managers(tx: Session, place: Place, *, now: datetime, dormancy: timedelta) -> int:
    """How many of the target's own people manage it at this portal now: `affiliations.rules.manages_at` as an expression."""
    status, terms = _status(place, now=now, dormancy=dormancy), place.terms
    proof = AffiliationEvidence
    proven = exists().where(
        proof.affiliation_id == Affiliation.id,
        proof.kind.in_([kind.value for kind in Evidence if kind.suffices(terms.accepts_for_manager)]),
        proof.from_registry.is_(None),
    )
    query = select(func.count()).where(
        *_of(place),
        Affiliation.account_manager.is_(True),
        Affiliation.status == AffiliationStatus.ACTIVE.value,
        Affiliation.starts_at <= now,
        status == AffiliationStatus.ACTIVE.value,
        proven,
    )
    return tx.execute(query).scalar_one()


def _of(place: Place) -> tuple[ColumnElement[bool], ...]:
    return (Affiliation.target_id == place.target.id, *_held(place))


def _held(place: Place) -> tuple[ColumnElement[bool], ...]:
    """What a row of the target must be besides, to count."""
    target = place.target
    return (
        Affiliation.registry_name == target.registry,
        Affiliation.target_kind == target.kind.value,
        Affiliation.status != AffiliationStatus.ENDED.value,
    )


def _status(place: Place, *, now: datetime, dormancy: timedelta) -> ColumnElement[str]:
    """`affiliations.rules.status_at` as an expression, so that filters and counts say what each page says."""
    table, is_ = Affiliation, AffiliationStatus
    used = case(
        (table.last_used_at.is_(None), table.activated_at),
        (table.activated_at > table.last_used_at, table.activated_at),
        else_=table.last_used_at,
    )
    moved = place.target.moved_at
    lost = (
        literal(not place.target.in_force)
        if moved is None
        else or_(literal(not place.target.in_force), table.created_at < moved)
    )
    lapsed = and_(table.status == is_.VERIFICATION_PENDING.value, table.created_at <= now - PENDING_LIFETIME)
    return case(
        (or_(table.status == is_.ENDED.value, table.ends_at <= now, lapsed), is_.ENDED.value),
        (table.status != is_.ACTIVE.value, table.status),
        (lost, is_.SUSPENDED.value),
        (used <= now - dormancy, is_.DISABLED.value),
        else_=is_.ACTIVE.value,
    )


def _row(found: Any, place: Place, *, now: datetime, dormancy: timedelta) -> Row:
    row, subject = found.Affiliation, found.Subject
    own = tuple(sorted(level.level for level in row.levels if level.portal == place.party.client_id))
    waits = found.now_is == AffiliationStatus.VERIFICATION_PENDING.value
    return Row(
        affiliation_id=row.id,
        subject_id=subject.id,
        name=subject.display_name
        or " ".join(part for part in (subject.given_name, subject.family_name) if part)
        or subject.user_id
        or "",
        email=subject.email or "",
        user_id=subject.user_id or "",
        first_name=subject.given_name or "",
        last_name=subject.family_name or "",
        status=AffiliationStatus(found.now_is),
        account_manager=manages_at(held_at(place, row), terms=place.terms, now=now, dormancy=dormancy),
        levels=own or (() if waits else place.terms.default_levels),
        last_sign_in_at=subject.last_sign_in_at,
        version=row.version,
    )
