"""What becomes of two people's access when they turn out to be one person: never more than either of them held. Pure.

Where only one of them has access to a target, it moves. Where both have, the one that acts stays, and the other ends.
Where both act, evidence and levels are united, portal by portal: a level that was of no use at a portal for want of
evidence does not come to life by the other account's evidence, and a manager's mark does not either.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from idp.affiliations.rules import Held, PortalTerms, accepted, status_at
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

_STANDS = (AffiliationStatus.ACTIVE, AffiliationStatus.SUSPENDED)


class Reason(StrEnum):
    """Why two people's access is not united by themselves; payer staff can."""

    WOULD_BECOME_MANAGER = "would_become_manager"
    DIFFERENT_DATES = "different_dates"


class Way(StrEnum):
    """What happens to the other account's access to one target."""

    MOVES = "moves"
    UNITED = "united"
    REPLACES = "replaces"
    """Theirs acts and mine does not: mine ends, theirs moves."""
    ENDS = "ends"
    """Mine stays as it is; theirs ends."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens at one target; of a united one also what is held at each portal after it."""

    way: Way
    theirs: Held
    mine: Held | None = None
    levels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    account_manager: bool = False


@dataclass(frozen=True, slots=True)
class PortalSays:
    """What one portal asks of an affiliation, and of a manager's."""

    terms: PortalTerms
    accepts_for_manager: Evidence


def plans(
    mine: Iterable[Held],
    theirs: Iterable[Held],
    *,
    portals: Collection[PortalSays],
    now: datetime,
    dormancy: timedelta,
) -> tuple[Plan, ...] | Refused:
    """One plan for each affiliation of the other account that has not ended."""
    by_target = {_target(each): each for each in mine}
    found = []
    for each in theirs:
        plan = _plan(by_target.get(_target(each)), each, portals=portals, now=now, dormancy=dormancy)
        if isinstance(plan, Refused):
            return plan
        found.append(plan)
    return tuple(found)


def _target(held: Held) -> tuple[object, ...]:
    return held.registry, held.target.kind, held.target.id


def _plan(
    mine: Held | None, theirs: Held, *, portals: Collection[PortalSays], now: datetime, dormancy: timedelta
) -> Plan | Refused:
    if mine is None:
        return Plan(Way.MOVES, theirs)
    stands, other_stands = (_stands(each, now=now, dormancy=dormancy) for each in (mine, theirs))
    if not other_stands:
        return Plan(Way.ENDS, theirs, mine)
    if not stands:
        return Plan(Way.REPLACES, theirs, mine)
    if mine.ends_at != theirs.ends_at:
        return Refused(Reason.DIFFERENT_DATES)
    return _united(mine, theirs, [each for each in portals if each.terms.registry == mine.registry])


def _stands(held: Held, *, now: datetime, dormancy: timedelta) -> bool:
    return status_at(held, now=now, dormancy=dormancy) in _STANDS and now >= held.starts_at


def _united(mine: Held, theirs: Held, portals: Collection[PortalSays]) -> Plan | Refused:
    both = (*mine.evidence, *theirs.evidence)
    marked = mine.account_manager or theirs.account_manager
    levels: dict[str, frozenset[str]] = {
        name: frozenset((*mine.levels.get(name, ()), *theirs.levels.get(name, ())))
        for name in {*mine.levels, *theirs.levels}
    }
    for portal in portals:
        if marked and _suffices(both, portal.accepts_for_manager):
            marks = ((held.account_manager, held.evidence) for held in (mine, theirs))
            if not any(mark and _suffices(proofs, portal.accepts_for_manager) for mark, proofs in marks):
                return Refused(Reason.WOULD_BECOME_MANAGER)
        name = portal.terms.client_id
        if name in levels and (accepted(mine, portal.terms) or accepted(theirs, portal.terms)):
            levels[name] = _usable(mine, portal.terms) | _usable(theirs, portal.terms)
    return Plan(Way.UNITED, theirs, mine, levels, marked)


def _usable(held: Held, terms: PortalTerms) -> frozenset[str]:
    """What one of the two could do at the portal by itself."""
    if not accepted(held, terms):
        return frozenset()
    return frozenset(held.levels.get(terms.client_id) or terms.default_levels)


def _suffices(proofs: Iterable[Evidence], least: Evidence) -> bool:
    return any(proof.suffices(least) for proof in proofs)
