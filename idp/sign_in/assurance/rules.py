"""Whether a session is proven well enough for a request, and which factors would mend it. Pure.

A factor that is missing is asked for where the person holds one, else set up; no page lets anybody pass it by.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from idp.authenticators.factors.rules import Held, is_fresh, kinds_of, strongest, to_prove, working
from idp.sessions.rules import SessionFacts
from idp.vocabulary.assurance import GAINS, STRONG, Acr, Factor

Policy = Literal["required", "managers", "optional"]
_EVERY: Final = frozenset(Factor) - {Factor.RECOVERY, Factor.DEVICE}
_AT_LEAST: Final = {
    Acr.AAL1: frozenset({Acr.AAL1, Acr.AAL2, Acr.AAL3}),
    Acr.AAL2: frozenset({Acr.AAL2, Acr.AAL3}),
    Acr.AAL3: frozenset({Acr.AAL3}),
    Acr.PHR: frozenset({Acr.PHR, Acr.PHRH}),
    Acr.PHRH: frozenset({Acr.PHRH}),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked where the person wants to go; our own pages ask for nothing of themselves."""

    policy: Policy = "optional"
    kinds: frozenset[Factor] = _EVERY
    min_acr: Acr = Acr.AAL1
    own: bool = False
    """Our own pages, which name no kinds: the strongest that a person holds is asked, and nothing weaker (MF-12)."""
    manages: bool = False
    """Whether the person is an account manager there (SECURITY ruling 2)."""
    remembers: timedelta = timedelta(0)
    """How long ago a device may have been remembered to spare the question."""
    takes_spared: bool = True
    """Whether the session's upstream provider stands in for a factor here too, and not only where it was signed in by."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the request itself asks."""

    essential: tuple[str, ...] = ()
    voluntary: tuple[str, ...] = ()
    fresh: bool = False
    """A strong proof within the last 15 minutes."""
    set_up: bool = False
    """The visit is for setting up factors."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What the person holds."""

    held: tuple[Held, ...] = ()
    recovery: bool = False
    """Whether a recovery code is left."""

    @property
    def kinds(self) -> tuple[Factor, ...]:
        return kinds_of(self.held)


