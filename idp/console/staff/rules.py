"""What a staff role allows, who enters the console, and who gives or takes a role. Pure (MODEL §7; SECURITY ruling 2)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.authenticators.factors.rules import FRESH_FOR
from idp.sessions.rules import SessionFacts, is_awake
from idp.vocabulary.assurance import STRONG, Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay, StaffRole

PROPOSAL_LIFE: Final = timedelta(days=3)
"""How long a proposed role waits for the second administrator."""
BOOTSTRAP_UNDER: Final = 2
"""While fewer administrators than that can confirm each other, roles are given on the command line."""

ALLOWED: Final[Mapping[StaffRole, frozenset[StaffMay]]] = {
    StaffRole.REGISTRAR: frozenset({StaffMay.ENTER, StaffMay.READ_DIRECTORY, StaffMay.READ_PEOPLE, StaffMay.DECIDE}),
    StaffRole.HELP_DESK: frozenset(
        {StaffMay.ENTER, StaffMay.READ_DIRECTORY, StaffMay.SEE_PEOPLE, StaffMay.HELP, StaffMay.DISABLE}
    ),
    StaffRole.AUDITOR: frozenset(
        {
            StaffMay.ENTER,
            StaffMay.READ_DIRECTORY,
            StaffMay.READ_PEOPLE,
            StaffMay.READ_SYSTEM,
            StaffMay.READ_AUDIT,
            StaffMay.READ_STAFF,
        }
    ),
    StaffRole.ADMINISTRATOR: frozenset(
        {
            StaffMay.ENTER,
            StaffMay.READ_DIRECTORY,
            StaffMay.READ_SYSTEM,
            StaffMay.CHANGE_SYSTEM,
            StaffMay.READ_STAFF,
            StaffMay.CHANGE_STAFF,
            StaffMay.SEE_PEOPLE,
            StaffMay.DISABLE,
            StaffMay.ENABLE,
        }
    ),
}
"""The audit is the auditor's alone: who changes things does not review the changes."""


class Reason(StrEnum):
    """Why somebody does not enter, or a role is not given or taken."""

    NOT_STAFF = "not_staff"
    NOT_ALLOWED = "not_allowed"
    AWAY = "away"
    NO_STRONG_FACTOR = "no_strong_factor"
    NOT_PROVEN = "not_proven"
    NOT_FRESH = "not_fresh"
    UNKNOWN_PERSON = "unknown_person"
    NOT_ACTIVE = "not_active"
    SELF = "self"
    PROPOSED_IT = "proposed_it"
    HELD_ALREADY = "held_already"
    PROPOSED_ALREADY = "proposed_already"
    NOT_HELD = "not_held"
    GONE = "gone"
    PROPOSER_LEFT = "proposer_left"
    LAST_ADMINISTRATOR = "last_administrator"
    TWO_DECIDE = "two_decide"
    NO_REASON = "no_reason"


def allowed(roles: Collection[StaffRole]) -> frozenset[StaffMay]:
    """Everything that these roles allow together."""
    return frozenset(may for role in roles for may in ALLOWED[role])


def may_enter(
    wanted: StaffMay,
    *,
    roles: Collection[StaffRole],
    session: SessionFacts,
    held: Collection[Factor],
    away: timedelta,
    now: datetime,
) -> Refused | None:
    """Role first, then proof: a strong factor proven in this session, without a pause of `away` since (ruling 2, 18)."""
    if not roles:
        return Refused(Reason.NOT_STAFF)
    if wanted not in allowed(roles):
        return Refused(Reason.NOT_ALLOWED)
    if not STRONG & set(held):
        return Refused(Reason.NO_STRONG_FACTOR)
    if not STRONG & session.proven.keys():
        return Refused(Reason.NOT_PROVEN)
    return None if is_awake(session, by=STRONG, away=away, now=now) else Refused(Reason.AWAY)


