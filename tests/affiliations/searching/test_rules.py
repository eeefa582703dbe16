"""Which words a person is found by (E3, AD-18)."""

import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.affiliations.searching.rules import LONGEST, OF_A_FIELD, TERMS, beginnings, terms, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Óscar Benítez-Ruiz", {"oscar", "benitez-ruiz", "ruiz"}),
        ("june.harwood", {"june.harwood", "harwood"}),
        ("ann@south.example", {"ann@south.example", "@south.example", "south.example"}),
        ("o'Neill ", {"o'neill", "neill"}),
        ("%per _under \\back", {"%per", "per", "_under", "under", "\\back", "back"}),
        ("100%_sure", {"100%_sure", "sure"}),
        ("李 小龙", {"李", "小龙"}),
        ("", set()),
        (None, set()),
    ],
)
def test_E3_a_search_may_begin_where_a_word_does(text: str | None, words: set[str]) -> None:
    assert beginnings(text) == words


def test_E3_what_only_the_address_has_is_marked() -> None:
    assert words_of(("Ann", "Lee", None), email="ann@x.example") == {
        "ann": False, "lee": False, "ann@x.example": True, "@x.example": True, "x.example": True,
    }  # fmt: skip


@given(st.text(max_size=200))
def test_AD_18_every_whole_word_of_a_field_is_found_by_itself(text: str) -> None:
    words = beginnings(text)
    assert len(words) <= OF_A_FIELD
    assert all(0 < len(word) <= LONGEST for word in words)
    assert set(terms(text)[:1]) <= words


@given(st.text(max_size=200))
def test_the_migration_made_the_same_words(text: str) -> None:
    module = importlib.import_module("idp.migrations.versions.words_of_people")
    assert module._beginnings(text) == beginnings(text)


def test_AD_18_terms_are_words_and_no_wildcards() -> None:
    assert terms("  Ben% _téz  a b c d e f") == ("ben%", "_tez", "a", "b", "c")
    assert len(terms("x " * 90)) == TERMS
    assert terms(" \t ") == ()
