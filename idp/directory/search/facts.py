"""Reads names off their words' indexes, in order, a page at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Select, Table, and_, func, literal, literal_column, not_, select, tuple_
from sqlalchemy.orm import Session

from idp.directory import facts
from idp.directory.models import NameWord, NpiRecord, NpiWord
from idp.directory.rules import NATIONAL, DirectoryFilter
from idp.directory.search.rules import (
    CONSIDERED,
    LENGTHS,
    NpiFacts,
    Stretch,
    is_first_of,
    led,
    near,
    stretch_of,
    swapped,
)

record: Final[Table] = NpiRecord.__table__  # type: ignore[assignment]
npi_word: Final[Table] = NpiWord.__table__  # type: ignore[assignment]
name_word: Final[Table] = NameWord.__table__  # type: ignore[assignment]

_AFTER_EVERY_WORD: Final = "\U0010ffff"
_MARKS: Final = ("0", "1")
"""Behind the key of a place: whether its page was read without stretches or with them."""
_NPI_COLUMNS: Final = (
    record.c.npi, record.c.source, record.c.entity, record.c.name, record.c.state, record.c.zip_code, record.c.status,
    record.c.enumerated_on, record.c.updated_on, record.c.deactivated_on, record.c.reactivated_on,
    record.c.imported_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Index:
    """A table of words, the part of it that is searched, and the records that they lead to."""

    words: Table
    scope: str
    within: tuple[ColumnElement[bool], ...]
    keys: tuple[Column[Any], ...]
    found: Select[Any]

    def between(self, start: str) -> ColumnElement[bool]:
        """Words that begin so; nothing in `start` is a wildcard."""
        return and_(*self.within, _starts(self.words.c.word, start))


def roster(registry: str) -> Index:
    """The payer's records."""
    words = facts.word
    return Index(
        words,
        registry,
        (words.c.registry == registry,),
        (words.c.number,),
        facts.PROVIDERS.join(words, words.c.provider_id == facts.provider.c.id),
    )


def here(index: Index, within: DirectoryFilter) -> tuple[ColumnElement[bool], ...]:
    """What of a filter the index itself tells of whom it leads to, without reading them."""
    words = index.words.c
    states = () if within.states is None else (words.state.in_(sorted(within.states)),)
    return states if within.places is None else (*states, words.program.between(*within.places))


def national() -> Index:
    """NPI records of every source."""
    found = select(*_NPI_COLUMNS).join_from(
        npi_word, record, and_(record.c.npi == npi_word.c.npi, record.c.source == npi_word.c.source)
    )
    return Index(npi_word, NATIONAL, (), (npi_word.c.npi, npi_word.c.source), found)


def count_first(tx: Session, index: Index, typed: Sequence[str], *, most: int) -> dict[str, int]:
    """`count`; on PostgreSQL it says how the rest of the transaction searches: one process reads a page, and none of it is
    compiled, since to call others or to compile takes longer than to read it."""
    if tx.get_bind().dialect.name != "postgresql":
        return count(tx, index, typed, most=most)
    settings = {"max_parallel_workers_per_gather": "0", "jit": "off"}
    return count(tx, index, typed, most=most, beside=[func.set_config(*each, True) for each in settings.items()])


def count(
    tx: Session, index: Index, starts: Iterable[str], *, most: int, beside: Iterable[ColumnElement[Any]] = ()
) -> dict[str, int]:
    """How many words begin so, all in one statement: as counted when an import ended, else no further than matters."""
    words = list(dict.fromkeys(starts))
    counts = [func.coalesce(_known(index, word), _counted(index, word, most)) for word in words]
    return dict(zip(words, tx.execute(select(*counts, *beside)).one(), strict=False))


def _known(index: Index, start: str) -> ColumnElement[Any]:
    """Of common words; nothing where none begins so."""
    its = name_word.c
    common = select(func.sum(its.names)).where(its.scope == index.scope, its.names > literal_column("0"))
    return common.where(_starts(its.word, start)).scalar_subquery()


def _counted(index: Index, start: str, most: int) -> ColumnElement[Any]:
    some = select(literal(1)).select_from(index.words).where(index.between(start)).limit(most).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _starts(column: Column[Any], start: str) -> ColumnElement[bool]:
    return and_(column >= start, column < start + _AFTER_EVERY_WORD)


def page(
    tx: Session,
    index: Index,
    terms: Sequence[str],
    *conditions: ColumnElement[bool],
    first: Sequence[Stretch] = (),
    after: tuple[str, str] | None,
    limit: int,
) -> tuple[list[Any], tuple[str, str] | None]:
    """Records of whose name some word begins with each of `terms`: the stretches that come `first`, then the others in the
    order of the words found by the first term.

    A name of which two words begin with the first term stands under the first of them, and is passed over at the other.
    """
    place = _place(index, after)
    shown: list[Any] = []
    for number in range(stretch_of(first, *place[:2]) if place else 0, len(first) + 1):
        others = [not_(_holds(index, each)) for each in first[:number]]
        if number < len(first):
            start, query = None, _stretch(index, terms, first[number])
        else:
            start, *rest = led(terms, place[0]) if place else terms
            query = _found(index, index.between(start), rest)
        query = query.where(*others, *conditions)
        shown += _read(tx, index, query, start=start, place=place, limit=limit - len(shown))
        if len(shown) > limit:
            end = _end(index, shown, limit)
            return shown[:end], _told(index, shown[end - 1], mark=_MARKS[bool(first)])
        place = None
    return shown, None