def may_do_the_dangerous(*, session: SessionFacts, now: datetime) -> Refused | None:
    """Step-up: a strong factor within the last 15 minutes; a recovery code is none (MODEL §9)."""
    fresh = any(now - at < FRESH_FOR for kind, at in session.proven.items() if kind in STRONG)
    return None if fresh else Refused(Reason.NOT_FRESH)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Whoever is to get or lose a role."""

    subject_id: str
    active: bool
    roles: frozenset[StaffRole]
    proposed: frozenset[StaffRole] = frozenset()
    """Roles proposed for them that still wait."""
    own: bool = False
    """It is who acts, by another account of theirs (AD-07)."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A role that waits for its second administrator."""

    subject_id: str
    role: StaffRole
    proposed_by: str
    proposed_at: datetime
    closed: bool = False
    own: bool = False
    """Who acts proposed it, by another account of theirs."""

    def waits(self, now: datetime) -> bool:
        return not self.closed and now - self.proposed_at < PROPOSAL_LIFE


def may_propose(
    role: StaffRole, candidate: Candidate, *, actor: str, administrators: Collection[str]
) -> Refused | None:
    """One administrator may propose a role for somebody else."""
    if actor not in administrators:
        return Refused(Reason.NOT_ALLOWED)
    if candidate.subject_id == actor or candidate.own:
        return Refused(Reason.SELF)
    if not candidate.active:
        return Refused(Reason.NOT_ACTIVE)
    if role in candidate.roles:
        return Refused(Reason.HELD_ALREADY)
    return Refused(Reason.PROPOSED_ALREADY) if role in candidate.proposed else None


def may_confirm(
    proposal: Proposal, candidate: Candidate, *, actor: str, administrators: Collection[str], now: datetime
) -> Refused | None:
    """Another administrator confirms, while the proposer still is one and in time; never for themselves."""
    if actor not in administrators:
        return Refused(Reason.NOT_ALLOWED)
    if not proposal.waits(now):
        return Refused(Reason.GONE)
    if proposal.subject_id == actor or candidate.own:
        return Refused(Reason.SELF)
    if proposal.proposed_by == actor or proposal.own:
        return Refused(Reason.PROPOSED_IT)
    if proposal.proposed_by not in administrators:
        return Refused(Reason.PROPOSER_LEFT)
    if not candidate.active:
        return Refused(Reason.NOT_ACTIVE)
    return Refused(Reason.HELD_ALREADY) if proposal.role in candidate.roles else None


def may_close(proposal: Proposal, *, actor: str, administrators: Collection[str], now: datetime) -> Refused | None:
    """Any administrator may turn a proposal down, whoever proposed it may take it back."""
    if actor not in administrators:
        return Refused(Reason.NOT_ALLOWED)
    return None if proposal.waits(now) else Refused(Reason.GONE)


def may_take(role: StaffRole, candidate: Candidate, *, actor: str, administrators: Collection[str]) -> Refused | None:
    """One administrator takes a role from somebody else: haste is safe there, and an administrator remains."""
    if actor not in administrators:
        return Refused(Reason.NOT_ALLOWED)
    if candidate.subject_id == actor:
        return Refused(Reason.SELF)
    if role not in candidate.roles:
        return Refused(Reason.NOT_HELD)
    last = role is StaffRole.ADMINISTRATOR and not set(administrators) - {candidate.subject_id}
    return Refused(Reason.LAST_ADMINISTRATOR) if last else None


def may_bootstrap(role: StaffRole, candidate: Candidate, *, administrators: Collection[str]) -> Refused | None:
    """The operator gives a role only while there are not two administrators to do it."""
    if not candidate.active:
        return Refused(Reason.NOT_ACTIVE)
    if role in candidate.roles:
        return Refused(Reason.HELD_ALREADY)
    return Refused(Reason.TWO_DECIDE) if len(set(administrators)) >= BOOTSTRAP_UNDER else None
