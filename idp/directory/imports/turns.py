"""Imports at once take turns, batch by batch: what one has read of the directory stays so until it has written."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_PATIENCE: Final = text("SELECT set_config('statement_timeout', '60s', true)")
_AS_LONG_AS_A_BATCH: Final = text("SELECT set_config('lock_timeout', '60s', true)")
_TURN: Final = text("SELECT pg_advisory_xact_lock(1684632165)")
_AS_EVER: Final = text("SET LOCAL lock_timeout TO DEFAULT")


def be_patient(tx: Session) -> None:
    """A page must be answered soon (R-12); a batch may wait, on a busy machine or for the plan of a table that is new."""
    if tx.get_bind().dialect.name == "postgresql":
        tx.execute(_PATIENCE)


def take(tx: Session) -> None:
    """Wait until no other transaction takes anything into the directory; the turn is over with this transaction.

    It is the first lock of each of them, so nobody who waits here holds what anybody needs; what is read afterwards is
    as the one before has left it (READ COMMITTED). SQLite has one writer, for which `writing` has waited.
    """
    be_patient(tx)
    if tx.get_bind().dialect.name == "postgresql":
        for step in (_AS_LONG_AS_A_BATCH, _TURN, _AS_EVER):
            tx.execute(step)
