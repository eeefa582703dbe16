"""When a phone may be rung, what an answer comes to, what codes and digits look like. Pure."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from idp.authenticators.push import rules
from idp.authenticators.push.rules import Asked, Decision, Outcome, Reason
from idp.vocabulary.refused import Refused
from tests.conftest import NOON

TXN = uuid4()
ASKED = Asked(
    id=uuid4(), subject_id="rosa", txn=TXN, number=42, client_id=None, browser="", address="", created_at=NOON,
    expires_at=NOON + rules.REQUEST_LIFE, outcome=None, factor_id=None,
)  # fmt: skip
LATER = NOON + timedelta(minutes=5)
NO, YES = Outcome.UNANSWERED, Outcome.APPROVED


def ended(*outcomes: Outcome | None) -> list[Asked]:
    return [replace(ASKED, outcome=outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("before", "txn", "now", "expected"),
    [
        ([], TXN, NOON, None),
        ([ASKED], TXN, NOON, Reason.WAITING),
        ([ASKED], uuid4(), NOON, Reason.WAITING_ELSEWHERE),
        ([ASKED], uuid4(), ASKED.expires_at, None),
        (ended(NO, NO), TXN, LATER, None),
        (ended(NO, NO, NO), TXN, LATER, Reason.STOPPED),
        (ended(Outcome.DENIED, Outcome.WRONG_NUMBER, NO), TXN, LATER, Reason.STOPPED),
        (ended(NO, None, NO), TXN, LATER, Reason.STOPPED),
        (ended(NO, YES, NO, NO), TXN, LATER, None),
        (ended(YES, NO, NO, NO), TXN, LATER, None),
        (ended(NO, NO, NO), TXN, NOON + rules.STOPPED_FOR, None),
    ],
)
def test_MF_17_one_waits_and_three_without_approval_are_the_last_for_an_hour(before, txn, now, expected) -> None:
    outcome = rules.may_ask(before, txn=txn, now=now)
    assert outcome == (None if expected is None else Refused(expected))


@pytest.mark.parametrize(
    ("decision", "typed", "expected"),
    [
        (Decision.APPROVE, "42", Outcome.APPROVED),
        (Decision.APPROVE, "43", Outcome.WRONG_NUMBER),
        (Decision.APPROVE, "", Outcome.WRONG_NUMBER),
        (Decision.APPROVE, "4２", Outcome.WRONG_NUMBER),
        (Decision.APPROVE, "042", Outcome.WRONG_NUMBER),
        (Decision.DENY, "42", Outcome.DENIED),
        (Decision.NOT_ME, "42", Outcome.DISOWNED),
    ],
)
def test_MF_17_only_an_approval_with_the_very_number_is_one(decision, typed, expected) -> None:
    assert rules.outcome_of(decision, typed=typed, number=42) is expected


def test_numbers_have_two_digits_and_codes_nothing_to_mix_up() -> None:
    assert {rules.new_number() for _ in range(3000)} <= set(range(10, 100))
    code = rules.new_code()
    assert rules.canonical(rules.spoken(code).lower()) == rules.canonical(f" {code} ") == code
    assert [rules.canonical(each) for each in ("", code[:-1], code + "A", "O" * 12, "ß" * 12)] == [None] * 5
    assert len(rules.check_digits("thumb")) == 7
