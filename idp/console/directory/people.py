"""Who acts for a record, managers first, then by name: a page by key, and a search off the words (AD-18)."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, literal, select, tuple_
from sqlalchemy.orm import Session

from idp.affiliations.listing import Key
from idp.affiliations.models import Affiliation
from idp.affiliations.searching import facts as searching
from idp.affiliations.searching.rules import terms
from idp.foundation.database import see_as
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import AffiliationStatus

A_PAGE: Final = 50
_MANAGERS: Final = "m"
_OTHERS: Final = "o"


@dataclass(frozen=True, slots=True)
class Place:
    """After which row a page begins: among managers or the others, in one registry."""

    others: bool = False
    registry: str = ""
    key: Key | None = None

    def pack(self) -> str:
        return f"{_OTHERS if self.others else _MANAGERS}{self.registry:32}{self.key.pack() if self.key else ''}"

    @classmethod
    def unpack(cls, text: str) -> "Place":
        """The beginning, for anything that no page of ours has sent (AD-24)."""
        key = Key.unpack(text[33:])
        return cls() if key is None else cls(text[0] == _OTHERS, text[1:33].strip(), key)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who acts for a target, or waits to."""

    id: UUID
    name: str
    status: AffiliationStatus
    account_manager: bool


@dataclass(frozen=True, slots=True)
class People:
    """A page of a record's people."""

    rows: tuple[Member, ...]
    after: Place | None
    begun: bool
    """Whether another page comes before."""


def people_of(tx: Session, target_id: UUID, *, search: str, place: Place) -> People:
    """The people of a target; `status` is the stored one."""
    see_as(tx, target_id=target_id)
    rows = [] if place.others else _some(tx, target_id, search, place, limit=A_PAGE + 1)
    if len(rows) <= A_PAGE:
        others = place if place.others else Place(others=True)
        rows += _some(tx, target_id, search, others, limit=A_PAGE + 1 - len(rows))
    shown = rows[:A_PAGE]
    more = _place(shown[-1][0]) if len(rows) > A_PAGE else None
    return People(tuple(_member(*each) for each in shown), more, place.key is not None)


def _some(tx: Session, target_id: UUID, search: str, place: Place, *, limit: int) -> list[tuple[Affiliation, Subject]]:
    where: list[ColumnElement[bool]] = [
        Affiliation.status != AffiliationStatus.ENDED.value,
        Affiliation.account_manager.is_(not place.others),
    ]
    order = (Affiliation.registry_name, Affiliation.sort_key, Affiliation.id)
    query = select(Affiliation, Subject).join(Subject, Subject.id == Affiliation.subject_id)
    if wanted := terms(search):
        order = order[1:]  # type: ignore[assignment]
        ids = searching.page(tx, target_id=target_id, terms=wanted, where=where, after=place.key, limit=limit)
        query = query.where(Affiliation.id.in_(ids))
    else:
        query = query.where(Affiliation.target_id == target_id, *where)
        if place.key is not None:
            last = (place.registry, place.key.name, place.key.affiliation_id)
            query = query.where(tuple_(*order) > tuple_(*(literal(part) for part in last)))
    return [(row, person) for row, person in tx.execute(query.order_by(*order).limit(limit))]


def _place(row: Affiliation) -> Place:
    return Place(not row.account_manager, row.registry_name, Key(row.sort_key, row.id))


def _member(row: Affiliation, person: Subject) -> Member:
    name = person.display_name or " ".join(part for part in (person.given_name, person.family_name) if part)
    return Member(row.id, name or person.user_id or "–", AffiliationStatus(row.status), row.account_manager)
