"""What a manager, or the payer's registrar, may do with one person of a target, and what it becomes. Pure.

One rule for both (MODEL §7, §10; SECURITY D5). Where somebody manages the target, the manager decides; the payer keeps what only
the payer can: disabling, enabling what it disabled itself, the manager mark, and access that the roster has suspended.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.affiliations.deciding.reach import Beyond, Change, Elsewhere, beyond
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import actor_of

PENDING, UNVERIFIED, ACTIVE = (
    AffiliationStatus.VERIFICATION_PENDING,
    AffiliationStatus.UNVERIFIED,
    AffiliationStatus.ACTIVE,
)
DISABLED, ENDED, SUSPENDED = AffiliationStatus.DISABLED, AffiliationStatus.ENDED, AffiliationStatus.SUSPENDED


class Act(StrEnum):
    """What managers and registrars do with a person."""

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
    MARK = "mark"
    UNMARK = "unmark"
    MOVE = "move"


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
    HAS_A_MANAGER = "has_a_manager"
    NOT_THEIRS = "not_theirs"
    NO_REASON = "no_reason"
    ELSEWHERE = "elsewhere"
    """It reaches a portal where who acts may not do it: a manager there may, or the payer's registrar."""
    HOLDS_MORE = "holds_more"
    """What would come to life is more than who acts holds."""
    NOT_PROVEN = "not_proven"
    """The mark would do nothing here: the portal makes managers by stronger proof, which the payer gives."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The manager or registrar who acts, as they are now at this portal."""

    subject_id: str
    levels: frozenset[str]
    """Their own levels at the portal, the managing one among them; a registrar gives whatever the portal has."""
    evidence: tuple[Evidence, ...]
    payer: bool = False

    @property
    def by(self) -> str:
        """How audit and history name them."""
        return actor_of(self.subject_id) if self.payer else self.subject_id


@dataclass(frozen=True, slots=True)
class Member:
    """The person acted on; `status` is the effective one."""

    subject_id: str
    status: AffiliationStatus
    version: int
    levels: frozenset[str]
    """At the portal, the managing one where they are marked."""
    account_manager: bool = False
    proven: bool = True
    """What the access rests on makes a manager at this portal, once it is marked."""
    by_default: bool = False
    """The levels are those that the portal gives to everybody at the first visit."""
    disabled_by: str | None = None
    same_person: bool = False
    """It is who acts, by a second account (AD-07)."""
    movable: bool = False
    """The roster moved the record, or merged the practice into another: there is a place where it may go."""

    @property
    def manages(self) -> bool:
        """Whether they are a manager at this portal: marked, active, by proof that it accepts (`manages_at`)."""
        return self.account_manager and self.proven and self.status is ACTIVE


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the act happens: the portal's catalogue, and who would be left."""

    catalogue: frozenset[str]
    managing: str
    other_managers: int
    """Managers of the target at this portal besides the person acted on."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """The other portals of the registry that the access serves."""


_BEYOND: Final[dict[Beyond, Reason]] = {
    Beyond.NO_STANDING: Reason.ELSEWHERE,
    Beyond.HOLDS_MORE: Reason.HOLDS_MORE,
    Beyond.LAST_MANAGER: Reason.LAST_MANAGER,
}
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
    Act.MARK: frozenset({UNVERIFIED, ACTIVE}),
    Act.UNMARK: frozenset({PENDING, UNVERIFIED, ACTIVE, DISABLED, SUSPENDED}),
    Act.MOVE: frozenset({SUSPENDED}),
}
BECOMES: Final[dict[Act, AffiliationStatus]] = {
    Act.VERIFY: UNVERIFIED,
    Act.REFUSE: ENDED,
    Act.ENABLE: UNVERIFIED,
    Act.DISABLE: DISABLED,
    Act.REMOVE: ENDED,
    Act.MOVE: ENDED,
}
"""The stored status after an act; others leave it."""
ONLY_THE_PAYER: Final = frozenset({Act.MARK, Act.UNMARK, Act.MOVE})
"""A manager gives and takes the mark with its level."""
NEVER_THE_PAYER: Final = frozenset({Act.VERIFY, Act.REFUSE, Act.START_RECOVERY})
"""Claims are judged beside their evidence (E1); what was lost the help desk starts."""
_GIVES: Final = frozenset({Act.VERIFY, Act.ENABLE, Act.SET_LEVELS, Act.MARK, Act.MOVE})
_WAKES: Final = frozenset({Act.VERIFY, Act.ENABLE, Act.SEND_REGISTRATION})
"""What a manager brings to life by their own word: never more than they hold (MODEL §7)."""
_TAKES: Final = frozenset({Act.REFUSE, Act.DISABLE, Act.REMOVE})
_ALWAYS_THE_PAYER: Final = frozenset({Act.DISABLE, Act.MARK, Act.UNMARK})


def decide(
    act: Act, *, actor: Actor, member: Member, setting: Setting, version: int, wanted: Collection[str] = ()
) -> Refused | None:
    """`None` where the act may be done now; `version` is the one that the manager was shown."""
    own = member.same_person and act in (_GIVES if actor.payer else {Act.VERIFY})
    if own or actor.subject_id == member.subject_id:
        return Refused(Reason.SELF)
    if act is not Act.COMMENT and version != member.version:
        return Refused(Reason.CHANGED_MEANWHILE)
    if act in (NEVER_THE_PAYER if actor.payer else ONLY_THE_PAYER):
        return Refused(Reason.NOT_THEIRS)
    if not _fits(act, member):
        return Refused(Reason.NOT_IN_THIS_STATE)
    refused = _payer(act, member, setting) if actor.payer else _manager(act, actor, member, setting, frozenset(wanted))
    if refused is not None:
        return refused
    return _levels(actor, member, setting, frozenset(wanted)) if act is Act.SET_LEVELS else None


def _fits(act: Act, member: Member) -> bool:
    if member.status not in FROM[act]:
        return False
    match act:
        case Act.MARK:
            return not (member.account_manager and member.proven)
        case Act.UNMARK:
            return member.account_manager
        case Act.MOVE:
            return member.movable
        case _:
            return True


def _payer(act: Act, member: Member, setting: Setting) -> Refused | None:
    if setting.other_managers < 1 or act in _ALWAYS_THE_PAYER or member.status is SUSPENDED:
        return None
    own = act is Act.ENABLE and member.disabled_by == "payer"
    return None if own else Refused(Reason.HAS_A_MANAGER)


def _manager(act: Act, actor: Actor, member: Member, setting: Setting, wanted: frozenset[str]) -> Refused | None:
    if act is Act.ENABLE and member.disabled_by == "payer":
        return Refused(Reason.BY_PAYER)
    loses_mark = act in _TAKES or (act is Act.SET_LEVELS and setting.managing not in wanted)
    if member.manages and loses_mark and setting.other_managers < 1:
        return Refused(Reason.LAST_MANAGER)
    if act in _WAKES:
        return may_wake(actor, member, setting)
    after = setting.managing in wanted if act is Act.SET_LEVELS else member.account_manager
    change = Change(member.account_manager, after, member.status is ACTIVE, takes=act in _TAKES)
    if act is not Act.SET_LEVELS:
        return _beyond(setting, change) if act in _TAKES else None
    if after and not member.account_manager and not member.proven:
        return Refused(Reason.NOT_PROVEN)
    return None if after == member.account_manager else _beyond(setting, change)


def may_wake(actor: Actor, member: Member, setting: Setting) -> Refused | None:
    """Whether a manager's word may bring this access to life as it stands, here and wherever it reaches (MODEL §7)."""
    if not member.by_default and not member.levels <= actor.levels:
        return Refused(Reason.HOLDS_MORE)
    marked = member.account_manager
    return _beyond(setting, Change(marked, marked, member.status is ACTIVE, word=word_of(actor)))


