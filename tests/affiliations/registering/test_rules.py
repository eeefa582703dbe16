"""What a proof becomes: every row of MODEL §10 that a ceremony uses, and that registering again raises nobody."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.affiliations.registering.rules import Becomes, Claim, Outcome, Own, Reason, becomes
from idp.affiliations.rules import PortalTerms
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

D, L, P, S, M = Evidence.DIRECTORY, Evidence.LETTER, Evidence.PAYER, Evidence.SELF, Evidence.MANAGER
A_PORTAL = (D, P)
B_PORTAL = (L, P)
C_PORTAL = (D, D)
D_PORTAL = (L, L)
E_PORTAL = (L, P)


def claim(evidence: Evidence, portal: tuple[Evidence, Evidence], *, managed: bool = False, **changed: Any) -> Claim:
    terms = PortalTerms(
        client_id="portal", registry="heartland", acting_for=frozenset({TargetKind.PROVIDER}), accepts=portal[0],
        accepts_for_manager=portal[1],
    )  # fmt: skip
    values: dict[str, Any] = {
        "evidence": evidence, "terms": terms, "registry": "heartland", "kind": TargetKind.PROVIDER, "in_force": True,
        "managed": managed,
    }  # fmt: skip
    return Claim(**(values | changed))


def own(status: AffiliationStatus, *evidence: Evidence, account_manager: bool = False) -> Own:
    return Own(status, evidence, account_manager)


@pytest.mark.parametrize("managed", [True, False])
def test_D2_a_letter_makes_an_account_manager_whoever_manages_already(managed: bool) -> None:
    assert becomes(claim(L, D_PORTAL, managed=managed)) == Becomes(Outcome.ACTIVE, account_manager=True)


def test_C9_the_first_match_becomes_the_manager_where_the_manifest_accepts_it() -> None:
    assert becomes(claim(D, C_PORTAL)) == Becomes(Outcome.ACTIVE, account_manager=True)


def test_A2_a_match_is_access_without_the_mark_where_the_manifest_asks_more_of_managers() -> None:
    assert becomes(claim(D, A_PORTAL)) == Becomes(Outcome.ACTIVE, account_manager=False)


@pytest.mark.parametrize("portal", [A_PORTAL, C_PORTAL])
def test_C8_a_match_opens_a_request_where_somebody_manages(portal: tuple[Evidence, Evidence]) -> None:
    assert becomes(claim(D, portal, managed=True)) == Becomes(Outcome.REQUESTED)


@pytest.mark.parametrize("evidence", [S, D])
@pytest.mark.parametrize("portal", [B_PORTAL, E_PORTAL])
@pytest.mark.parametrize("managed", [True, False])
def test_E1_weaker_proof_than_the_portal_accepts_waits_for_verification(
    evidence: Evidence, portal: tuple[Evidence, Evidence], managed: bool
) -> None:
    assert becomes(claim(evidence, portal, managed=managed)) == Becomes(Outcome.VERIFICATION_PENDING)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"registry": "ozark"}, Reason.OTHER_TARGET),
        ({"kind": TargetKind.TRADING_PARTNER}, Reason.OTHER_TARGET),
        ({"in_force": False}, Reason.NOT_IN_FORCE),
        ({"moved": True}, Reason.STALE_PROOF),
    ],
)
def test_what_is_not_there_now_is_registered_by_nobody(changed: dict[str, Any], reason: Reason) -> None:
    assert becomes(claim(L, D_PORTAL, **changed)) == Refused(reason)


def test_a_manager_s_word_comes_by_invitation_only() -> None:
    assert becomes(claim(M, D_PORTAL)) == Refused(Reason.NOT_BY_REGISTERING)


def test_a_practice_serves_a_portal_that_acts_for_providers() -> None:
    assert becomes(claim(D, C_PORTAL, kind=TargetKind.PRACTICE)) == Becomes(Outcome.ACTIVE, account_manager=True)


def test_stronger_proof_is_added_to_the_affiliation_that_is_there() -> None:
    mine = own(AffiliationStatus.ACTIVE, D)
    assert becomes(claim(L, D_PORTAL, own=mine)) == Becomes(Outcome.STRENGTHENED, account_manager=True)


def test_C9_nobody_becomes_manager_beside_another_by_matching_again() -> None:
    mine = own(AffiliationStatus.ACTIVE, M)
    assert becomes(claim(D, C_PORTAL, own=mine, managed=True)) == Becomes(Outcome.STRENGTHENED, account_manager=False)
    assert becomes(claim(D, C_PORTAL, own=mine)) == Becomes(Outcome.STRENGTHENED, account_manager=True)


def test_a_manager_stays_one_by_weaker_proof() -> None:
    mine = own(AffiliationStatus.ACTIVE, L, account_manager=True)
    assert becomes(claim(D, C_PORTAL, own=mine, managed=True)) == Becomes(Outcome.STRENGTHENED, account_manager=True)


def test_where_all_proofs_together_do_not_suffice_a_manager_is_asked() -> None:
    mine = own(AffiliationStatus.ACTIVE, D)
    assert becomes(claim(S, B_PORTAL, own=mine)) == Becomes(Outcome.REQUESTED)


@pytest.mark.parametrize(
    ("proof", "managed", "expected"),
    [
        (L, True, Becomes(Outcome.ACTIVE, account_manager=True)),
        (D, False, Becomes(Outcome.VERIFICATION_PENDING)),
        (S, True, Becomes(Outcome.VERIFICATION_PENDING)),
    ],
)
def test_a_claim_that_waits_goes_on_waiting_unless_the_payer_s_word_comes(
    proof: Evidence, managed: bool, expected: Becomes
) -> None:
    waiting = own(AffiliationStatus.VERIFICATION_PENDING, S)
    assert becomes(claim(proof, D_PORTAL, own=waiting, managed=managed)) == expected


def test_a_claim_that_waits_is_not_decided_by_matching_beside_a_manager() -> None:
    waiting = own(AffiliationStatus.VERIFICATION_PENDING, S)
    assert becomes(claim(D, C_PORTAL, own=waiting, managed=True)) == Becomes(Outcome.VERIFICATION_PENDING)
    assert becomes(claim(D, C_PORTAL, own=waiting)) == Becomes(Outcome.ACTIVE, account_manager=True)


def test_who_has_a_registration_mail_to_answer_is_sent_back_to_it() -> None:
    waiting = own(AffiliationStatus.UNVERIFIED, M)
    assert becomes(claim(D, C_PORTAL, own=waiting)) == Refused(Reason.UNFINISHED)
    assert becomes(claim(L, D_PORTAL, own=waiting)) == Becomes(Outcome.ACTIVE, account_manager=True)


@given(
    evidence=st.sampled_from([S, D, L, P]),
    accepts=st.sampled_from([S, D, L, P]),
    managed=st.booleans(),
    marked=st.booleans(),
    status=st.sampled_from([AffiliationStatus.DISABLED, AffiliationStatus.SUSPENDED]),
)
def test_AD_26_registering_again_enables_nothing_and_wakes_nothing(
    evidence: Evidence, accepts: Evidence, managed: bool, marked: bool, status: AffiliationStatus
) -> None:
    mine = own(status, P, account_manager=marked)
    outcome = becomes(claim(evidence, (accepts, accepts), managed=managed, own=mine))
    assert outcome == Refused(Reason(status.value))


@given(evidence=st.sampled_from([S, D, L, P]), accepts=st.sampled_from([S, D, L, P]), managed=st.booleans())
def test_nobody_is_active_by_less_than_the_portal_accepts(evidence: Evidence, accepts: Evidence, managed: bool) -> None:
    found = becomes(claim(evidence, (accepts, P), managed=managed))
    assert isinstance(found, Becomes)
    if found.outcome is Outcome.ACTIVE:
        assert evidence.suffices(accepts)
        assert not managed or evidence.suffices(L)
    assert not found.account_manager or evidence is P
