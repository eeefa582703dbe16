"""What may be said in a review, and what becomes of each person's access; pure (MODEL §10)."""

from datetime import timedelta
from uuid import UUID

import pytest

from idp.affiliations.deciding.rules import Actor, Member, Setting
from idp.affiliations.reviews.rules import (
    Outcome,
    Reason,
    Standing,
    State,
    may_confirm,
    may_say,
    outcome,
    reminders_due,
    state_at,
)
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.refused import Refused
from tests.affiliations.worlds import NOW

DUE = NOW + timedelta(days=30)
OPEN = Standing(UUID(int=1), NOW, DUE)
LENA = Actor("lena", frozenset({"claims", "admin"}), ())
SETTING = Setting(frozenset({"claims", "eligibility", "admin"}), "admin", 1)


def member(*levels: str, subject: str = "oscar", **changed: object) -> Member:
    values = {"account_manager": "admin" in levels} | changed
    return Member(subject, AffiliationStatus.ACTIVE, 3, frozenset(levels), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "changed", "expected"),
    [
        (0, {}, State.OPEN),
        (29, {}, State.OPEN),
        (30, {}, State.LAPSED),
        (10, {"confirmed_at": NOW}, State.CONFIRMED),
        (31, {"confirmed_at": NOW, "closed_at": NOW}, State.CONFIRMED),
        (31, {"closed_at": DUE}, State.LAPSED),
    ],
)
def test_the_state_is_read_and_waits_for_no_sweep(days: int, changed: dict[str, object], expected: State) -> None:
    review = Standing(UUID(int=1), NOW, DUE, **changed)  # type: ignore[arg-type]
    assert state_at(review, now=NOW + timedelta(days=days)) is expected


def test_reminders_are_due_two_weeks_and_three_days_before_the_end() -> None:
    assert [reminders_due(DUE, now=NOW + timedelta(days=day)) for day in (0, 15, 16, 26, 27, 30)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("who", "kept", "others", "days", "expected"),
    [
        (member("claims"), ("claims",), 1, 0, None),
        (member("claims"), (), 1, 0, None),
        (member("claims"), ("claims",), 1, 30, Reason.OVER),
        (member("claims", "admin", subject="lena"), ("claims", "admin"), 1, 0, Reason.SELF),
        (member("claims", "admin", subject="lena"), ("claims", "admin"), 0, 0, None),
        (member("claims"), ("eligibility",), 1, 0, Reason.NO_SUCH_LEVEL),
        (member("claims", "eligibility"), ("claims",), 1, 0, Reason.NOT_HELD),
        (member("claims", "eligibility"), ("eligibility",), 1, 0, None),
        (member("claims", "eligibility"), (), 1, 0, None),
    ],
)
def test_AD_07_a_manager_keeps_what_others_have_never_their_own_where_another_can(
    who: Member, kept: tuple[str, ...], others: int, days: int, expected: Reason | None
) -> None:
    now = NOW + timedelta(days=days)
    found = may_say(OPEN, who, kept, actor=LENA, other_managers=others, now=now)
    assert found == (None if expected is None else Refused(expected))


def test_nobody_ends_their_own_access_by_confirming_while_another_could_keep_it() -> None:
    assert may_confirm(OPEN, own_is_open=True, other_managers=1, now=NOW) == Refused(Reason.SELF_OPEN)
    assert may_confirm(OPEN, own_is_open=True, other_managers=0, now=NOW) is None
    assert may_confirm(OPEN, own_is_open=False, other_managers=1, now=DUE) == Refused(Reason.OVER)


@pytest.mark.parametrize(
    ("kept", "who", "others", "expected"),
    [
        (("claims",), member("claims"), 1, Outcome.KEPT),
        (("claims",), member("claims", "eligibility"), 1, Outcome.CHANGED),
        ((), member("claims"), 1, Outcome.ENDED),
        (None, member("claims"), 1, Outcome.ENDED),
        (None, member("claims", "admin"), 1, Outcome.ENDED),
        (None, member("claims", "admin"), 0, Outcome.LAST_MANAGER),
        (("claims",), member("claims", "admin"), 0, Outcome.LAST_MANAGER),
        (None, member("claims", subject="lena"), 1, Outcome.ENDED),
        (("gone",), member("claims"), 1, Outcome.KEPT),
    ],
)
def test_EN_17_what_nobody_keeps_ends_but_a_manager_remains(
    kept: tuple[str, ...] | None, who: Member, others: int, expected: Outcome
) -> None:
    setting = Setting(SETTING.catalogue, SETTING.managing, others)
    assert outcome(kept, member=who, setting=setting, by="lena") is expected


def test_what_ended_otherwise_meanwhile_is_gone() -> None:
    ended = Member("oscar", AffiliationStatus.ENDED, 3, frozenset({"claims"}))
    assert outcome(None, member=ended, setting=SETTING, by="system") is Outcome.GONE
