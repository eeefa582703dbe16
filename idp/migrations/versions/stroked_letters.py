"""Names are found by their stroked letters' plain ones (Ł by L): words that hold such letters are folded again, no others.

They are found in the vocabulary of names, so that no large table is walked.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "stroked_letters"
down_revision = "roster_words_alone"
branch_labels = None
depends_on = None

_LATIN = str.maketrans({
    "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "ƚ": "l", "đ": "d", "ð": "d", "ɖ": "d", "ɗ": "d", "ƌ": "d", "þ": "th",
    "ħ": "h", "ı": "i", "ɨ": "i", "ĸ": "q", "ŋ": "n", "ɲ": "n", "ƞ": "n", "ŧ": "t", "ƭ": "t", "ʈ": "t", "ƀ": "b", "ɓ": "b",
    "ƃ": "b", "ƈ": "c", "ɛ": "e", "ƒ": "f", "ǥ": "g", "ɠ": "g", "ƙ": "k", "ƥ": "p", "ʋ": "v", "ƴ": "y", "ƶ": "z",
    **dict.fromkeys("ʹʺʻʼʽʾʿˈˊˋ", ""),
})  # fmt: skip
_KEY, _WORD = 200, 64
_AT_ONCE = 500


def _table(name: str, *columns: str, ids: Sequence[str] = ()) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns), *(sa.column(each, sa.Uuid()) for each in ids))


_vocabulary = _table("name_word", "scope", "word")
_npi = _table("npi_record", "npi", "source", "name_key")
_npi_word = _table("npi_word", "word", "name_key", "npi", "source", "state")
_provider = _table("provider", "name_key", ids=["id"])
_provider_word = _table("provider_word", "registry", "word", "name_key", "number", "state", ids=["provider_id"])
_former = _table("former_holder", "name_key", ids=["id"])


def upgrade() -> None:
    refold(op.get_bind())


def refold(connection: sa.Connection) -> None:
    """All names of which some word holds such a letter."""
    held = [(row.scope, row.word) for row in _beyond_ascii(connection, _vocabulary, _vocabulary.c.word)]
    known = [(scope, word) for scope, word in held if _plain(word) != word]
    for some in _some([word for scope, word in known if scope == "*"]):
        _npi_records(connection, some)
    for registry in sorted({scope for scope, _word in known if scope != "*"}):
        for some in _some([word for scope, word in known if scope == registry]):
            _providers(connection, registry, some)
    for row in _beyond_ascii(connection, _former, _former.c.name_key):
        connection.execute(sa.update(_former).where(_former.c.id == row.id).values(name_key=_key(row.name_key)))
    for scope, word in known:
        connection.execute(sa.delete(_vocabulary).where(_vocabulary.c.scope == scope, _vocabulary.c.word == word))
        if plain := _plain(word):
            connection.execute(_INTO_VOCABULARY, {"scope": scope, "word": plain})


_INTO_VOCABULARY = sa.text("INSERT INTO name_word (scope, word) VALUES (:scope, :word) ON CONFLICT DO NOTHING")


def _npi_records(connection: sa.Connection, words: Sequence[str]) -> None:
    named = _npi_word.c
    query = sa.select(named.npi, named.source, named.name_key, named.state).where(named.word.in_(words)).distinct()
    for row in connection.execute(query).all():
        its = {"npi": row.npi, "source": row.source, "state": row.state}
        for word in dict.fromkeys(row.name_key.split()):
            this = (
                named.word == word,
                named.name_key == row.name_key,
                named.npi == row.npi,
                named.source == row.source,
            )
            connection.execute(sa.delete(_npi_word).where(*this))
        key = _key(row.name_key)
        if key:
            # The last may now be cut short, into a word that stands before it or a new one.
            new = _distinct(key.split())
            connection.execute(sa.insert(_npi_word), [its | {"word": word, "name_key": key} for word in new])
            connection.execute(_INTO_VOCABULARY, {"scope": "*", "word": new[-1]})
        those = (_npi.c.npi == row.npi, _npi.c.source == row.source)
        connection.execute(sa.update(_npi).where(*those).values(name_key=key))


def _providers(connection: sa.Connection, registry: str, words: Sequence[str]) -> None:
    named = _provider_word.c
    query = sa.select(named.provider_id).where(named.registry == registry, named.word.in_(words)).distinct()
    for identity in connection.execute(query).scalars().all():
        rows = connection.execute(sa.select(_provider_word).where(named.provider_id == identity)).mappings().all()
        key = _key(rows[0]["name_key"])
        new = [
            dict(rows[0]) | {"word": word, "name_key": key} for word in _distinct(_plain(row["word"]) for row in rows)
        ]
        connection.execute(sa.delete(_provider_word).where(named.provider_id == identity))
        if new:
            connection.execute(sa.insert(_provider_word), new)
        connection.execute(sa.update(_provider).where(_provider.c.id == identity).values(name_key=key))


def _beyond_ascii(connection: sa.Connection, table: sa.TableClause, column: sa.ColumnClause[Any]) -> list[Any]:
    if connection.dialect.name == "postgresql":
        size = sa.func.octet_length(column)
    else:
        size = sa.func.length(sa.cast(column, sa.LargeBinary))
    return list(connection.execute(sa.select(table).where(size != sa.func.length(column))))


def _plain(word: str) -> str:
    """As a search folds it today, cut where that cuts it: some letters become two."""
    return word.translate(_LATIN)[:_WORD]


def _key(name_key: str) -> str:
    return " ".join(_distinct(map(_plain, name_key.split())))[:_KEY]


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word))


def _some(words: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(words), _AT_ONCE):
        yield words[start : start + _AT_ONCE]
