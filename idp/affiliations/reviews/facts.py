"""Reviews and the people in them, as they are in this transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import Place, member_of
from idp.affiliations.deciding.rules import Member
from idp.affiliations.listing import Key as Key
from idp.affiliations.listing import Moment as Moment
from idp.affiliations.managers.facts import Manager, managers_of
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.affiliations.reviews.models import AccessReview, ReviewItem
from idp.affiliations.reviews.rules import Standing
from idp.affiliations.rules import PortalTerms
from idp.foundation import house
from idp.foundation.database import UtcDateTime
from idp.settings import Settings
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence

A_PAGE: Final = 25
_REVIEWED: Final = (
    AffiliationStatus.UNVERIFIED.value, AffiliationStatus.ACTIVE.value, AffiliationStatus.DISABLED.value
)  # fmt: skip
"""A claim that nobody has verified is no access yet."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One person in a review."""

    affiliation_id: UUID
    subject_id: str
    name: str
    email: str
    member: Member
    kept: frozenset[str] | None
    said_by: str | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a review is."""

    people: int
    kept: int
    ended: int
    """Of whom somebody said that nothing is kept."""

    @property
    def unsaid(self) -> int:
        return self.people - self.kept - self.ended


def ask_whom(tx: Session, place: Place, *, now: datetime, but: str | None = None) -> tuple[Manager, ...]:
    """Who may say and confirm: the target's managers at the portal, `but` one of them."""
    dormancy = house.get(Settings).dormancy
    return managers_of(tx, target=place.target, terms=place.terms, now=now, dormancy=dormancy, but=but)


def standing_of(row: AccessReview) -> Standing:
    return Standing(row.id, row.opened_at, row.due_at, row.confirmed_at, row.closed_at)


def find(tx: Session, place: Place, review_id: UUID, *, lock: bool = False) -> AccessReview | None:
    """A review of this target at this portal; any other looks as if there were none (AD-02)."""
    query = select(AccessReview).where(
        AccessReview.id == review_id,
        AccessReview.target_id == place.target.id,
        AccessReview.registry_name == place.target.registry,
        AccessReview.portal == place.party.client_id,
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).one_or_none()


def of_place(tx: Session, place: Place, *, after: Moment | None = None) -> tuple[Sequence[AccessReview], Moment | None]:
    """Some of the reviews of a target at a portal, newest first, and where the next page begins."""
    key = (AccessReview.opened_at, AccessReview.id)
    query = select(AccessReview).where(
        AccessReview.target_id == place.target.id,
        AccessReview.registry_name == place.target.registry,
        AccessReview.portal == place.party.client_id,
    )
    if after is not None:
        query = query.where(tuple_(*key) < tuple_(literal(after.at, UtcDateTime), literal(after.id)))
    rows = tx.scalars(query.order_by(*(column.desc() for column in key)).limit(A_PAGE + 1)).all()
    last = rows[A_PAGE - 1] if len(rows) > A_PAGE else None
    return rows[:A_PAGE], None if last is None else Moment(last.opened_at, last.id)


def page(
    tx: Session, place: Place, row: AccessReview, *, after: Key | None, now: datetime
) -> tuple[tuple[Reviewed, ...], Key | None]:
    """Some of the people by last name, read off its index, and where the next page begins."""
    query = (
        select(Affiliation, Subject, ReviewItem, Affiliation.sort_key.label("sorted_by"))
        .join(Subject, Subject.id == Affiliation.subject_id)
        .outerjoin(ReviewItem, and_(ReviewItem.affiliation_id == Affiliation.id, ReviewItem.review_id == row.id))
        .where(*_scope(row))
        .order_by(Affiliation.sort_key, Affiliation.id)
        .limit(A_PAGE + 1)
    )
    if after is not None:
        name = Affiliation.sort_key
        query = query.where(or_(name > after.name, and_(name == after.name, Affiliation.id > after.affiliation_id)))
    found = tx.execute(query).all()
    last = found[A_PAGE - 1] if len(found) > A_PAGE else None
    key = None if last is None else Key(last.sorted_by, last.Affiliation.id)
    return tuple(_reviewed(each, place, now=now) for each in found[:A_PAGE]), key


def own_item(tx: Session, row: AccessReview, *, subject_id: str) -> tuple[bool, bool]:
    """Whether a person is in the review, and whether somebody has kept access of theirs."""
    query = (
        select(ReviewItem)
        .select_from(Affiliation)
        .outerjoin(ReviewItem, and_(ReviewItem.affiliation_id == Affiliation.id, ReviewItem.review_id == row.id))
        .where(*_scope(row), Affiliation.subject_id == subject_id)
    )
    found = tx.execute(query).all()
    return bool(found), any(item is not None and bool(item.levels_kept) for (item,) in found)


