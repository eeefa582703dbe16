"""What a proof becomes: access, a wait for verification, a request, or nothing. Pure (MODEL §1, §10)."""

from dataclasses import dataclass
from enum import StrEnum

from idp.affiliations.rules import PortalTerms, serves
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused


class Outcome(StrEnum):
    """What became of a proof."""

    ACTIVE = "active"
    STRENGTHENED = "strengthened"
    VERIFICATION_PENDING = "verification_pending"
    REQUESTED = "requested"


class Reason(StrEnum):
    """Why a proof becomes nothing."""

    UNKNOWN_TARGET = "unknown_target"
    OTHER_TARGET = "other_target"
    NOT_IN_FORCE = "not_in_force"
    STALE_PROOF = "stale_proof"
    NOT_BY_REGISTERING = "not_by_registering"
    PERSON_NOT_ACTIVE = "person_not_active"
    MAILBOX_UNPROVEN = "mailbox_unproven"
    DISABLED = "disabled"
    SUSPENDED = "suspended"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Own:
    """The affiliation to this target that the person has already; `status` is the effective one."""

    status: AffiliationStatus
    evidence: tuple[Evidence, ...]
    account_manager: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A proof, where it is brought, and how things stand there now."""

    evidence: Evidence
    terms: PortalTerms
    registry: str
    kind: TargetKind
    in_force: bool
    managed: bool
    """Somebody else manages the target at this portal now."""
    moved: bool = False
    """The roster moved the record to another TIN after it was proven."""
    own: Own | None = None
    may_manage: bool = True
    """Whether this proof may carry the mark at all."""


@dataclass(frozen=True, slots=True)
class Becomes:
    """What is to be written; `account_manager` is the mark after it."""

    outcome: Outcome
    account_manager: bool = False


def becomes(claim: Claim) -> Becomes | Refused:
    """What a proof becomes at this portal now.

    Who has an affiliation already keeps it: stronger proof is added to it, and registering again neither enables what
    was disabled nor wakes what the roster suspended.
    """
    if claim.registry != claim.terms.registry or not serves(claim.kind, claim.terms):
        return Refused(Reason.OTHER_TARGET)
    if claim.evidence is Evidence.MANAGER:
        return Refused(Reason.NOT_BY_REGISTERING)
    if not claim.in_force:
        return Refused(Reason.NOT_IN_FORCE)
    if claim.moved:
        return Refused(Reason.STALE_PROOF)
    return _newcomer(claim) if claim.own is None else _again(claim, claim.own)


def _newcomer(claim: Claim) -> Becomes:
    if not claim.evidence.suffices(claim.terms.accepts):
        return Becomes(Outcome.VERIFICATION_PENDING)
    if claim.managed and not _payers_word(claim):
        return Becomes(Outcome.REQUESTED)
    return Becomes(Outcome.ACTIVE, _carries_the_mark(claim))


def _again(claim: Claim, own: Own) -> Becomes | Refused:
    match own.status:
        case AffiliationStatus.ACTIVE:
            return _more(claim, own)
        case AffiliationStatus.VERIFICATION_PENDING:
            found = _newcomer(claim)
            return found if found.outcome is Outcome.ACTIVE else Becomes(Outcome.VERIFICATION_PENDING)
        case AffiliationStatus.UNVERIFIED:
            found = _newcomer(claim)
            if found.outcome is not Outcome.ACTIVE or not _payers_word(claim):
                return Refused(Reason.UNFINISHED)
            return Becomes(Outcome.ACTIVE, own.account_manager or found.account_manager)
        case AffiliationStatus.SUSPENDED:
            return Refused(Reason.SUSPENDED)
        case _:
            return Refused(Reason.DISABLED)


def _more(claim: Claim, own: Own) -> Becomes:
    """Where all proofs together do not suffice here, a manager's yes would: it is asked for."""
    if not any(proof.suffices(claim.terms.accepts) for proof in (claim.evidence, *own.evidence)):
        return Becomes(Outcome.REQUESTED, own.account_manager)
    uncontested = not claim.managed or _payers_word(claim)
    gained = uncontested and _carries_the_mark(claim)
    return Becomes(Outcome.STRENGTHENED, own.account_manager or gained)


def _carries_the_mark(claim: Claim) -> bool:
    return claim.may_manage and claim.evidence.suffices(claim.terms.accepts_for_manager)


def _payers_word(claim: Claim) -> bool:
    """A letter or the payer's own confirmation: no manager is asked (D2–D3)."""
    return claim.evidence.suffices(Evidence.LETTER)
