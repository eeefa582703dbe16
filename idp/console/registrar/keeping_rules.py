"""What a registrar may do with access that is there already. Pure (MODEL §7, §10).

Where a practice has an active manager, the manager decides; the payer keeps what only the payer can: disabling, enabling
what it disabled itself, taking the manager mark, and access that the roster has suspended, which never follows a number by
itself.
"""

from dataclasses import dataclass
from enum import StrEnum

from idp.console.registrar.rules import Reason
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.refused import Refused

_OPEN = frozenset(AffiliationStatus) - {AffiliationStatus.ENDED}
_ON = frozenset({AffiliationStatus.UNVERIFIED, AffiliationStatus.ACTIVE})


class Act(StrEnum):
    """What a registrar does with one person's access."""

    DISABLE = "disable"
    ENABLE = "enable"
    END = "end"
    MOVE = "move"
    SEND_REGISTRATION = "send_registration"
    UNMARK = "unmark"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Kept:
    """One person's access as it stands in this transaction; `status` is the effective one."""

    subject_id: str
    status: AffiliationStatus
    version: int
    managed: bool
    """Somebody else manages the target now."""
    disabled_by: str | None
    movable: bool
    """The roster moved the record, or merged the practice into another: there is a place where it may go."""
    account_manager: bool = False


def may(act: Act, kept: Kept, *, actor: str, version: int) -> Refused | None:
    """`None` where the act may be done now; `version` is the one that the registrar was shown."""
    if kept.subject_id == actor:
        return Refused(Reason.SELF)
    if not _fits(act, kept):
        return Refused(Reason.DECIDED)
    if not _is_the_payer_s(act, kept):
        return Refused(Reason.HAS_A_MANAGER)
    return None if kept.version == version else Refused(Reason.CHANGED_MEANWHILE)


def offered(kept: Kept, *, actor: str) -> tuple[Act, ...]:
    """What a page offers: what the rule would allow as things are."""
    return tuple(act for act in Act if may(act, kept, actor=actor, version=kept.version) is None)


def _fits(act: Act, kept: Kept) -> bool:
    match act:
        case Act.DISABLE:
            return kept.status in _ON
        case Act.ENABLE:
            return kept.status is AffiliationStatus.DISABLED
        case Act.END:
            return kept.status in _OPEN
        case Act.MOVE:
            return kept.status is AffiliationStatus.SUSPENDED and kept.movable
        case Act.SEND_REGISTRATION:
            return kept.status is AffiliationStatus.UNVERIFIED
        case Act.UNMARK:
            return kept.status in _OPEN and kept.account_manager
        case Act.COMMENT:
            return kept.status in _OPEN


def _is_the_payer_s(act: Act, kept: Kept) -> bool:
    if not kept.managed or act in (Act.DISABLE, Act.UNMARK):
        return True
    if act is Act.ENABLE:
        return kept.disabled_by == "payer"
    return kept.status is AffiliationStatus.SUSPENDED
