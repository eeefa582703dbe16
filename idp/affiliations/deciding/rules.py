"""What a manager may do with one person of a target, and what it becomes. Pure (MODEL §7, §10; SECURITY D5)."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

PENDING, UNVERIFIED, ACTIVE = (
    AffiliationStatus.VERIFICATION_PENDING,
    AffiliationStatus.UNVERIFIED,
    AffiliationStatus.ACTIVE,
)
DISABLED, ENDED, SUSPENDED = AffiliationStatus.DISABLED, AffiliationStatus.ENDED, AffiliationStatus.SUSPENDED


class Act(StrEnum):
    """What managers do with a person."""

    VERIFY = "verify"
    REFUSE = "refuse"
    ENABLE = "enable"
    DISABLE = "disable"
    REMOVE = "remove"
    SET_LEVELS = "set_levels"
    SEND_REGISTRATION = "send_registration"
    SEND_RESET = "send_reset"
    START_RECOVERY = "start_recovery"
    COMMENT = "comment"


class Reason(StrEnum):
    """Why an act is not done."""

    NOT_A_MANAGER = "not_a_manager"
    UNKNOWN = "unknown"
    SELF = "self"
    CHANGED_MEANWHILE = "changed_meanwhile"
    NOT_IN_THIS_STATE = "not_in_this_state"
    BY_PAYER = "by_payer"
    LAST_MANAGER = "last_manager"
    NOT_HELD = "not_held"
    NO_SUCH_LEVEL = "no_such_level"
    NO_LEVEL = "no_level"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    NOTHING_TO_UNDO = "nothing_to_undo"


@dataclass(frozen=True, slots=True)
class Actor:
    """The manager who acts, as they are now at this portal."""

    subject_id: str
    levels: frozenset[str]
    """Their own levels at the portal, the managing one among them."""
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """The person acted on; `status` is the effective one."""

    subject_id: str
    status: AffiliationStatus
    version: int
    levels: frozenset[str]
    """At the portal, the managing one where they are marked."""
    account_manager: bool = False
    disabled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the act happens: the portal's catalogue, and who would be left."""

    catalogue: frozenset[str]
    managing: str
    other_managers: int
    """Managers of the target at this portal besides the person acted on."""


FROM: Final[dict[Act, frozenset[AffiliationStatus]]] = {
    Act.VERIFY: frozenset({PENDING}),
    Act.REFUSE: frozenset({PENDING}),
    Act.ENABLE: frozenset({DISABLED}),
    Act.DISABLE: frozenset({UNVERIFIED, ACTIVE}),
    Act.REMOVE: frozenset({PENDING, UNVERIFIED, ACTIVE, DISABLED, SUSPENDED}),
    Act.SET_LEVELS: frozenset({UNVERIFIED, ACTIVE}),
    Act.SEND_REGISTRATION: frozenset({UNVERIFIED}),
    Act.SEND_RESET: frozenset({ACTIVE}),
    Act.START_RECOVERY: frozenset({ACTIVE}),
    Act.COMMENT: frozenset({PENDING, UNVERIFIED, ACTIVE, DISABLED, SUSPENDED}),
}
BECOMES: Final[dict[Act, AffiliationStatus]] = {
    Act.VERIFY: UNVERIFIED,
    Act.REFUSE: ENDED,
    Act.ENABLE: UNVERIFIED,
    Act.DISABLE: DISABLED,
    Act.REMOVE: ENDED,
}
"""The stored status after an act; others leave it."""


def decide(
    act: Act, *, actor: Actor, member: Member, setting: Setting, version: int, wanted: Collection[str] = ()
) -> Refused | None:
    """`None` where the act may be done now; `version` is the one that the manager was shown."""
    if actor.subject_id == member.subject_id:
        return Refused(Reason.SELF)
    if act is not Act.COMMENT and version != member.version:
        return Refused(Reason.CHANGED_MEANWHILE)
    if member.status not in FROM[act]:
        return Refused(Reason.NOT_IN_THIS_STATE)
    if act is Act.ENABLE and member.disabled_by == "payer":
        return Refused(Reason.BY_PAYER)
    loses_mark = act in (Act.DISABLE, Act.REMOVE) or (act is Act.SET_LEVELS and setting.managing not in wanted)
    if member.account_manager and member.status is ACTIVE and loses_mark and setting.other_managers < 1:
        return Refused(Reason.LAST_MANAGER)
    return _levels(actor, member, setting, frozenset(wanted)) if act is Act.SET_LEVELS else None


def _levels(actor: Actor, member: Member, setting: Setting, wanted: frozenset[str]) -> Refused | None:
    """Only what the actor holds may be given or taken; without any level the portal's default would come back."""
    if not wanted <= setting.catalogue:
        return Refused(Reason.NO_SUCH_LEVEL)
    if not wanted:
        return Refused(Reason.NO_LEVEL)
    return None if wanted ^ member.levels <= actor.levels else Refused(Reason.NOT_HELD)


def offered(*, actor: Actor, member: Member, setting: Setting) -> frozenset[Act]:
    """The acts that a page offers: those that the rule would allow as things are (levels judged when they are chosen)."""
    return frozenset(
        act
        for act in Act
        if decide(act, actor=actor, member=member, setting=setting, version=member.version, wanted=member.levels)
        in (None, Refused(Reason.NO_LEVEL))
    )


def word_of(actor: Actor) -> Evidence:
    """What a manager's yes is worth: never more than their own proof (MODEL §1)."""
    best = max(actor.evidence, key=lambda proof: proof.strength)
    return Evidence.MANAGER if best.suffices(Evidence.MANAGER) else best
