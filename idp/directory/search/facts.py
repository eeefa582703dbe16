"""Reads names off their words' indexes, in order, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Select, Table, and_, func, literal, select, text, tuple_
from sqlalchemy.orm import Session

from idp.directory import facts
from idp.directory.models import NameWord, NpiRecord, NpiWord
from idp.directory.rules import NATIONAL
from idp.directory.search.rules import CONSIDERED, COUNTED, LENGTHS, NpiFacts, is_first_of, near, near_enough

record: Final[Table] = NpiRecord.__table__  # type: ignore[assignment]
npi_word: Final[Table] = NpiWord.__table__  # type: ignore[assignment]
name_word: Final[Table] = NameWord.__table__  # type: ignore[assignment]

_AFTER_EVERY_WORD: Final = "\U0010ffff"
_NPI_COLUMNS: Final = (
    record.c.npi, record.c.source, record.c.entity, record.c.name, record.c.state, record.c.zip_code, record.c.status,
    record.c.enumerated_on, record.c.updated_on, record.c.deactivated_on, record.c.reactivated_on,
    record.c.imported_at,
)  # fmt: skip
_ALONE: Final = text("SELECT set_config('max_parallel_workers_per_gather', '0', true)")
_THRESHOLD: Final = text("SELECT set_config('pg_trgm.similarity_threshold', :share, true)")


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
        column = self.words.c.word
        return and_(*self.within, column >= start, column < start + _AFTER_EVERY_WORD)


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


def national() -> Index:
    """NPI records of every source."""
    found = select(*_NPI_COLUMNS).join_from(
        npi_word, record, and_(record.c.npi == npi_word.c.npi, record.c.source == npi_word.c.source)
    )
    return Index(npi_word, NATIONAL, (), (npi_word.c.npi, npi_word.c.source), found)


def prepare(tx: Session) -> None:
    """Let PostgreSQL read a page by itself: to call parallel workers takes longer than to read it."""
    if tx.get_bind().dialect.name == "postgresql":
        tx.execute(_ALONE)


def count(tx: Session, index: Index, start: str, *, most: int = COUNTED) -> int:
    """How many words begin so, counted no further than matters."""
    some = select(literal(1)).select_from(index.words).where(index.between(start)).limit(most).subquery()
    return tx.execute(select(func.count()).select_from(some)).scalar_one()


def count_begun(tx: Session, index: Index, word: str) -> int:
    """How many names begin with just this word, counted no further than matters."""
    words = index.words.c
    begun = and_(*index.within, words.word == word, words.name_key >= word, words.name_key < word + _AFTER_EVERY_WORD)
    some = select(literal(1)).select_from(index.words).where(begun).limit(COUNTED).subquery()
    return tx.execute(select(func.count()).select_from(some)).scalar_one()


def page(
    tx: Session,
    index: Index,
    terms: Sequence[str],
    *conditions: ColumnElement[bool],
    after: tuple[str, str] | None,
    limit: int,
) -> tuple[list[Any], tuple[str, str] | None]:
    """Records of whose name some word begins with each of `terms`, in the order of the words found by the first.

    A name of which two words begin with the first term stands under the first of them, and is passed over at the other.
    """
    words, start = index.words, terms[0]
    place = _place(index, after)
    query = index.found.add_columns(
        words.c.word.label("found_by"),
        words.c.name_key.label("sorted_by"),
        *(key.label(f"by_{key.name}") for key in index.keys),
    ).where(index.between(start), *(literal(" ").concat(words.c.name_key).like(f"% {term}%") for term in terms[1:]))
    query = query.where(*conditions).order_by(words.c.word, words.c.name_key, *index.keys).limit(limit + 1)
    shown: list[Any] = []
    while True:
        sorted_by = (words.c.word, words.c.name_key, *index.keys)
        rows = tx.execute(query if place is None else query.where(tuple_(*sorted_by) > tuple_(*place))).all()
        shown += [row for row in rows if is_first_of(row.found_by, start=start, key=row.sorted_by)]
        if len(shown) > limit:
            shown = shown[:limit]
            return shown, _told(index, shown[-1])
        if len(rows) <= limit:
            return shown, None
        place = (rows[-1].found_by, rows[-1].sorted_by, *_key(index, rows[-1]))


def neighbours(tx: Session, index: Index, word: str) -> list[str]:
    """Words of names that begin with the same letter and share trigrams with this one, the nearest first."""
    column, letter = name_word.c.word, word[0]
    alike = select(column).where(
        name_word.c.scope == index.scope,
        column >= letter,
        column < letter + _AFTER_EVERY_WORD,
        func.length(column).between(len(word) - LENGTHS, len(word) + LENGTHS),
    )
    if tx.get_bind().dialect.name != "postgresql":
        return near(word, tx.execute(alike).scalars())[:CONSIDERED]
    tx.execute(_THRESHOLD, {"share": str(near_enough(word))})
    nearest = alike.where(column.op("%")(word)).order_by(func.similarity(column, word).desc(), column)
    return list(tx.execute(nearest.limit(CONSIDERED)).scalars())


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
    key = after[1].split(" ")
    return (word, name, *key) if between and len(key) == len(index.keys) else None


def _told(index: Index, row: Any) -> tuple[str, str]:
    return f"{row.found_by} {row.sorted_by}", " ".join(_key(index, row))


def _key(index: Index, row: Any) -> tuple[str, ...]:
    return tuple(getattr(row, f"by_{key.name}") for key in index.keys)
