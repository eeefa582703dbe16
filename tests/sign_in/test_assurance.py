"""What a session lacks for a request, as a table (MODEL §3, §8; SECURITY ruling 2; AZ-22)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from idp.authenticators.factors.rules import Held, is_fresh
from idp.sessions.rules import FirstFactor
from idp.sign_in.assurance.rules import (
    Equipment,
    Lack,
    Missing,
    Terms,
    Wish,
    after_password,
    device_may_serve,
    lack,
)
from idp.sign_in.rules import Proceed, Reason, Show, Step, next_step
from idp.vocabulary.assurance import GAINS, Acr, Amr, Factor
from idp.vocabulary.refused import Refused
from tests.sign_in.worlds import NOW, facts, request, session, transaction

MONTH = timedelta(days=30)
TOTP, SMS, EMAIL, PASSKEY, RECOVERY = Factor.TOTP, Factor.SMS, Factor.EMAIL, Factor.PASSKEY, Factor.RECOVERY
ALL = frozenset({PASSKEY, Factor.PUSH, TOTP, SMS, EMAIL})


def held(*kinds: Factor) -> tuple[Held, ...]:
    return tuple(
        Held(UUID(int=10 + number), kind, kind.value, GAINS[kind].acr, GAINS[kind].amr, NOW)
        for number, kind in enumerate(kinds)
    )


def has(*kinds: Factor, recovery: bool = False) -> Equipment:
    return Equipment(held(*kinds), recovery)


def proved(*kinds: Factor, minutes: int = 1, **changed: Any) -> Any:
    at = NOW - timedelta(minutes=minutes)
    acr = frozenset({Acr.AAL1}).union(*(GAINS[kind].acr for kind in kinds))
    return session(
        age=timedelta(minutes=minutes), acr=acr, proven={"password": at} | {k.value: at for k in kinds}, **changed
    )


def lacks(wish: Wish, terms: Terms, equipment: Equipment, at: Any, *, is_set_up: bool = False) -> Lack | None:
    return lack(wish, terms, equipment, at, is_set_up=is_set_up, now=NOW)


OWN = Terms(own=True)
REQUIRED = Terms("required", ALL, remembers=MONTH)
MANAGERS = Terms("managers", ALL, remembers=MONTH)
OPTIONAL = Terms("optional", ALL)


@pytest.mark.parametrize(("terms", "equipment", "at", "expected"), [
    (OPTIONAL, has(), proved(), None),
    (OPTIONAL, has(TOTP), proved(), None),
    (REQUIRED, has(), proved(), Missing.SET_UP),
    (REQUIRED, has(TOTP), proved(), Missing.PROVE),
    (REQUIRED, has(TOTP), proved(TOTP), None),
    (REQUIRED, has(EMAIL), proved(EMAIL), None),
    (REQUIRED, has(TOTP), proved(RECOVERY), None),
    (replace(REQUIRED, kinds=frozenset({PASSKEY})), has(TOTP), proved(TOTP), Missing.SET_UP),
    (MANAGERS, has(), proved(), None),
    (replace(MANAGERS, manages=True), has(), proved(), Missing.SET_UP),
    (replace(MANAGERS, manages=True), has(EMAIL, SMS), proved(SMS, EMAIL), Missing.SET_UP),
    (replace(MANAGERS, manages=True), has(SMS, TOTP), proved(SMS), Missing.PROVE),
    (replace(MANAGERS, manages=True), has(SMS, TOTP), proved(TOTP), None),
    (replace(REQUIRED, manages=True), has(EMAIL), proved(EMAIL), Missing.SET_UP),
    (replace(OPTIONAL, min_acr=Acr.AAL2), has(), proved(), Missing.SET_UP),
    (replace(OPTIONAL, min_acr=Acr.AAL2), has(EMAIL), proved(EMAIL), Missing.SET_UP),
    (replace(OPTIONAL, min_acr=Acr.AAL2), has(EMAIL, TOTP), proved(EMAIL), Missing.PROVE),
    (replace(OPTIONAL, min_acr=Acr.AAL2), has(SMS), proved(SMS), None),
])  # fmt: skip
def test_what_the_portals_policy_asks(terms: Terms, equipment: Equipment, at: Any, expected: Missing | None) -> None:
    found = lacks(Wish(), terms, equipment, at)
    assert (found.what if found else None) == expected


def test_ruling_2_managers_are_neither_asked_for_nor_offered_sms_or_email() -> None:
    terms = replace(MANAGERS, manages=True)
    asked = lacks(Wish(), terms, has(SMS, EMAIL, TOTP, recovery=True), proved())
    assert asked == Lack(Missing.PROVE, (TOTP, RECOVERY))
    offered = lacks(Wish(), terms, has(SMS), proved(SMS))
    assert offered is not None and set(offered.kinds) == {PASSKEY, Factor.PUSH, TOTP}


def test_MF_12_a_portal_that_lists_passkeys_only_takes_no_other_way() -> None:
    only = Terms("required", frozenset({PASSKEY}))
    assert after_password(Wish(), only, has(PASSKEY, SMS, EMAIL)) == (PASSKEY,)
    assert lacks(Wish(), only, has(PASSKEY, SMS), proved(SMS)) == Lack(Missing.PROVE, (PASSKEY,))


def test_who_holds_only_what_satisfies_nothing_proves_that_first() -> None:
    assert after_password(Wish(), replace(MANAGERS, manages=True), has(EMAIL)) == (EMAIL,)


def test_AZ_22_a_demanded_class_is_stepped_up_to_or_refused() -> None:
    essential = Wish(essential=("aal2",))
    assert lacks(essential, OPTIONAL, has(TOTP, recovery=True), proved()) == Lack(Missing.PROVE, (TOTP, RECOVERY))
    assert lacks(essential, OPTIONAL, has(), proved()) == Lack(Missing.UNREACHABLE)
    assert lacks(essential, OPTIONAL, has(EMAIL), proved(EMAIL)) == Lack(Missing.UNREACHABLE)
    assert lacks(essential, OPTIONAL, has(TOTP), proved(TOTP)) is None
    assert lacks(Wish(essential=("phr",)), OPTIONAL, has(PASSKEY, TOTP, recovery=True), proved(TOTP)) == Lack(
        Missing.PROVE, (PASSKEY,)
    )


def test_a_wished_class_is_stepped_up_to_where_it_can_be_and_passed_over_else() -> None:
    assert lacks(Wish(voluntary=("aal2",)), OPTIONAL, has(), proved()) is None
    found = lacks(Wish(voluntary=("phr", "aal2")), OPTIONAL, has(TOTP), proved())
    assert found == Lack(Missing.PROVE, (TOTP,), voluntary=True)
    assert lacks(Wish(voluntary=("aal1", "aal2")), OPTIONAL, has(TOTP), proved()) is None


def test_prompt_none_is_not_refused_for_a_wish_and_is_for_a_demand() -> None:
    known = facts(session=proved(), equipment=has(TOTP))
    silent = {"prompt": frozenset({"none"})}
    assert isinstance(next_step(request(acr_values=("aal2",), **silent), known, now=NOW), Proceed)
    demanded = next_step(request(essential_acr=("aal2",), **silent), known, now=NOW)
    assert demanded == Refused(Reason.INTERACTION_REQUIRED)


def test_the_dispatcher_shows_the_factor_and_names_the_kinds() -> None:
    known = facts(session=proved(), equipment=has(TOTP), terms=REQUIRED)
    assert next_step(request(), known, now=NOW) == Show(Step.SECOND_FACTOR, accepts=(TOTP,))
    bare = facts(session=proved(), terms=REQUIRED)
    assert next_step(request(), bare, now=NOW) == Show(
        Step.SET_UP_MFA, accepts=(PASSKEY, Factor.PUSH, TOTP, SMS, EMAIL)
    )


def test_MF_11_setting_up_asks_for_a_strong_proof_of_the_last_quarter_of_an_hour() -> None:
    assert lacks(Wish(), REQUIRED, has(), proved(minutes=15)) == Lack(Missing.SIGN_IN)
    stale = lacks(Wish(set_up=True), OPTIONAL, has(TOTP, EMAIL), proved(EMAIL))
    assert stale == Lack(Missing.PROVE, (TOTP,))
    assert lacks(Wish(set_up=True), OPTIONAL, has(TOTP), proved(TOTP)).what is Missing.SET_UP  # type: ignore[union-attr]
    assert lacks(Wish(set_up=True), OPTIONAL, has(TOTP), proved(TOTP), is_set_up=True) is None


@pytest.mark.parametrize(("minutes", "expected"), [(14, True), (15, False)])
def test_MF_33_a_step_up_holds_for_fifteen_minutes(minutes: int, expected: bool) -> None:
    assert is_fresh(proved(TOTP, minutes=minutes), held=(TOTP,), now=NOW) is expected
    assert is_fresh(proved(minutes=minutes), held=(), now=NOW) is expected


def test_MF_33_a_weaker_proof_is_not_fresh_where_a_strong_one_is_held() -> None:
    assert not is_fresh(proved(EMAIL), held=(EMAIL, PASSKEY), now=NOW)
    assert not is_fresh(proved(), held=(TOTP,), now=NOW)
    assert is_fresh(proved(RECOVERY), held=(TOTP,), now=NOW)


@pytest.mark.parametrize(("wish", "terms", "again"), [
    (Wish(), REQUIRED, True),
    (Wish(essential=("aal2",)), REQUIRED, False),
    (Wish(voluntary=("aal2",)), REQUIRED, False),
    (Wish(fresh=True), REQUIRED, False),
    (Wish(set_up=True), REQUIRED, False),
    (Wish(), replace(REQUIRED, min_acr=Acr.AAL2), False),
    (Wish(), replace(REQUIRED, remembers=timedelta(0)), False),
])  # fmt: skip
def test_MF_23_a_remembered_device_never_serves_what_asks_for_more(wish: Wish, terms: Terms, again: bool) -> None:
    assert device_may_serve(wish, terms, again=again) == timedelta(0)


def test_C5_a_remembered_device_satisfies_the_policy_for_as_long_as_the_portal_says_and_lifts_nothing() -> None:
    assert device_may_serve(Wish(), REQUIRED, again=False) == MONTH
    young = proved(minutes=1)
    remembered = replace(young, proven=young.proven | {"device": NOW - timedelta(days=29)})
    assert lacks(Wish(), REQUIRED, has(TOTP), remembered) is None
    assert lacks(Wish(), replace(REQUIRED, remembers=timedelta(days=7)), has(TOTP), remembered) is not None
    assert lacks(Wish(essential=("aal2",)), REQUIRED, has(TOTP), remembered) is not None
    assert lacks(Wish(), REQUIRED, has(), remembered).what is Missing.SET_UP  # type: ignore[union-attr]


def test_MF_01_a_pending_password_stands_above_any_session() -> None:

    waiting = transaction(pending=FirstFactor("rosa", 1, NOW))
    known = facts(session=None, transaction=waiting, equipment=has(TOTP, recovery=True))
    assert next_step(request(), known, now=NOW) == Show(Step.SECOND_FACTOR, accepts=(TOTP, RECOVERY))


def test_the_table_of_what_factors_give_is_the_models() -> None:
    assert GAINS[EMAIL].acr == frozenset() and GAINS[EMAIL].amr == ()  # MF-13
    assert GAINS[SMS].amr == (Amr.SMS, Amr.MULTI_FACTOR)
    assert GAINS[TOTP].amr == (Amr.ONE_TIME_CODE, Amr.MULTI_FACTOR)
    assert GAINS[Factor.PUSH].amr == (Amr.PROOF_OF_POSSESSION, Amr.MULTI_FACTOR)
    assert GAINS[PASSKEY].amr == (Amr.SOFTWARE_KEY, Amr.USER_PRESENCE, Amr.MULTI_FACTOR)
    assert Acr.PHR in GAINS[PASSKEY].acr
    assert GAINS[Factor.DEVICE].acr == frozenset()


@pytest.mark.parametrize(("equipment", "asked"), [
    (has(TOTP, EMAIL), (TOTP,)),
    (has(PASSKEY, TOTP, SMS), (PASSKEY, TOTP)),
    (has(EMAIL), (EMAIL,)),
    (has(SMS, EMAIL, recovery=True), (SMS, EMAIL, RECOVERY)),
    (has(PASSKEY, SMS, recovery=True), (PASSKEY, RECOVERY)),
])  # fmt: skip
def test_MF_12_our_own_pages_take_nothing_weaker_than_the_strongest_held(
    equipment: Equipment, asked: tuple[Factor, ...]
) -> None:
    assert after_password(Wish(), OWN, equipment) == asked


def stopped(equipment: Equipment, kind: Factor) -> Equipment:
    return replace(
        equipment, held=tuple(replace(each, stopped=True) if each.kind is kind else each for each in equipment.held)
    )


def test_MF_28_a_stopped_key_owes_a_second_factor_and_is_none() -> None:
    alone = stopped(has(PASSKEY, recovery=True), PASSKEY)
    assert after_password(Wish(), OWN, alone) == (PASSKEY, RECOVERY)
    both = stopped(has(PASSKEY, TOTP), PASSKEY)
    assert after_password(Wish(), OWN, both) == (TOTP,)
    phishing_resistant = Wish(voluntary=("phr",))
    assert lacks(phishing_resistant, OPTIONAL, both, proved(TOTP)) is None
    assert lacks(Wish(essential=("phr",)), OPTIONAL, both, proved(TOTP)) == Lack(Missing.UNREACHABLE)
    fresh = Wish(fresh=True)
    assert lacks(fresh, OPTIONAL, both, proved(PASSKEY)) == Lack(Missing.PROVE, (TOTP,))
    assert lacks(fresh, OPTIONAL, both, proved(TOTP)) is None
