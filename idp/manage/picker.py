"""Two lists of levels and the arrows between them, by plain buttons: no script, every key works. Pure (D6, X6)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LEVEL: Final = "level."
"""Before the name of a level that is assigned; the boxes of the other pages are called so too."""
PICK: Final = "pick."
MOVE: Final = "move"


class Move(StrEnum):
    """Which way the arrow points."""

    ASSIGN = "assign"
    ASSIGN_ALL = "assign_all"
    TAKE = "take"
    TAKE_ALL = "take_all"


@dataclass(frozen=True, slots=True)
class Picked:
    """What stands in *Assigned* once the arrow that was pressed has done its work."""

    assigned: frozenset[str]
    moved: frozenset[str] = frozenset()
    move: Move | None = None
    """`None`: no arrow was pressed; what is assigned is meant."""


def names(catalogue: Collection[str]) -> frozenset[str]:
    """Every field that the two lists may post."""
    return frozenset({MOVE, *(f"{LEVEL}{key}" for key in catalogue), *(f"{PICK}{key}" for key in catalogue)})


def read(values: Mapping[str, str], *, catalogue: Collection[str], movable: Collection[str]) -> Picked | None:
    """The lists as posted; `None` for what no page of ours sends. Only what the manager holds moves (AD-04)."""
    posted = {name: text for name, text in values.items() if name.startswith((LEVEL, PICK))}
    if any(text != "yes" or name not in names(catalogue) for name, text in posted.items()):
        return None
    assigned = frozenset(name.removeprefix(LEVEL) for name in posted if name.startswith(LEVEL))
    picked = frozenset(name.removeprefix(PICK) for name in posted if name.startswith(PICK))
    if MOVE not in values:
        return Picked(assigned)
    if values[MOVE] not in set(Move):
        return None
    return _moved(Move(values[MOVE]), assigned, picked, frozenset(catalogue), frozenset(movable))


def _moved(
    move: Move, assigned: frozenset[str], picked: frozenset[str], catalogue: frozenset[str], movable: frozenset[str]
) -> Picked:
    chosen = catalogue if move in (Move.ASSIGN_ALL, Move.TAKE_ALL) else picked
    if move in (Move.ASSIGN, Move.ASSIGN_ALL):
        going = (chosen & movable) - assigned
        return Picked(assigned | going, going, move)
    going = chosen & movable & assigned
    return Picked(assigned - going, going, move)
