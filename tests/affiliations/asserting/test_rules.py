"""What an assertion gives, keeps and takes: each rule once (FE-11)."""

from typing import Any

import pytest

from idp.affiliations.asserting.rules import Cap, Change, Given, Own, Reason, Says, Turn, capped, decide
from idp.vocabulary.affiliation import AffiliationStatus as Status
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

PORTAL = "ozark-secure"
CLAIMS, ELIGIBILITY = frozenset({"claims"}), frozenset({"eligibility"})
BOTH = CLAIMS | ELIGIBILITY


def says(levels: frozenset[str] = CLAIMS, **changed: Any) -> dict[str, Says]:
    return {PORTAL: Says(levels, changed.get("evidence", Evidence.PAYER), changed.get("account_manager", False))}


def own(given: frozenset[str] | None = CLAIMS, held: frozenset[str] = CLAIMS, **changed: Any) -> Own:
    marked = changed.pop("marked", False)
    before = {} if given is None else {PORTAL: Given(given, Evidence.PAYER, marked)}
    values: dict[str, Any] = {
        "status": Status.ACTIVE, "rests_elsewhere": False, "levels": {PORTAL: held}, "given": before,
    }  # fmt: skip
    return Own(**(values | changed))


def judged(
    mine: Own | None,
    said: dict[str, Says],
    *,
    in_force: bool = True,
    decided_here: bool = False,
    may_give: bool = True,
) -> Change | Refused:
    return decide(mine, said, in_force=in_force, decided_here=decided_here, may_give=may_give)


def turn(change: Change | Refused) -> Turn:
    assert isinstance(change, Change)
    return change.portals[PORTAL]


@pytest.mark.parametrize(
    ("cap", "left"),
    [
        (Cap(BOTH, Evidence.DIRECTORY, Evidence.PAYER), (BOTH, True)),
        (Cap(CLAIMS, Evidence.DIRECTORY, Evidence.PAYER), (CLAIMS, True)),
        (Cap(frozenset(), Evidence.DIRECTORY, Evidence.PAYER), (frozenset(), True)),
        (None, None),
    ],
)
def test_FE_11_no_more_than_the_portals_terms_of_today(cap: Cap | None, left: Any) -> None:
    found = capped(Says(BOTH, Evidence.PAYER, account_manager=True), cap)
    assert (None if found is None else (found.levels, found.account_manager)) == left


def test_FE_11_too_weak_an_evidence_gives_nothing_and_no_mark() -> None:
    cap = Cap(CLAIMS, Evidence.DIRECTORY, Evidence.PAYER)
    assert capped(Says(CLAIMS, Evidence.SELF), cap) is None
    weak = capped(Says(CLAIMS, Evidence.DIRECTORY, account_manager=True), cap)
    assert weak is not None
    assert not weak.account_manager
    assert capped(Says(frozenset(), Evidence.DIRECTORY, account_manager=True), cap) is None


def test_who_has_no_access_gets_what_is_said_and_no_mark_by_default() -> None:
    change = judged(None, says(BOTH))
    assert turn(change) == Turn(BOTH, frozenset(), Given(BOTH, Evidence.PAYER, marked=False))
    assert isinstance(change, Change)
    assert change.mark is None
    assert judged(None, {}) == Change()


@pytest.mark.parametrize(
    ("mine", "facts", "reason"),
    [
        (None, {"decided_here": True}, Reason.DECIDED_HERE),
        (None, {"in_force": False}, Reason.NOT_IN_FORCE),
        (own(None, status=Status.DISABLED), {}, Reason.DECIDED_HERE),
        (own(None, status=Status.UNVERIFIED), {}, Reason.DECIDED_HERE),
        (own(None, status=Status.VERIFICATION_PENDING), {}, Reason.DECIDED_HERE),
        (own(None, status=Status.SUSPENDED), {}, Reason.DECIDED_HERE),
        (own(None, status=Status.ENDED), {}, Reason.DECIDED_HERE),
    ],
)
def test_D5_what_was_decided_here_stands(mine: Own | None, facts: dict[str, Any], reason: Reason) -> None:
    assert judged(mine, says(), **facts) == Refused(reason)


def test_disabled_access_keeps_what_is_said_and_gains_nothing() -> None:
    change = judged(own(status=Status.DISABLED), says(BOTH))
    assert turn(change) == Turn(proof=Given(CLAIMS, Evidence.PAYER))
    assert isinstance(change, Change)
    assert not change.tells


def test_what_is_no_longer_said_ends_and_only_what_rests_on_it() -> None:
    assert judged(own(), {}) == Change(ends=True)
    assert judged(own(status=Status.DISABLED), {}) == Change(ends=True)
    also = judged(own(rests_elsewhere=True, held=BOTH), {})
    assert turn(also) == Turn(take=CLAIMS)
    less = judged(own(BOTH, BOTH), says(CLAIMS))
    assert turn(less) == Turn(frozenset(), ELIGIBILITY, Given(CLAIMS, Evidence.PAYER))
    assert judged(own(None), {}) == Change()


def test_what_others_gave_is_neither_given_again_nor_taken() -> None:
    theirs = own(None, BOTH, rests_elsewhere=True)
    assert turn(judged(theirs, says(CLAIMS))) == Turn(proof=Given(frozenset(), Evidence.PAYER))
    mine = own(frozenset(), BOTH, rests_elsewhere=True)
    assert turn(judged(mine, {})) == Turn()


def test_AD_11_what_a_manager_took_away_is_not_given_again() -> None:
    change = judged(own(BOTH, CLAIMS), says(BOTH))
    assert turn(change) == Turn(proof=Given(BOTH, Evidence.PAYER))
    unmarked = judged(own(marked=True), says(account_manager=True))
    assert isinstance(unmarked, Change)
    assert unmarked.mark is None


@pytest.mark.parametrize(
    ("mine", "said", "mark"),
    [
        (None, says(account_manager=True), True),
        (own(), says(account_manager=True), True),
        (own(account_manager=True), says(account_manager=True), None),
        (own(account_manager=True), says(), None),
        (own(account_manager=True, marked=True), says(), False),
        (own(account_manager=True, marked=True, rests_elsewhere=True), {}, False),
        (own(account_manager=True, marked=True), says(account_manager=True), None),
    ],
)
def test_the_mark_comes_and_goes_with_what_is_said(mine: Own | None, said: dict[str, Says], mark: bool | None) -> None:
    change = judged(mine, said)
    assert isinstance(change, Change)
    assert change.mark is mark


def test_where_nobody_signs_in_access_can_only_shrink() -> None:
    assert judged(None, says(), may_give=False) == Change()
    assert turn(judged(own(), says(BOTH, account_manager=True), may_give=False)) == Turn(
        proof=Given(CLAIMS, Evidence.PAYER)
    )
    assert judged(own(), {}, may_give=False) == Change(ends=True)
