"""What a list shows (AD-18, AD-24)."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from idp.foundation.parsing import FormErrors
from idp.manage.forms import levels_form
from idp.manage.picker import Picked
from idp.manage.rules import Filter, Key, filter_of


@given(name=st.text(max_size=200), number=st.integers(0, 2**128 - 1))
def test_AD_24_a_page_s_key_comes_back_as_it_was(name: str, number: int) -> None:
    key = Key(name, UUID(int=number))
    assert Key.unpack(key.pack()) == key


@pytest.mark.parametrize("text", ["", "x", "g" * 32, "0" * 31, "' OR 1=1 --", "../" * 12])
def test_AD_24_what_no_page_sent_is_no_key(text: str) -> None:
    assert Key.unpack(text) is None


def test_AD_24_what_no_tab_is_called_shows_everybody() -> None:
    assert filter_of("active") is Filter.ACTIVE
    assert filter_of("'; DROP") is Filter.ALL


CATALOGUE = ("claims.inquiry", "admin")


def read(*pairs: tuple[str, str]) -> object:
    return levels_form(MultiDict(pairs), catalogue=CATALOGUE, movable=CATALOGUE)


def test_E7_the_boxes_ticked_are_the_levels() -> None:
    sent = read(("csrf_token", "x"), ("version", "3"), ("level.admin", "yes"), ("level.claims.inquiry", "yes"))
    assert sent == (3, Picked(frozenset({"admin", "claims.inquiry"})))
    assert read(("version", "3")) == (3, Picked(frozenset()))


@pytest.mark.parametrize(
    "pairs",
    [
        [("version", "3"), ("level.root", "yes")],
        [("version", "3"), ("account_manager", "yes")],
        [("version", "3"), ("level.admin", "yes"), ("level.admin", "yes")],
        [("version", "3"), ("level.admin", "no")],
        [("version", "-1")],
        [("version", "x")],
        [("level.admin", "yes")],
        [("version", "3"), ("status", "active")],
    ],
)
def test_AD_06_what_the_form_has_not_is_refused(pairs: list[tuple[str, str]]) -> None:
    assert isinstance(read(*pairs), FormErrors)
