"""What a registrar may decide now. Pure (MODEL §7, §10; E1, AD-07, AD-08, EN-17)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.affiliations.requests.rules import Cause, Status
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.refused import Refused

WORDS_MAX: Final = 200


class Reason(StrEnum):
    """Why nothing was decided."""

    UNKNOWN = "unknown"
    SELF = "self"
    HAS_A_MANAGER = "has_a_manager"
    CHANGED_MEANWHILE = "changed_meanwhile"
    DECIDED = "decided"
    EXPIRED = "expired"
    NOT_IN_FORCE = "not_in_force"
    NO_REASON = "no_reason"
    NO_LEVEL = "no_level"
    NO_SUCH_LEVEL = "no_such_level"
    MAILBOX_UNPROVEN = "mailbox_unproven"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Claim:
    """A registrant's claim as it stands in this transaction; `status` is the effective one."""

    subject_id: str
    status: AffiliationStatus
    version: int
    managed: bool
    in_force: bool
    mailbox_proven: bool
    account_manager: bool = False
    own: bool = False
    """The registrant is who decides, by another account (AD-07)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An access request as it stands in this transaction."""

    own: bool
    status: Status
    cause: Cause | None
    version: int
    managed: bool
    in_force: bool


def may_verify(claim: Claim, *, actor: str, version: int) -> Refused | None:
    """The first registrant of a target that nobody manages and that is in force, waiting or active by a match (E1, C9)."""
    waits = claim.status is AffiliationStatus.VERIFICATION_PENDING
    unmarked = claim.status is AffiliationStatus.ACTIVE and not claim.account_manager
    refused = _may(claim, actor=actor, version=version, open_now=waits or unmarked)
    if refused is not None:
        return refused
    if not claim.mailbox_proven:
        return Refused(Reason.MAILBOX_UNPROVEN)
    return None if claim.in_force else Refused(Reason.NOT_IN_FORCE)


def may_refuse(claim: Claim, *, actor: str, version: int) -> Refused | None:
    """A claim that waits and that no manager decides."""
    return _may(claim, actor=actor, version=version, open_now=claim.status is AffiliationStatus.VERIFICATION_PENDING)


def _may(claim: Claim, *, actor: str, version: int, open_now: bool) -> Refused | None:
    if claim.own or claim.subject_id == actor:
        return Refused(Reason.SELF)
    if not open_now:
        return Refused(Reason.DECIDED)
    if claim.managed:
        return Refused(Reason.HAS_A_MANAGER)
    return None if claim.version == version else Refused(Reason.CHANGED_MEANWHILE)


def may_decide(wish: Wish, *, version: int, approve: bool) -> Refused | None:
    """An undecided request in time, of somebody else, for a target that nobody manages."""
    if wish.own:
        return Refused(Reason.SELF)
    if wish.cause is Cause.UNANSWERED:
        return Refused(Reason.EXPIRED)
    if wish.status is not Status.PENDING:
        return Refused(Reason.DECIDED)
    if wish.managed:
        return Refused(Reason.HAS_A_MANAGER)
    if wish.version != version:
        return Refused(Reason.CHANGED_MEANWHILE)
    return Refused(Reason.NOT_IN_FORCE) if approve and not wish.in_force else None


def may_give(wanted: frozenset[str], *, catalogue: frozenset[str]) -> Refused | None:
    """Levels of the portal's catalogue, at least one."""
    if not wanted <= catalogue:
        return Refused(Reason.NO_SUCH_LEVEL)
    return None if wanted else Refused(Reason.NO_LEVEL)
