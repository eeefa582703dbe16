"""What an assertion gives, keeps and takes of one person's access to one target. Pure (FE-11)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused


class Reason(StrEnum):
    """Why what is asserted gives nothing."""

    DECIDED_HERE = "decided_here"
    NOT_IN_FORCE = "not_in_force"
    NOT_TAKEN = "not_taken"
    """The portal takes no such evidence, or has none of the levels any more."""
    PERSON_NOT_READY = "person_not_ready"


@dataclass(frozen=True, slots=True)
class Says:
    """What the source says of a person at one portal."""

    levels: frozenset[str]
    evidence: Evidence
    account_manager: bool = False


@dataclass(frozen=True, slots=True)
class Cap:
    """What a portal lets anybody be given: its catalogue without the managing level, and what it accepts."""

    levels: frozenset[str]
    accepts: Evidence
    accepts_for_manager: Evidence


@dataclass(frozen=True, slots=True)
class Given:
    """What the source gave at one portal before, and still gives unless somebody here took it away."""

    levels: frozenset[str]
    evidence: Evidence
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Own:
    """The person's affiliation to the target as it is; `status` is the effective one."""

    status: AffiliationStatus
    rests_elsewhere: bool
    """On a proof of another source too."""
    levels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    account_manager: bool = False
    given: Mapping[str, Given] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """What changes at one portal; `proof` is what the source's evidence says afterwards, `None` where it is gone."""

    give: frozenset[str] = frozenset()
    take: frozenset[str] = frozenset()
    proof: Given | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written; `mark` is `None` where the mark stays as it is."""

    portals: Mapping[str, Turn] = field(default_factory=dict)
    mark: bool | None = None
    ends: bool = False

    @property
    def tells(self) -> bool:
        """Whether anybody's access changes by it."""
        gone = any(turn.proof is None for turn in self.portals.values())
        return self.ends or self.mark is not None or gone or any(t.give or t.take for t in self.portals.values())


def capped(says: Says, cap: Cap | None) -> Says | None:
    """No more than the portal's terms of today let be given; `None` where that is nothing."""
    if cap is None or not says.evidence.suffices(cap.accepts):
        return None
    marked = says.account_manager and says.evidence.suffices(cap.accepts_for_manager)
    within = replace(says, levels=says.levels & cap.levels, account_manager=marked)
    return within if within.levels or within.account_manager else None


def decide(
    own: Own | None, says: Mapping[str, Says], *, in_force: bool, decided_here: bool, may_give: bool = True
) -> Change | Refused:
    """What becomes of the access, by portal. `may_give` is off where nobody signs in: then it can only shrink.

    `decided_here`: the person had access to this target, and it was ended by somebody else than the source.
    """
    if own is None:
        return _anew(says, in_force=in_force, decided_here=decided_here) if says and may_give else Change()
    open_now = may_give and own.status is AffiliationStatus.ACTIVE
    kept = {portal: each for portal, each in says.items() if portal in own.given or open_now}
    if own.given and not kept and not own.rests_elsewhere:
        return Change(ends=True)
    turns = {portal: _turn(own, portal, kept.get(portal), open_now) for portal in {*kept, *own.given}}
    had = any(each.marked for each in own.given.values())
    wants = any(each.account_manager for each in kept.values())
    gains = open_now and wants and not had and not own.account_manager
    mark = True if gains else False if had and not wants and own.account_manager else None
    marked = {
        portal: replace(turn, proof=replace(turn.proof, marked=kept[portal].account_manager and (had or gains)))
        for portal, turn in turns.items()
        if turn.proof is not None
    }
    if may_give and not own.given and not kept and says:
        return Refused(Reason.DECIDED_HERE)
    return Change(turns | marked, mark)


def _anew(says: Mapping[str, Says], *, in_force: bool, decided_here: bool) -> Change | Refused:
    if decided_here:
        return Refused(Reason.DECIDED_HERE)
    if not in_force:
        return Refused(Reason.NOT_IN_FORCE)
    turns = {
        portal: Turn(give=each.levels, proof=Given(each.levels, each.evidence, each.account_manager))
        for portal, each in says.items()
    }
    return Change(turns, any(each.account_manager for each in says.values()) or None)


def _turn(own: Own, portal: str, says: Says | None, open_now: bool) -> Turn:
    """What somebody here took away of what was given is not given again: only what is new is."""
    before, held = own.given.get(portal), own.levels.get(portal, frozenset())
    given = before.levels if before is not None else frozenset()
    if says is None:
        return Turn(take=given & held)
    give = says.levels - given - held if open_now else frozenset()
    proof = Given((given & says.levels) | give, says.evidence)
    return Turn(give, (given - says.levels) & held, proof)
