"""The vocabulary of names: every word of a name is put in once, so that a word which is none of them finds its nearest."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

REMEMBERED: Final = 200_000
"""So many words a run need not put in again: a bounded part of them all."""
_ALL_AT_ONCE: Final = text(
    "INSERT INTO name_word (scope, word) SELECT :scope, unnest(CAST(:words AS text[])) ON CONFLICT DO NOTHING"
)
_ONE_BY_ONE: Final = "INSERT INTO name_word (scope, word) VALUES (?, ?) ON CONFLICT DO NOTHING"


def put_in(tx: Session, words: Iterable[str], *, scope: str, known: set[str]) -> None:
    """Add what is new, in one order, so that two imports never wait for each other in a circle."""
    new = sorted({word for word in words if word not in known})
    if not new:
        return
    if tx.get_bind().dialect.name == "postgresql":
        tx.execute(_ALL_AT_ONCE, {"scope": scope, "words": new})
    else:
        tx.connection().exec_driver_sql(_ONE_BY_ONE, [(scope, each) for each in new])
    if len(known) < REMEMBERED:
        known.update(new)
