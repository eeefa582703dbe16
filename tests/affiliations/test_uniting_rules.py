"""Two accounts' access to one target: never more than either of them held."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.affiliations.rules import Held, PortalTerms, Target
from idp.affiliations.uniting.rules import Plan, PortalSays, Reason, Way, plans
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DORMANCY = timedelta(days=90)
STRICT, LOOSE = "strict", "loose"
PORTALS = (
    PortalSays(
        PortalTerms(STRICT, "ozark", frozenset({TargetKind.PRACTICE}), Evidence.LETTER, ("look",)), Evidence.PAYER
    ),
    PortalSays(PortalTerms(LOOSE, "ozark", frozenset({TargetKind.PRACTICE}), Evidence.SELF), Evidence.DIRECTORY),
)


def held(number=1, *, target=1, **changed):
    usual = Held(
        id=UUID(int=number),
        registry="ozark",
        target=Target(TargetKind.PRACTICE, UUID(int=target), "Juniper Ridge", in_force=True),
        status=AffiliationStatus.ACTIVE,
        starts_at=NOON - timedelta(days=9),
        epoch=1,
        evidence=(Evidence.LETTER,),
        levels={STRICT: ("claims",)},
    )
    return replace(usual, **changed)


def planned(mine, theirs):
    found = plans([mine] if mine else [], [theirs], portals=PORTALS, now=NOON, dormancy=DORMANCY)
    return found if isinstance(found, Refused) else found[0]


def test_access_that_only_the_other_account_has_moves():
    assert planned(held(target=2), held(2)) == Plan(Way.MOVES, held(2))


@pytest.mark.parametrize("idle", ["verification_pending", "unverified", "disabled"])
def test_what_acts_stays_and_what_does_not_ends(idle):
    waiting = held(2, status=AffiliationStatus(idle))
    assert planned(held(), waiting).way is Way.ENDS
    assert planned(replace(waiting, id=UUID(int=1)), held(2)).way is Way.REPLACES
    assert planned(replace(waiting, id=UUID(int=1)), waiting).way is Way.ENDS


def test_a_dormant_or_coming_one_does_not_act():
    dormant = held(used_at=NOON - timedelta(days=91))
    coming = held(starts_at=NOON + timedelta(days=1))
    assert planned(dormant, held(2)).way is planned(coming, held(2)).way is Way.REPLACES


def test_levels_of_two_that_act_are_united():
    plan = planned(held(), held(2, levels={STRICT: ("eligibility",), LOOSE: ("chat",)}))
    assert (plan.way, plan.levels) == (
        Way.UNITED,
        {STRICT: frozenset({"claims", "eligibility"}), LOOSE: frozenset({"chat"})},
    )


def test_a_level_without_evidence_does_not_come_to_life_by_the_other_accounts_evidence():
    weak = held(evidence=(Evidence.SELF,), levels={STRICT: ("admin",)})
    assert planned(weak, held(2)).levels[STRICT] == {"claims"}
    assert planned(held(), replace(weak, id=UUID(int=2))).levels[STRICT] == {"claims"}


def test_a_marks_holder_with_weak_evidence_never_becomes_a_manager_by_the_other_accounts():
    marked = held(account_manager=True)
    strong = held(2, evidence=(Evidence.PAYER,))
    assert planned(marked, strong) == Refused(Reason.WOULD_BECOME_MANAGER)
    assert planned(replace(strong, id=UUID(int=1)), replace(marked, id=UUID(int=2))) == Refused(
        Reason.WOULD_BECOME_MANAGER
    )
    assert planned(marked, held(2)).account_manager
    assert planned(marked, replace(strong, account_manager=True)).account_manager


def test_different_ends_are_left_to_the_payers_staff():
    assert planned(held(), held(2, ends_at=NOON + timedelta(days=9))) == Refused(Reason.DIFFERENT_DATES)


def rights(each, portal):
    """What one affiliation is good for at a portal, by itself."""
    ok = any(proof.suffices(portal.terms.accepts) for proof in each.evidence)
    manages = each.account_manager and any(proof.suffices(portal.accepts_for_manager) for proof in each.evidence)
    levels = set(each.levels.get(portal.terms.client_id) or portal.terms.default_levels) if ok else set()
    return levels | ({"<manager>"} if manages else set())


some_levels = st.dictionaries(
    st.sampled_from([STRICT, LOOSE]), st.lists(st.sampled_from(["claims", "admin", "look"]), max_size=3).map(tuple)
)
some = st.builds(
    lambda evidence, levels, manager, status: held(
        evidence=tuple(evidence), levels=levels, account_manager=manager, status=status
    ),
    st.lists(st.sampled_from(Evidence), min_size=1, max_size=3),
    some_levels,
    st.booleans(),
    st.sampled_from([AffiliationStatus.ACTIVE, AffiliationStatus.DISABLED]),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some, some)
def test_no_right_at_any_portal_is_more_than_either_held(mine, other):
    theirs = replace(other, id=UUID(int=2))
    plan = planned(mine, theirs)
    if isinstance(plan, Refused):
        return
    acting = [each for each in (mine, theirs) if each.status is AffiliationStatus.ACTIVE]
    after = {Way.ENDS: mine, Way.REPLACES: theirs}.get(plan.way) or replace(
        mine,
        evidence=(*mine.evidence, *theirs.evidence),
        levels={name: tuple(levels) for name, levels in plan.levels.items()},
        account_manager=plan.account_manager,
    )
    if after.status is AffiliationStatus.ACTIVE:
        for portal in PORTALS:
            before = set().union(*(rights(each, portal) for each in acting))
            assert rights(after, portal) <= before
            if plan.way is Way.UNITED:
                assert rights(after, portal) == before, "and nothing is lost"
