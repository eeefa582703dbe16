"""Bringing sealed values under the vault's active key, so that retired ones can go.

Rooms above know what they have sealed and where: each registers a hook when it is imported.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.foundation.database import Model, reading, see_as, writing
from idp.foundation.vault import key_prefix

Hook = Callable[[Session], int]
"""Reseals a batch of rows that are not under the active key and says how many; 0 when none is left."""

_SEALED: Final = "_sealed"
_hooks: Final[dict[str, Hook]] = {}


def register(name: str, hook: Hook) -> None:
    """Have `hook` called by `reseal`; `name` says what it reseals, as in `subject.phone`."""
    _hooks[name] = hook


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
