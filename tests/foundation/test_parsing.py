"""Strict forms: closed, one value a name, nothing invisible, the same on both databases (D3, SI-17, ST-03)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from werkzeug.datastructures import MultiDict

from idp.foundation.parsing import MAX_FIELDS, Form, FormErrors, acceptable, form, single_values


class Login(Form):
    username: str = Field(max_length=20)
    remember: str = ""


def read(*pairs: tuple[str, Any]) -> Login | FormErrors:
    return form(Login, MultiDict(pairs))


def test_a_form_is_read_as_typed_blanks_and_all() -> None:
    found = read(("username", "  rosa "), ("csrf_token", "x"))
    assert found == Login(username="  rosa ")


@pytest.mark.parametrize(
    "pairs",
    [
        [("username", "a"), ("username", "b")],
        [("username", "a"), ("username", "a")],
        [("username", "a"), ("role", "admin")],
        [("username[]", "a")],
        [("username", "a\x00")],
        [("username", "a\ud800")],
        [("user\x00name", "a")],
        [("username", "a"), ("csrf_token", "x"), ("csrf_token", "y")],
        [(f"f{number}", "x") for number in range(MAX_FIELDS + 1)],
    ],
)
def test_SI_17_ST_03_what_no_page_of_ours_sends_is_malformed(pairs: list[tuple[str, str]]) -> None:
    assert read(*pairs) == FormErrors({"": "malformed"})


def test_what_was_left_out_or_is_too_long_is_told_by_field() -> None:
    assert read() == FormErrors({"username": "missing"})
    assert read(("username", "a" * 21)) == FormErrors({"username": "string_too_long"})


@given(st.text(max_size=40))
def test_acceptable_text_can_be_stored_anywhere(text: str) -> None:
    if acceptable(text):
        assert text.encode().decode() == text
        assert "\x00" not in text
        assert "\x7f" not in text


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=60))
def test_reading_never_raises_and_never_drops_a_value(pairs: list[tuple[str, str]]) -> None:
    found = single_values(MultiDict(pairs))
    assert found is None or list(found.items()) == list(dict(pairs).items())


def test_a_form_cannot_be_changed_after_it_was_read() -> None:
    found = read(("username", "rosa"))
    assert isinstance(found, Login)
    with pytest.raises(ValueError, match="frozen"):
        found.username = "ines"  # type: ignore[misc]
