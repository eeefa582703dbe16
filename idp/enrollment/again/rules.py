"""Which evidence is enough to take somebody's factors away. Pure."""

from collections.abc import Collection
from enum import StrEnum
from uuid import UUID

from idp.affiliations.rules import Held
from idp.authenticators.lost_factors.rules import Recovery
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence


class Reason(StrEnum):
    """Why evidence was not taken."""

    NOT_THEIRS = "not_theirs"
    NOT_ENOUGH = "not_enough"
    NO_RECOVERY = "no_recovery"


def wanted(held: Collection[Held], *, staff: bool) -> Evidence:
    """The strongest that the person's access rests on.

    The payer's word for staff, for who has no access, and for who has it in several places: else whoever reads one
    place's letters would come by what the others gave.
    """
    if staff or len({each.target.practice_id or each.target.id for each in held}) != 1:
        return Evidence.PAYER
    proofs = (proof for each in held for proof in (*each.evidence, *(brought for _, brought in each.brought)))
    best = max(proofs, key=lambda proof: proof.strength, default=None)
    return best if best is not None and best is not Evidence.SELF else Evidence.DIRECTORY


def is_enough(recovery: Recovery, held: Collection[Held], *, staff: bool, stands: bool) -> bool:
    """Whether others have said already what is needed: the payer's staff, or the manager who gave all that is held.

    `stands`: the manager who said it is one still; their word goes with their mark, as their invitations do (AD-14).
    """
    if recovery.evidence is Evidence.PAYER:
        return True
    if recovery.evidence is not Evidence.MANAGER or recovery.vouched_for is None or staff or not stands:
        return False
    return may_vouch(held, place=recovery.vouched_for)


def may_vouch(held: Collection[Held], *, place: UUID) -> bool:
    """Whether a manager of `place` is whom everything rests on: no access elsewhere, none of it a manager's own (RC-18)."""
    return bool(held) and all(
        _within(each, place)
        and not each.account_manager
        and Evidence.MANAGER in each.evidence
        and Evidence.PAYER not in each.evidence
        for each in held
    )


def why_not_proof(
    held: Collection[Held], *, kind: TargetKind, target_id: UUID, evidence: Evidence, staff: bool
) -> Reason | None:
    """`None` where what was proven now is access that the person has, and as strong as the strongest."""
    if not any((each.target.kind, each.target.id) == (kind, target_id) for each in held):
        return Reason.NOT_THEIRS
    return None if evidence.suffices(wanted(held, staff=staff)) else Reason.NOT_ENOUGH


def _within(held: Held, place: UUID) -> bool:
    return place in (held.target.id, held.target.practice_id)
