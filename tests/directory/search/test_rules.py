"""Which word is looked up first, and which may have been meant."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.directory.search import rules

words = st.text("abcdeß", min_size=1, max_size=9)


def test_the_rarest_word_comes_first_then_the_first_typed():
    assert rules.order({"john": 300, "smith": 300, "quentin": 2}) == ("quentin", "john", "smith")
    assert rules.order({"smith": 300, "john": 300}) == ("smith", "john")
    assert rules.order({"m": 300, "walker": 300}) == ("walker", "m")
    assert rules.order({"john": 9000, "smith": 4000}) == ("smith", "john")
    assert rules.led(("smith", "jo"), "john") == ("jo", "smith")
    assert rules.led(("smith", "jo"), "smithson") == ("smith", "jo")


def test_of_common_words_names_that_begin_with_one_and_have_another_come_first():
    many = rules.COUNTED
    first = rules.stretches({"clinic": many, "juba": many})
    assert first == (rules.Stretch("clinic", having="juba"), rules.Stretch("juba", having="clinic"))
    assert rules.stretches({"clinic": many, "juba": many - 1}) == ()
    assert rules.stretches({"smith": many}) == rules.stretches({"smith": 1}, begun=True) == ()
    assert rules.stretches({"clinic": 1, "juba": 1}, begun=True) == first
    assert rules.stretches({"clinic": many, "juba": many}, begun=False) == ()
    walker = rules.Stretch("m", having="walker")
    assert rules.stretches({"m": many, "walker": many, "e": many})[::2] == (walker, rules.Stretch("e", having="walker"))
    assert [rules.stretch_of(first, *name) for name in (("clinic", "juba clinic"), ("juba", "clinic juba"))] == [1, 0]
    assert [rules.stretch_of(first, *name) for name in (("clinic", "old juba clinic"), ("jubas", "clinic jubas"))] == [
        2,
        2,
    ]


def said(source: str, status: str) -> rules.NpiFacts:
    days = dict.fromkeys(("enumerated_on", "updated_on", "deactivated_on", "reactivated_on"))
    place: dict[str, Any] = {"npi": "1234567893", "entity": None, "name": "Inés Roos", "state": "CT", "zip_code": ""}
    return rules.NpiFacts(source=source, status=status, imported_at=datetime(2026, 3, 1, tzinfo=UTC), **place, **days)


@pytest.mark.parametrize(
    ("every", "shown"),
    [
        ([("fhir:aetna", "left"), ("fhir:ozark", "active")],
         [("fhir:aetna", "left", ()), ("fhir:ozark", "active", ())]),
        ([("fhir:aetna", "active"), ("fhir:ozark", "left"), ("fhir:zia", "active")],
         [("fhir:aetna", "active", ("fhir:zia",)), ("fhir:ozark", "left", ())]),
        ([("fhir:aetna", "active"), ("nppes", "deactivated")],
         [("nppes", "deactivated", ()), ("fhir:aetna", "active", ())]),
        ([("fhir:aetna", "left"), ("fhir:ozark", "active"), ("nppes", "active")],
         [("nppes", "active", ("fhir:ozark",)), ("fhir:aetna", "left", ())]),
    ],
)  # fmt: skip
def test_no_source_is_shown_with_a_standing_that_another_one_tells(every: list[tuple[str, str]], shown: list[Any]):
    records = [said(*each) for each in every]
    assert [(each.source, each.status, each.also) for each in rules.folded(records)] == shown


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("smith", "smith", 0), ("smtih", "smith", 1), ("jonson", "johnson", 1), ("smyth", "smith", 1), ("ca", "abc", 3), ("", "ab", 2)],
)  # fmt: skip
def test_slips_are_counted_as_people_make_them(one: str, other: str, count: int):
    assert rules.slips(one, other) == count


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(one=words, other=words)
def test_slips_are_the_same_both_ways_and_none_only_for_equals(one: str, other: str):
    assert rules.slips(one, other) == rules.slips(other, one)
    assert (rules.slips(one, other) == 0) == (one == other)
    assert rules.slips(one, other) <= max(len(one), len(other))


def test_the_likeliest_has_fewest_slips_then_most_names():
    near = rules.near(
        "jonson", ["johnson", "jonsen", "jackson", "nothing", "jonsson"], least=rules.near_enough("jonson")
    )
    assert "nothing" not in near
    close = rules.misspelt("jonson", near)
    assert set(close) == {"johnson", "jonsen", "jonsson"}
    assert rules.likeliest("jonson", {each: 300 if each == "johnson" else 3 for each in close}) == "johnson"
    assert rules.likeliest("jonson", dict.fromkeys(close, 0)) is None


def test_a_short_word_allows_one_slip_only():
    assert rules.misspelt("anne", ["anna", "ane", "aunt", "enna"]) == ["anna", "ane"]


def test_a_name_is_shown_once_under_its_first_word():
    assert rules.is_first_of("smith", start="smi", key="ann smith smithson")
    assert not rules.is_first_of("smithson", start="smi", key="ann smith smithson")
    assert rules.is_first_of("smithson", start="smiths", key="ann smith smithson")


@pytest.mark.parametrize("word", ["cruz", "smith", "jonson", "hernandez", "otolaryngology"])
def test_whatever_is_one_slip_away_shares_as_much_as_is_asked_for_first_or_has_two_letters_exchanged(word: str):
    ends = range(1, len(word) + 1)
    missing = {word[: at - 1] + word[at:] for at in ends[1:]}
    added = {word[:at] + letter + word[at:] for at in ends for letter in "xe"}
    another = {word[:at] + letter + word[at + 1 :] for at in ends[:-1] for letter in "xe"} - {word}
    much = rules.shares(word)[0]
    found = rules.near(word, missing | added | another, least=much)
    assert set(found) == missing | added | another
    assert {rules.slips(word, each) for each in rules.swapped(word)} <= {1}
    assert rules.shares(word)[-1] == rules.near_enough(word)
    assert rules.shares("jo") == (rules.near_enough("jo"),)