def _end(index: Index, rows: Sequence[Any], limit: int) -> int:
    """Where a page ends of which more rows are known; one of NPI records where an NPI does, so that no two pages show one."""
    if len(index.keys) == 1:
        return limit
    return next((at for at in range(limit, 0, -1) if _same(rows[at - 1]) != _same(rows[at])), limit)


def _same(row: Any) -> tuple[str, str, str]:
    return row.npi, row.sorted_by, row.found_by


def _read(
    tx: Session, index: Index, query: Select[Any], *, start: str | None, place: tuple[str, ...] | None, limit: int
) -> list[Any]:
    """From a place on, one more than `limit` where there are so many."""
    words = index.words.c
    sorted_by = (words.word, words.name_key, *index.keys)
    query = query.order_by(*sorted_by).limit(limit + 1)
    shown: list[Any] = []
    while True:
        rows = tx.execute(query if place is None else query.where(tuple_(*sorted_by) > tuple_(*place))).all()
        shown += [row for row in rows if start is None or is_first_of(row.found_by, start=start, key=row.sorted_by)]
        if len(rows) <= limit or len(shown) > limit:
            return shown
        place = (rows[-1].found_by, rows[-1].sorted_by, *_key(index, rows[-1]))


def _found(index: Index, where: ColumnElement[bool], others: Iterable[str]) -> Select[Any]:
    words = index.words.c
    return index.found.add_columns(
        words.word.label("found_by"),
        words.name_key.label("sorted_by"),
        *(key.label(f"by_{key.name}") for key in index.keys),
    ).where(where, *(_has(words.name_key, term) for term in others))


def _has(name: Column[Any], start: str) -> ColumnElement[bool]:
    """Names of which some word begins so; what is in none of its words is passed over first, at half of the cost."""
    return and_(name.like(f"%{start}%"), literal(" ").concat(name).like(f"% {start}%"))


def _stretch(index: Index, terms: Sequence[str], its: Stretch) -> Select[Any]:
    others = (term for term in terms if term not in (its.begin, its.having))
    return _found(index, and_(*index.within, index.words.c.word == its.having, _begins(index, its)), others)


def _holds(index: Index, its: Stretch) -> ColumnElement[bool]:
    whole = literal(" ").concat(index.words.c.name_key).concat(" ")
    return and_(_begins(index, its), whole.like(f"% {its.having} %"))


def _begins(index: Index, its: Stretch) -> ColumnElement[bool]:
    return _starts(index.words.c.name_key, its.begin)


def neighbours(tx: Session, index: Index, word: str, *, least: float) -> list[str]:
    """Words of names that begin with the same letter and share more trigrams with this one, the nearest first; then those that
    are this one with two letters exchanged."""
    column, letter = name_word.c.word, word[0]
    those = select(column).where(name_word.c.scope == index.scope)
    alike = those.where(func.length(column).between(len(word) - LENGTHS, len(word) + LENGTHS))
    exchanged = sorted(tx.scalars(those.where(column.in_(swapped(word)))))
    if tx.get_bind().dialect.name != "postgresql":
        nearest = near(word, tx.scalars(alike.where(_starts(column, letter))), least=least)[:CONSIDERED]
    else:
        tx.execute(select(func.set_config("pg_trgm.similarity_threshold", str(least), True)))
        share = func.similarity(column, word)
        # Not as a stretch of words: PostgreSQL would take all with that letter to be fewer than those that share trigrams.
        query = alike.where(column.op("%")(word), func.left(column, 1) == letter, share > least)
        nearest = list(tx.scalars(query.order_by(share.desc(), column).limit(CONSIDERED)))
    return list(dict.fromkeys((*nearest, *exchanged)))


def npi_records(tx: Session, npi: str) -> tuple[NpiFacts, ...]:
    """What every source says of one NPI."""
    query = select(*_NPI_COLUMNS).where(record.c.npi == npi).order_by(record.c.source)
    return tuple(npi_of(row) for row in tx.execute(query))


def npi_of(row: Any) -> NpiFacts:
    """A row of `npi_record`, whatever stands after it."""
    return NpiFacts(*row[: len(_NPI_COLUMNS)])


def _place(index: Index, after: tuple[str, str] | None) -> tuple[str, ...] | None:
    """Where a page begins; what a browser made up begins at the beginning."""
    if after is None or not all(part.isprintable() for part in after):
        return None
    word, between, name = after[0].partition(" ")
    key, _mark = _parts(index, after)
    return (word, name, *key) if between and len(key) == len(index.keys) else None


def has_stretches(index: Index, after: tuple[str, str] | None) -> bool | None:
    """Whether a former page was read with some; `None` where there is none, or it does not say so."""
    mark = None if after is None else _parts(index, after)[1]
    return None if mark is None else mark == _MARKS[True]


def _parts(index: Index, after: tuple[str, str]) -> tuple[list[str], str | None]:
    """Key and mark of a place; a page of the release before wrote no mark."""
    *key, mark = after[1].split(" ")
    return (key, mark) if len(key) == len(index.keys) and mark in _MARKS else ([*key, mark], None)


def _told(index: Index, row: Any, *, mark: str) -> tuple[str, str]:
    return f"{row.found_by} {row.sorted_by}", " ".join((*_key(index, row), mark))


def _key(index: Index, row: Any) -> tuple[str, ...]:
    return tuple(getattr(row, f"by_{key.name}") for key in index.keys)
