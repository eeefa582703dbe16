"""Bringing sealed values under the vault's active key, so that retired ones can go.

Rooms above know what they have sealed and where: each registers a hook when it is imported.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.orm import Session

from idp.foundation.database import see_as, writing

Hook = Callable[[Session], int]
"""Reseals a batch of rows that are not under the active key and says how many; 0 when none is left."""

_hooks: Final[dict[str, Hook]] = {}


def register(name: str, hook: Hook) -> None:
    """Have `hook` called by `reseal`; `name` says what it reseals, as in `subject.phone`."""
    _hooks[name] = hook


def reseal() -> Mapping[str, int]:
    """Reseal everything, each batch in its own transaction; says how many values of each kind moved.

    It may be stopped at any moment and run again.
    """
    return {name: _all(hook) for name, hook in sorted(_hooks.items())}


def _all(hook: Hook) -> int:
    count = 0
    while True:
        with writing() as tx:
            see_as(tx, everything=True)
            done = hook(tx)
        if not done:
            return count
        count += done