def counts(tx: Session, row: AccessReview) -> Counts:
    """How many people, and what was said of them."""
    people = tx.execute(select(func.count()).select_from(Affiliation).where(*_scope(row))).scalar_one()
    said = select(ReviewItem.levels_kept).join(Affiliation, Affiliation.id == ReviewItem.affiliation_id)
    kept = list(tx.scalars(said.where(ReviewItem.review_id == row.id, *_scope(row))))
    keeping = sum(1 for levels in kept if levels)
    return Counts(people, keeping, sum(1 for levels in kept if levels is not None) - keeping)


def item(tx: Session, row: AccessReview, affiliation_id: UUID) -> ReviewItem | None:
    """What was said of one person."""
    query = select(ReviewItem).where(ReviewItem.review_id == row.id, ReviewItem.affiliation_id == affiliation_id)
    return tx.scalars(query).one_or_none()


def undone(tx: Session, row: AccessReview, *, limit: int) -> Sequence[Affiliation]:
    """Access in the review about which nothing was carried out yet; ended meanwhile or not."""
    done = exists().where(
        ReviewItem.review_id == row.id, ReviewItem.affiliation_id == Affiliation.id, ReviewItem.outcome.is_not(None)
    )
    said = exists().where(ReviewItem.review_id == row.id, ReviewItem.affiliation_id == Affiliation.id)
    query = select(Affiliation).where(*_of(row), or_(Affiliation.status.in_(_REVIEWED), said), ~done)
    return tx.scalars(query.order_by(Affiliation.id).limit(limit).with_for_update()).all()


def items(tx: Session, review_id: UUID) -> Iterator[tuple[ReviewItem, Subject]]:
    """All that was said and done, by row; a page is one statement."""
    after: UUID | None = None
    while True:
        query = (
            select(ReviewItem, Subject)
            .join(Affiliation, Affiliation.id == ReviewItem.affiliation_id)
            .join(Subject, Subject.id == Affiliation.subject_id)
            .where(ReviewItem.review_id == review_id)
            .order_by(ReviewItem.id)
            .limit(500)
        )
        rows = tx.execute(query if after is None else query.where(ReviewItem.id > after)).all()
        yield from ((each.ReviewItem, each.Subject) for each in rows)
        if len(rows) < 500:
            return
        after = rows[-1].ReviewItem.id


def due_targets(terms: PortalTerms, *, since: datetime, now: datetime, limit: int) -> Select[str, UUID]:
    """Targets with a manager whom the portal accepts, for over the period, without a review within it.

    Some of them cannot be opened (nobody in force any more): the limit must be well above those.
    """
    strong = [kind.value for kind in Evidence if kind.suffices(terms.accepts_for_manager)]
    proven = exists().where(
        AffiliationEvidence.affiliation_id == Affiliation.id,
        AffiliationEvidence.kind.in_(strong),
        AffiliationEvidence.from_registry.is_(None),
    )
    lately = exists().where(
        AccessReview.target_id == Affiliation.target_id,
        AccessReview.portal == terms.client_id,
        AccessReview.registry_name == Affiliation.registry_name,
        or_(AccessReview.opened_at > since, AccessReview.closed_at.is_(None)),
    )
    return (
        select(Affiliation.target_kind, Affiliation.target_id)
        .distinct()
        .where(
            Affiliation.registry_name == terms.registry,
            Affiliation.account_manager.is_(True),
            Affiliation.status == AffiliationStatus.ACTIVE.value,
            Affiliation.created_at <= since,
            or_(Affiliation.ends_at.is_(None), Affiliation.ends_at > now),
            proven,
            ~lately,
        )
        .limit(limit)
    )


def _scope(row: AccessReview) -> tuple[ColumnElement[bool], ...]:
    return (*_of(row), Affiliation.status.in_(_REVIEWED))


def _of(row: AccessReview) -> tuple[ColumnElement[bool], ...]:
    """Who had access when the review began; who came later is asked about in the next one."""
    return (
        Affiliation.target_id == row.target_id,
        Affiliation.registry_name == row.registry_name,
        Affiliation.target_kind == row.target_kind,
        Affiliation.created_at <= row.opened_at,
    )


def _reviewed(found: Any, place: Place, *, now: datetime) -> Reviewed:
    row, subject, said = found.Affiliation, found.Subject, found.ReviewItem
    name = subject.display_name or " ".join(part for part in (subject.given_name, subject.family_name) if part)
    kept = frozenset(said.levels_kept) if said is not None and said.levels_kept is not None else None
    member = member_of(place, row, now=now)
    by = said.said_by if said is not None else None
    return Reviewed(
        row.id, row.subject_id, name or subject.user_id or "", subject.email or "", member, kept, by, row.last_used_at
    )
