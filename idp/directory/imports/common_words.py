"""How many names have each common word: a search for several of them looks up the one that fewest have."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from sqlalchemy import Column, ColumnElement, Table, bindparam, func, select, text, update
from sqlalchemy.orm import Session

from idp.directory import facts
from idp.directory.imports import turns
from idp.directory.models import NameWord, NpiWord
from idp.directory.rules import NATIONAL
from idp.directory.search import rules
from idp.foundation.database import reading, writing

_words: Final[Table] = NameWord.__table__  # type: ignore[assignment]
_npi_words: Final[Table] = NpiWord.__table__  # type: ignore[assignment]
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_SAME: Final = 0.1
"""A count that differs by no more is left as it is."""
_WRITE: Final = (
    update(_words)
    .where(_words.c.scope == bindparam("its_scope"), _words.c.word == bindparam("its_word"))
    .values(names=bindparam("new_names"))
)


def count(scope: str) -> None:
    """Of a registry's names, or of all NPI records': what was counted before and is about the same stays."""
    with reading() as tx:
        turns.be_patient(tx)
        now, before = _counted(tx, scope), _known(tx, scope)
    changed = {word: now.get(word, 0) for word in now.keys() | before.keys() if _differs(word, now, before)}
    if changed:
        rows = [{"its_scope": scope, "its_word": word, "new_names": changed[word]} for word in sorted(changed)]
        with writing() as tx:
            turns.take(tx)
            tx.connection().execute(_WRITE, rows)


def _counted(tx: Session, scope: str) -> dict[str, int]:
    """Some letters at a time, so that no statement of a large directory takes long."""
    words, within = (_npi_words, ()) if scope == NATIONAL else (facts.word, (facts.word.c.registry == scope,))
    every = func.count().label("names")
    found: dict[str, int] = {}
    for part in _parts(words.c.word):
        query = select(words.c.word, every).where(*within, *part).group_by(words.c.word).having(every >= rules.COUNTED)
        found |= {row.word: row.names for row in tx.execute(query)}
    return found


def _parts(word: Column[str]) -> list[tuple[ColumnElement[bool], ...]]:
    """What stands before `b`, then by the letter, then what stands after `z`."""
    middle = [(word >= start, word < end) for start, end in pairwise(_LETTERS[1:])]
    return [(word < _LETTERS[1],), *middle, (word >= _LETTERS[-1],)]


def _known(tx: Session, scope: str) -> dict[str, int]:
    query = select(_words.c.word, _words.c.names).where(_words.c.scope == scope, text("names > 0"))
    return {row.word: row.names for row in tx.execute(query)}


def _differs(word: str, now: Mapping[str, int], before: Mapping[str, int]) -> bool:
    new, old = now.get(word, 0), before.get(word, 0)
    return not (new and old) or abs(new - old) > old * _SAME