def _beyond(setting: Setting, change: Change) -> Refused | None:
    found = next((each for portal in setting.elsewhere if (each := beyond(portal, change)) is not None), None)
    return None if found is None else Refused(_BEYOND[found])


def _levels(actor: Actor, member: Member, setting: Setting, wanted: frozenset[str]) -> Refused | None:
    """Only what the actor holds may be given or taken; without any level the portal's default would come back."""
    if not wanted <= setting.catalogue:
        return Refused(Reason.NO_SUCH_LEVEL)
    if not wanted:
        return Refused(Reason.NO_LEVEL)
    return None if wanted ^ member.levels <= actor.levels else Refused(Reason.NOT_HELD)


def held_back(*, actor: Actor, member: Member, setting: Setting) -> Reason | None:
    """What a page says where the actor's own standing is what keeps the person from being enabled, verified or disabled."""
    asked = (
        decide(act, actor=actor, member=member, setting=setting, version=member.version, wanted=member.levels)
        for act in (Act.VERIFY, Act.ENABLE, Act.SEND_REGISTRATION, Act.DISABLE, Act.REMOVE)
    )
    said = (Reason.HOLDS_MORE, Reason.ELSEWHERE)
    return next((each for refused in asked for each in said if refused == Refused(each)), None)


def offered(*, actor: Actor, member: Member, setting: Setting) -> frozenset[Act]:
    """The acts that a page offers: those that the rule would allow as things are (levels judged when they are chosen)."""
    return frozenset(
        act
        for act in Act
        if decide(act, actor=actor, member=member, setting=setting, version=member.version, wanted=member.levels)
        in (None, Refused(Reason.NO_LEVEL))
    )


def may_invite(actor: Actor, *, managed: bool, said: bool) -> Refused | None:
    """A manager whomever they like; a registrar where nobody manages, and says why (MODEL §7)."""
    if not actor.payer:
        return None
    if managed:
        return Refused(Reason.HAS_A_MANAGER)
    return None if said else Refused(Reason.NO_REASON)


def word_of(actor: Actor) -> Evidence:
    """What a yes is worth: the payer's is the payer's, a manager's never more than their own proof (MODEL §1)."""
    if actor.payer:
        return Evidence.PAYER
    best = max(actor.evidence, key=lambda proof: proof.strength)
    return Evidence.MANAGER if best.suffices(Evidence.MANAGER) else best
