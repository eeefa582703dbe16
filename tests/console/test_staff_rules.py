"""Who gives and takes staff roles, as pure rules (MODEL §7: two administrators)."""

from datetime import timedelta

import pytest

from idp.console.staff.rules import (
    ALLOWED,
    PROPOSAL_LIFE,
    Candidate,
    Proposal,
    Reason,
    allowed,
    may_bootstrap,
    may_close,
    may_confirm,
    may_propose,
    may_take,
)
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay, StaffRole
from tests.conftest import NOON

ANA, BEN, CARO = "ana", "ben", "caro"
TWO = frozenset({ANA, BEN})
AUDITOR, ADMINISTRATOR = StaffRole.AUDITOR, StaffRole.ADMINISTRATOR
ROSA = Candidate("rosa", active=True, roles=frozenset())
WAITING = Proposal("rosa", AUDITOR, ANA, NOON)


def test_MODEL_7_an_administrator_reads_no_audit_and_an_auditor_changes_nothing() -> None:
    assert StaffMay.READ_AUDIT not in ALLOWED[ADMINISTRATOR]
    assert not {
        may for may in ALLOWED[AUDITOR] if may.value.startswith(("change", "decide", "help", "disable", "enable"))
    }
    assert StaffMay.ENABLE not in ALLOWED[StaffRole.HELP_DESK]
    assert allowed([]) == frozenset()


def test_dual_control_one_proposes_and_another_confirms() -> None:
    assert may_propose(AUDITOR, ROSA, actor=ANA, administrators=TWO) is None
    assert may_confirm(WAITING, ROSA, actor=BEN, administrators=TWO, now=NOON) is None


@pytest.mark.parametrize(
    ("actor", "administrators", "proposal", "candidate", "reason"),
    [
        (ANA, TWO, WAITING, ROSA, Reason.PROPOSED_IT),
        (CARO, TWO, WAITING, ROSA, Reason.NOT_ALLOWED),
        (BEN, TWO, Proposal("ben", AUDITOR, ANA, NOON), Candidate(BEN, True, frozenset()), Reason.SELF),
        (BEN, TWO, WAITING, Candidate("bens_other", True, frozenset(), own=True), Reason.SELF),
        (BEN, TWO, Proposal("rosa", AUDITOR, ANA, NOON, own=True), ROSA, Reason.PROPOSED_IT),
        (BEN, frozenset({BEN}), WAITING, ROSA, Reason.PROPOSER_LEFT),
        (BEN, TWO, Proposal("rosa", AUDITOR, ANA, NOON, closed=True), ROSA, Reason.GONE),
        (BEN, TWO, Proposal("rosa", AUDITOR, ANA, NOON - PROPOSAL_LIFE), ROSA, Reason.GONE),
        (BEN, TWO, WAITING, Candidate("rosa", False, frozenset()), Reason.NOT_ACTIVE),
        (BEN, TWO, WAITING, Candidate("rosa", True, frozenset({AUDITOR})), Reason.HELD_ALREADY),
    ],
)
def test_AD_07_nobody_confirms_what_they_proposed_nor_for_themselves(
    actor: str, administrators: frozenset[str], proposal: Proposal, candidate: Candidate, reason: Reason
) -> None:
    assert may_confirm(proposal, candidate, actor=actor, administrators=administrators, now=NOON) == Refused(reason)


@pytest.mark.parametrize(
    ("actor", "candidate", "reason"),
    [
        (CARO, ROSA, Reason.NOT_ALLOWED),
        (ANA, Candidate(ANA, True, frozenset({ADMINISTRATOR})), Reason.SELF),
        (ANA, Candidate("rosa", False, frozenset()), Reason.NOT_ACTIVE),
        (ANA, Candidate("rosa", True, frozenset({AUDITOR})), Reason.HELD_ALREADY),
        (ANA, Candidate("rosa", True, frozenset(), frozenset({AUDITOR})), Reason.PROPOSED_ALREADY),
    ],
)
def test_AD_04_nobody_proposes_a_role_for_themselves(actor: str, candidate: Candidate, reason: Reason) -> None:
    assert may_propose(AUDITOR, candidate, actor=actor, administrators=TWO) == Refused(reason)


def test_a_proposal_lapses_after_three_days_to_the_second() -> None:
    last = NOON + PROPOSAL_LIFE - timedelta(seconds=1)
    assert may_confirm(WAITING, ROSA, actor=BEN, administrators=TWO, now=last) is None
    assert may_close(WAITING, actor=ANA, administrators=TWO, now=last) is None
    late = last + timedelta(seconds=1)
    assert may_confirm(WAITING, ROSA, actor=BEN, administrators=TWO, now=late) == Refused(Reason.GONE)
    assert may_close(WAITING, actor=ANA, administrators=TWO, now=late) == Refused(Reason.GONE)


def test_RA_06_an_administrator_remains_and_nobody_takes_their_own() -> None:
    ben = Candidate(BEN, True, frozenset({ADMINISTRATOR}))
    assert may_take(ADMINISTRATOR, ben, actor=ANA, administrators=TWO) is None
    assert may_take(ADMINISTRATOR, ben, actor=BEN, administrators=TWO) == Refused(Reason.SELF)
    assert may_take(ADMINISTRATOR, ben, actor=ANA, administrators={BEN}) == Refused(Reason.NOT_ALLOWED)
    assert may_take(AUDITOR, ben, actor=ANA, administrators=TWO) == Refused(Reason.NOT_HELD)


def test_the_operator_gives_roles_only_until_two_administrators_can() -> None:
    assert may_bootstrap(ADMINISTRATOR, ROSA, administrators=frozenset()) is None
    assert may_bootstrap(AUDITOR, ROSA, administrators={ANA}) is None
    assert may_bootstrap(AUDITOR, ROSA, administrators=TWO) == Refused(Reason.TWO_DECIDE)
