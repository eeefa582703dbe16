"""Bringing sealed values under the vault's active key, so that retired ones can go.

Rooms above know what they have sealed and where: each registers a hook when it is imported.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Column, func, inspect, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from idp.foundation import house, vault
from idp.foundation.database import Model, reading, see_as, writing
from idp.foundation.vault import key_prefix
from idp.keyring.service import Keyring

Hook = Callable[[Session], int]
"""Reseals a batch of rows that are not under the active key and says how many; 0 when none is left."""

BATCH: Final = 500
_SEALED: Final = "_sealed"
_hooks: Final[dict[str, Hook]] = {}


def register(name: str, hook: Hook) -> None:
    """Have `hook` called by `reseal`; `name` says what it reseals, as in `subject.phone`."""
    _hooks[name] = hook


def of_column(column: Column[bytes] | InstrumentedAttribute[Any], *, context: Callable[[Any], str]) -> Hook:
    """The hook for a whole column `…_sealed`; `context` makes a row's context from its primary key.

    A value that somebody replaces meanwhile is left alone: it is under the active key already.
    """

    def some(tx: Session) -> int:
        keys = house.get(Keyring).vault
        sealed: Column[Any] = inspect(column).expression if isinstance(column, InstrumentedAttribute) else column
        key = next(iter(sealed.table.primary_key))
        prefix = key_prefix(keys.active)
        stale = select(key, sealed).where(sealed.is_not(None), func.substr(sealed, 1, len(prefix)) != prefix)
        rows = tx.execute(stale.order_by(key).limit(BATCH)).all()
        for identity, value in rows:
            moved = vault.reseal(value, keys=keys, context=context(identity))
            change = update(sealed.table).where(key == identity, sealed == value)
            tx.execute(change.values({sealed.name: moved}))
        return len(rows)

    return some


def reseal() -> Mapping[str, int]:
    """Reseal everything, each batch in its own transaction; says how many values of each kind moved.

    It may be stopped at any moment and run again.
    """
    return {name: _all(hook) for name, hook in sorted(_hooks.items())}


def sealed_with(kid: str) -> int:
    """How many values in columns named `…_sealed` the vault key `kid` still opens, registered or not."""
    prefix = key_prefix(kid)
    columns = [
        column for table in Model.metadata.tables.values() for column in table.columns if column.name.endswith(_SEALED)
    ]
    with reading() as tx:
        see_as(tx, everything=True)
        return sum(
            tx.execute(select(func.count()).where(func.substr(column, 1, len(prefix)) == prefix)).scalar_one()
            for column in columns
        )


def _all(hook: Hook) -> int:
    count = 0
    while True:
        with writing() as tx:
            see_as(tx, everything=True)
            done = hook(tx)
        if not done:
            return count
        count += done
