"""What one act does at the other portals of the registry that an access serves, and who may do that there. Pure.

Status and account manager mark belong to the access, not to a portal (MODEL §1, §2), so an act at one portal is an act at
all of them, and nobody gives or takes at a portal what is not theirs there: who makes or unmakes a manager of a portal is one
there; who ends access that has levels at a portal rests on proof that it accepts; who brings access to life holds its levels.
A mark that a portal does not accept does nothing there, and asks for nobody's standing there.
"""

from dataclasses import dataclass
from enum import StrEnum

from idp.vocabulary.evidence import Evidence


class Beyond(StrEnum):
    """Why an act reaches further than who acts."""

    NO_STANDING = "no_standing"
    HOLDS_MORE = "holds_more"
    LAST_MANAGER = "last_manager"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another portal of the registry that the access serves: what it asks, and what the two of them are there."""

    accepts: Evidence
    accepts_for_manager: Evidence
    proven: bool = False
    """What the access rests on makes a manager there, once it is marked."""
    acts: bool = False
    """What the access rests on is accepted there."""
    levels: frozenset[str] = frozenset()
    """Its levels there, without the managing one; what the portal gives to everybody at the first visit is nobody's."""
    actor_manages: bool = False
    actor_acts: bool = False
    """What the actor's own mark rests on is accepted there."""
    actor_levels: frozenset[str] = frozenset()
    other_managers: int = 0
    """Managers of the target there besides the person acted on."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an act does to an access as a whole."""

    before: bool
    """Marked."""
    after: bool
    active: bool
    takes: bool = False
    """It ends or sleeps from here on."""
    word: Evidence | None = None
    """It comes to life by this word."""


def beyond(portal: Elsewhere, change: Change) -> Beyond | None:
    """Why the act must not be done, as one portal has it."""
    wakes, word = change.word is not None, change.word
    goes = change.before and portal.proven and (change.takes or not change.after)
    will = portal.proven or (word is not None and word.suffices(portal.accepts_for_manager))
    comes = change.after and will and (wakes or not change.before)
    if (goes or comes) and not portal.actor_manages:
        return Beyond.NO_STANDING
    if goes and change.active and portal.other_managers < 1:
        return Beyond.LAST_MANAGER
    acts = portal.acts or (word is not None and word.suffices(portal.accepts))
    touched = acts and bool(portal.levels) and (wakes or change.takes)
    if touched and not portal.actor_acts:
        return Beyond.NO_STANDING
    return Beyond.HOLDS_MORE if touched and wakes and not portal.levels <= portal.actor_levels else None
