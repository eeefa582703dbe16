"""What a manager may do with whom (MODEL §7, §10; AD-04, AD-11, AD-26, E4, E10)."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.affiliations.deciding.rules import (
    BECOMES,
    FROM,
    ONLY_THE_PAYER,
    Act,
    Actor,
    Member,
    Reason,
    Setting,
    decide,
    offered,
    word_of,
)
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

CATALOGUE = frozenset({"claims", "eligibility", "records", "manage"})
LENA = Actor("lena", frozenset({"claims", "eligibility", "manage"}), (Evidence.LETTER,))


def member(status: AffiliationStatus = AffiliationStatus.ACTIVE, **changed: Any) -> Member:
    values: dict[str, Any] = {
        "subject_id": "oscar", "status": status, "version": 3, "levels": frozenset({"claims"}),
    }  # fmt: skip
    return Member(**(values | changed))


def setting(others: int = 1) -> Setting:
    return Setting(CATALOGUE, "manage", others)


def judged(act: Act, who: Member, *, actor: Actor = LENA, others: int = 1, version: int = 3, wanted: Any = ()) -> Any:
    return decide(act, actor=actor, member=who, setting=setting(others), version=version, wanted=wanted)


@pytest.mark.parametrize(("act", "status"), list(product(Act, AffiliationStatus)))
def test_MODEL_10_each_act_has_its_states(act: Act, status: AffiliationStatus) -> None:
    wanted = {"claims"} if act is Act.SET_LEVELS else ()
    expected = None if status in FROM[act] else Refused(Reason.NOT_IN_THIS_STATE)
    expected = Refused(Reason.NOT_THEIRS) if act in ONLY_THE_PAYER else expected
    assert judged(act, member(status), wanted=wanted) == expected


def test_MODEL_10_enabling_asks_for_a_fresh_mailbox_proof() -> None:
    assert BECOMES[Act.ENABLE] is BECOMES[Act.VERIFY] is AffiliationStatus.UNVERIFIED


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("status", AffiliationStatus)
def test_AD_04_nobody_acts_on_themselves(act: Act, status: AffiliationStatus) -> None:
    assert judged(act, member(status, subject_id="lena"), wanted=CATALOGUE) == Refused(Reason.SELF)


@pytest.mark.parametrize("act", [act for act in Act if act is not Act.COMMENT])
def test_AD_11_what_changed_since_the_page_was_shown_is_not_acted_on(act: Act) -> None:
    assert judged(act, member(next(iter(FROM[act]))), version=2) == Refused(Reason.CHANGED_MEANWHILE)


def test_MODEL_7_what_the_payer_disabled_only_the_payer_enables() -> None:
    assert judged(Act.ENABLE, member(AffiliationStatus.DISABLED, disabled_by="payer")) == Refused(Reason.BY_PAYER)
    for by in ("manager", "dormant"):
        assert judged(Act.ENABLE, member(AffiliationStatus.DISABLED, disabled_by=by)) is None


@pytest.mark.parametrize("act", [Act.DISABLE, Act.REMOVE, Act.SET_LEVELS])
def test_E10_a_manager_remains(act: Act) -> None:
    last = member(account_manager=True, levels=frozenset({"claims", "manage"}))
    wanted = {"claims"} if act is Act.SET_LEVELS else ()
    assert judged(act, last, others=0, wanted=wanted) == Refused(Reason.LAST_MANAGER)
    assert judged(act, last, others=1, wanted=wanted) is None


levels = st.frozensets(st.sampled_from(sorted(CATALOGUE)))


@given(held=levels, mine=levels, wanted=levels)
def test_E10_nobody_gives_or_takes_what_they_do_not_hold(
    held: frozenset[str], mine: frozenset[str], wanted: frozenset[str]
) -> None:
    actor = Actor("lena", held, (Evidence.LETTER,))
    refused = judged(Act.SET_LEVELS, member(levels=mine), actor=actor, wanted=wanted)
    if refused is None:
        assert wanted
        assert wanted - mine <= held
        assert mine - wanted <= held
    elif refused.reason is Reason.NOT_HELD:
        assert not (wanted ^ mine) <= held


def test_E7_a_level_is_one_of_the_portal_s_and_one_remains() -> None:
    assert judged(Act.SET_LEVELS, member(), wanted={"claims", "root"}) == Refused(Reason.NO_SUCH_LEVEL)
    assert judged(Act.SET_LEVELS, member(), wanted=set()) == Refused(Reason.NO_LEVEL)


def test_AD_04_the_mark_is_given_by_who_has_it() -> None:
    clerk = Actor("lena", frozenset({"claims"}), (Evidence.LETTER,))
    assert judged(Act.SET_LEVELS, member(), actor=clerk, wanted={"claims", "manage"}) == Refused(Reason.NOT_HELD)
    assert judged(Act.SET_LEVELS, member(), wanted={"claims", "manage"}) is None


def test_a_page_offers_what_the_rule_allows() -> None:
    assert offered(actor=LENA, member=member(), setting=setting()) == {
        Act.DISABLE, Act.REMOVE, Act.SET_LEVELS, Act.SEND_RESET,
        Act.START_RECOVERY, Act.COMMENT,
    }  # fmt: skip
    waiting = member(AffiliationStatus.VERIFICATION_PENDING, levels=frozenset())
    assert offered(actor=LENA, member=waiting, setting=setting()) == {Act.VERIFY, Act.REFUSE, Act.REMOVE, Act.COMMENT}
    assert offered(actor=LENA, member=member(subject_id="lena"), setting=setting()) == set()


@pytest.mark.parametrize(
    ("own", "given"),
    [
        ((Evidence.PAYER,), Evidence.MANAGER),
        ((Evidence.LETTER,), Evidence.MANAGER),
        ((Evidence.DIRECTORY,), Evidence.DIRECTORY),
        ((Evidence.SELF, Evidence.DIRECTORY), Evidence.DIRECTORY),
    ],
)
def test_MODEL_1_a_manager_s_word_is_never_stronger_than_their_own_proof(own: Any, given: Evidence) -> None:
    assert word_of(Actor("lena", frozenset(), own)) is given
