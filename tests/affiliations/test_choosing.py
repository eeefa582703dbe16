"""How choices are laid out: recent, others, searching, badges."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.affiliations.choosing import A_PAGE, ends_in, fits, offer, read_key, used_today
from idp.affiliations.rules import Choice, choices
from tests.affiliations.worlds import DORMANCY, NOW, held, practice, provider, record, terms


def some(number: int) -> tuple[Choice, ...]:
    rows = [held(provider(each), id=UUID(int=each), used_at=None) for each in range(1, number + 1)]
    return choices(rows, terms=terms(), now=NOW, dormancy=DORMANCY)


def one(**changed: object) -> Choice:
    return replace(some(1)[0], **changed)  # type: ignore[arg-type]


def test_few_choices_stand_in_one_list_without_a_search() -> None:
    shown = offer(some(5), search="", all_shown=False, now=NOW)
    assert (len(shown.recent), len(shown.others), shown.hidden, shown.searchable) == (0, 5, 0, False)


def test_many_choices_are_searchable_and_a_page_long() -> None:
    shown = offer(some(16), search="", all_shown=False, now=NOW)
    assert (len(shown.others), shown.hidden, shown.total, shown.searchable) == (A_PAGE, 6, 16, True)
    assert len(offer(some(16), search="", all_shown=True, now=NOW).others) == 16


def test_at_most_three_recent_ones_stand_apart_and_no_choice_is_lost() -> None:
    lately = [replace(each, used_at=NOW - timedelta(days=2)) for each in some(8)]
    shown = offer(lately, search="", all_shown=True, now=NOW)
    assert len(shown.recent) == 3
    assert set(shown.recent) | set(shown.others) == set(lately)
    assert not set(shown.recent) & set(shown.others)


def test_a_practice_too_big_to_read_is_searchable_and_says_so() -> None:
    shown = offer(some(2), search="", all_shown=False, now=NOW, unread=True)
    assert shown.searchable
    assert shown.unread


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", True), ("provider 01", True), ("01 PROVIDER", True), ("1001", True), ("1234567893", True),
        ("100", False), ("other", False), ("%", False), ("_", False), ("juniper", False),
    ],
)  # fmt: skip
def test_AD_18_searching_by_words_or_a_whole_number(search: str, found: bool) -> None:
    assert fits(some(1)[0], search) is found


@pytest.mark.parametrize("search", ["muñoz jose", "MUNOZ", "josé", "munoz,jose"])
def test_searching_folds_accents_and_punctuation(search: str) -> None:
    assert fits(one(name="MUÑOZ, JOSÉ"), search)


def test_a_provider_is_found_by_its_practice() -> None:
    found = choices([held(practice(record(1)))], terms=terms(), now=NOW, dormancy=DORMANCY)
    assert fits(found[0], "juniper clinic")


@pytest.mark.parametrize(
    ("left", "days"),
    [(None, None), (timedelta(days=31), None), (timedelta(days=9, hours=3), 9), (timedelta(hours=2), 0)],
)
def test_an_end_that_is_near_is_told_in_days(left: timedelta | None, days: int | None) -> None:
    assert ends_in(one(ends_at=None if left is None else NOW + left), now=NOW) == days


def test_today_is_the_persons_own_today() -> None:
    last_evening = one(used_at=NOW - timedelta(hours=11))
    assert used_today(last_evening, now=NOW, zone=ZoneInfo("UTC"))
    assert not used_today(last_evening, now=NOW, zone=ZoneInfo("America/Chicago"))
    assert not used_today(one(used_at=None), now=NOW, zone=ZoneInfo("UTC"))


@given(st.text(max_size=90))
def test_a_form_value_that_is_none_is_none(key: str) -> None:
    assert read_key(key) is None or len(key) <= 90


@pytest.mark.parametrize(
    "key", ["", ".", "-", "x.y", "é.-", "1.2.3", f"{UUID(int=7).hex}", f"{UUID(int=7).hex}.", f".{UUID(int=7).hex}"]
)
def test_SI_17_forged_form_values_are_no_choice(key: str) -> None:
    assert read_key(key) is None


def test_a_form_value_reads_back() -> None:
    for each in some(3):
        assert each.provider is not None
        assert read_key(each.key) == (each.affiliation_id, each.provider.id)
    assert read_key(one(provider=None).key) == (UUID(int=1), None)
