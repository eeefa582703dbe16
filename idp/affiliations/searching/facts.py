"""Reads the people of a target who have every word that is looked for, in the order of their names."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, Table, and_, func, literal, select, tuple_
from sqlalchemy.orm import Session

from idp.affiliations.listing import Key
from idp.affiliations.models import Affiliation
from idp.affiliations.searching.models import AffiliationWord

MANY: Final = 20_000
"""Words that begin so from which on it is quicker to read people by name until a page is full."""
_FIRST: Final = 200
"""Words that are looked through at once, at first."""
_AFTER_EVERY_WORD: Final = "\U0010ffff"
_word: Final[Table] = AffiliationWord.__table__  # type: ignore[assignment]
_other: Final = _word.alias()
_NAMED: Final = _other.c.by_mail.is_(False)
Where = Sequence[ColumnElement[bool]]


def page(
    tx: Session, *, target_id: UUID, terms: Sequence[str], where: Where, after: Key | None, limit: int
) -> tuple[UUID, ...]:
    """At most `limit` affiliations of which `where` holds, by name; the row fence is open for the target.

    `where` says nothing of the target: PostgreSQL, knowing no counts yet, would look each of them up by it.
    The rarest of the terms is read off the words; where each is common, people are read by name instead.
    """
    counted = sorted((_count(tx, target_id, term), term) for term in set(terms))
    few, rarest = counted[0]
    if few >= MANY:
        query = select(Affiliation.sort_key, Affiliation.id).where(Affiliation.target_id == target_id, *where)
        query = query.where(*(has(term) for term in terms))
        return tuple(row.id for row in tx.execute(_from(query, after).limit(limit)))
    others = (_has_too(term) for _, term in counted[1:])
    begun = select(_word.c.sort_key, _word.c.affiliation_id).where(
        _word.c.target_id == target_id, _begins(_word, rarest), *others
    )
    found: list[UUID] = []
    at_once = _FIRST
    while True:
        keys = [Key(*row) for row in tx.execute(_from(begun, after).limit(at_once))]
        found += _those(tx, keys, where)
        if len(found) >= limit or len(keys) < at_once:
            return tuple(found[:limit])
        after, at_once = keys[-1], at_once * 8


def _from(query: Select[str, UUID], after: Key | None) -> Select[str, UUID]:
    key = tuple(query.selected_columns)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(literal(after.name), literal(after.affiliation_id)))
    return query.order_by(*key)


def _those(tx: Session, keys: Sequence[Key], where: Where) -> list[UUID]:
    """Of these the ones that count, in their order and once, though two of their words begin so."""
    ids = [key.affiliation_id for key in keys]
    counts = set(tx.scalars(select(Affiliation.id).where(Affiliation.id.in_(ids), *where)))
    return [each for each in dict.fromkeys(ids) if each in counts]


def has(term: str) -> ColumnElement[bool]:
    """Whether some word of an affiliation that a query already reads begins so."""
    return _is_there(_word.c.affiliation_id == Affiliation.id, _begins(_word, term))


def found_by_name(targets: Sequence[UUID] | CompoundSelect[UUID], terms: Sequence[str]) -> Select[UUID]:
    """Affiliations of which words of the name or user ID begin so; by an e-mail address nobody is found here."""
    first, *others = sorted(terms, key=len, reverse=True)
    query = select(_word.c.affiliation_id).where(_word.c.target_id.in_(targets), _begins(_word, first))
    return query.where(_word.c.by_mail.is_(False), *(_has_too(term, _NAMED) for term in others))


def _has_too(term: str, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the person of a word that a query already reads has another that begins so."""
    return _is_there(_other.c.affiliation_id == _word.c.affiliation_id, _begins(_other, term), *conditions)


def _is_there(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """As EXISTS, in a form that PostgreSQL looks up row by row: it would join word with word where it knows no counts yet."""
    return select(literal(1)).where(*conditions).limit(1).scalar_subquery().is_not(None)


def _count(tx: Session, target_id: UUID, term: str) -> int:
    """How many words of the target begin so, counted no further than matters."""
    some = select(literal(1)).where(_word.c.target_id == target_id, _begins(_word, term)).limit(MANY).subquery()
    return tx.execute(select(func.count()).select_from(some)).scalar_one()


def _begins(words: object, term: str) -> ColumnElement[bool]:
    column = words.c.word  # type: ignore[attr-defined]
    return and_(column >= term, column < term + _AFTER_EVERY_WORD)