class Missing(StrEnum):
    """What comes next where something is missing."""

    SIGN_IN = "sign_in"
    PROVE = "prove"
    SET_UP = "set_up"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing, and the kinds of factor that mend it; `voluntary` ones are passed over where no page may be shown."""

    what: Missing
    kinds: tuple[Factor, ...] = ()
    voluntary: bool = False


def accepted(terms: Terms) -> frozenset[Factor]:
    """The kinds that satisfy the policy here: what the portal lists, and for account managers only strong ones."""
    return terms.kinds & STRONG if terms.manages else terms.kinds


def demands(terms: Terms) -> bool:
    """Whether this person must hold a factor here."""
    return terms.policy == "required" or (terms.policy == "managers" and terms.manages)


def asks_nothing(wish: Wish, terms: Terms, session: SessionFacts) -> bool:
    """Whether nothing that the person holds can matter: the short way of a live session."""
    if wish.essential or wish.voluntary or wish.fresh or wish.set_up or session.owes_factor:
        return False
    if not _AT_LEAST[terms.min_acr] & session.acr:
        return False
    return terms.policy == "optional" or bool(STRONG & terms.kinds & session.proven.keys())


def lack(
    wish: Wish, terms: Terms, equipment: Equipment, session: SessionFacts, *, is_set_up: bool, now: datetime
) -> Lack | None:
    """What a live session lacks for this request; `None`: nothing."""
    if asks_nothing(wish, terms, session):
        return None
    found = (
        _owed(terms, equipment, session)
        or _essential(wish, terms, equipment, session)
        or _least(terms, equipment, session)
        or _policy(terms, equipment, session, now=now)
        or _voluntary(wish, terms, equipment, session)
    )
    if found is None and wish.fresh and not wish.set_up:
        return _freshness(equipment, session, now=now)
    if found is None and wish.set_up and not is_set_up:
        found = Lack(Missing.SET_UP, tuple(kind for kind in Factor if kind in _EVERY))
    if found is not None and found.what is Missing.SET_UP:
        return _freshness(equipment, session, now=now) or found
    return found


def after_password(wish: Wish, terms: Terms, equipment: Equipment) -> tuple[Factor, ...]:
    """The kinds that a sign-in takes after the password: those that satisfy everything asked, as far as they are held.

    Somebody who holds only what satisfies nothing proves that first, and is then led to set up what does.
    """
    for values in (wish.essential, _AT_LEAST[terms.min_acr] - _AT_LEAST[Acr.AAL1], *((one,) for one in wish.voluntary)):
        kinds = _reach(values, terms, equipment)
        if kinds:
            return _with_recovery(kinds, equipment, values)
    wanted = strongest(to_prove(equipment.held)) if terms.own else accepted(terms)
    return _with_recovery(_of(equipment, wanted) or equipment.kinds, equipment)


def device_may_serve(wish: Wish, terms: Terms, *, again: bool) -> timedelta:
    """How long ago a device may have been remembered to stand in for the factor at this sign-in; zero: it may not.

    Never for step-up, a demanded class, or a sign-in demanded anew (`again`): SECURITY ruling 2, MF-23.
    """
    beyond = {*wish.essential, *wish.voluntary} - {Acr.AAL1.value}
    if again or beyond or wish.fresh or wish.set_up or terms.min_acr is not Acr.AAL1:
        return timedelta(0)
    return terms.remembers


def _owed(terms: Terms, equipment: Equipment, session: SessionFacts) -> Lack | None:
    """Whose factors were taken away as lost sets one up before anything else, also where none is asked (RC-22)."""
    if not session.owes_factor or equipment.held:
        return None
    return Lack(Missing.SET_UP, _ordered(accepted(terms) or _EVERY))


def _essential(wish: Wish, terms: Terms, equipment: Equipment, session: SessionFacts) -> Lack | None:
    if not wish.essential or set(wish.essential) & session.acr:
        return None
    kinds = _reach(wish.essential, terms, equipment)
    return _prove(kinds, equipment, wish.essential) if kinds else Lack(Missing.UNREACHABLE)


def _least(terms: Terms, equipment: Equipment, session: SessionFacts) -> Lack | None:
    values = _AT_LEAST[terms.min_acr]
    if values & session.acr:
        return None
    kinds = _reach(values, terms, equipment)
    if kinds:
        return _prove(kinds, equipment, values)
    giving = {kind for kind in accepted(terms) if GAINS[kind].acr & values}
    return Lack(Missing.SET_UP, _ordered(giving))


def _policy(terms: Terms, equipment: Equipment, session: SessionFacts, *, now: datetime) -> Lack | None:
    if not demands(terms):
        return None
    if session.spared_by is not None and terms.takes_spared:
        return None
    kinds = _of(equipment, accepted(terms))
    if not kinds:
        return Lack(Missing.SET_UP, _ordered(accepted(terms)))
    if {*accepted(terms), Factor.RECOVERY} & session.proven.keys():
        return None
    remembered = session.proven.get(Factor.DEVICE)
    if remembered is not None and now - remembered < terms.remembers:
        return None
    return _prove(kinds, equipment)


def _voluntary(wish: Wish, terms: Terms, equipment: Equipment, session: SessionFacts) -> Lack | None:
    """The first asked class that the session has or the person can reach (OIDC Core §3.1.2.1: in order of preference)."""
    for value in wish.voluntary:
        if value in session.acr:
            return None
        kinds = _reach((value,), terms, equipment)
        if kinds:
            return Lack(Missing.PROVE, _with_recovery(kinds, equipment, (value,)), voluntary=True)
    return None


def _freshness(equipment: Equipment, session: SessionFacts, *, now: datetime) -> Lack | None:
    kinds = to_prove(equipment.held)
    if is_fresh(session, held=kinds, now=now):
        return None
    return _prove(_ordered(strongest(kinds)), equipment) if kinds else Lack(Missing.SIGN_IN)


def _reach(values: Collection[str], terms: Terms, equipment: Equipment) -> tuple[Factor, ...]:
    """Kinds held, and allowed here, that give one of these classes."""
    found = (each for each in working(equipment.held) if each.gives & set(values))
    return kinds_of(each for each in found if each.kind in accepted(terms))


def _of(equipment: Equipment, kinds: Collection[Factor]) -> tuple[Factor, ...]:
    return tuple(kind for kind in equipment.kinds if kind in kinds)


def _prove(kinds: tuple[Factor, ...], equipment: Equipment, values: Collection[str] = (Acr.AAL2,)) -> Lack:
    return Lack(Missing.PROVE, _with_recovery(kinds, equipment, values))


def _with_recovery(
    kinds: tuple[Factor, ...], equipment: Equipment, values: Collection[str] = (Acr.AAL2,)
) -> tuple[Factor, ...]:
    """A recovery code stands in for what is lost, where it gives what is asked."""
    stands_in = kinds and equipment.recovery and GAINS[Factor.RECOVERY].acr & set(values)
    return (*kinds, Factor.RECOVERY) if stands_in else kinds


def _ordered(kinds: Collection[Factor]) -> tuple[Factor, ...]:
    return tuple(kind for kind in Factor if kind in kinds)
