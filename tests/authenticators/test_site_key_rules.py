"""What a site key may be, and decoys: the same for ever, and shaped like a person's own."""

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.authenticators.site_key import rules, words
from idp.authenticators.site_key.decoy_words import PATTERNS, WORDS
from idp.authenticators.site_key.rules import Reason, Shown, decoy, shown_of
from idp.foundation import pages
from idp.vocabulary.refused import Refused


def seed(text: str) -> bytes:
    return sha256(text.encode()).digest()


def test_A6_there_are_at_least_24_pictures_and_the_guides_own_come_first() -> None:
    assert len(rules.PICTURES) == len(set(rules.PICTURES)) >= 24
    assert [str(words.PICTURES[key]) for key in rules.PICTURES[:5]] == [
        "Apple", "Balloon", "Balloons", "Baseball", "Billiards",
    ]  # fmt: skip
    assert set(words.PICTURES) == set(rules.PICTURES)
    assert len({str(name) for name in words.PICTURES.values()}) == len(rules.PICTURES)


def test_A6_each_picture_is_drawn_once_and_the_drawings_run_and_fetch_nothing() -> None:
    folder = pages.STATIC / "site_keys"
    assert {path.stem for path in folder.iterdir()} == set(rules.PICTURES)
    drawings = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert len(set(drawings.values())) == len(drawings)
    for name, drawing in drawings.items():
        assert drawing.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"'), name
        assert set(re.findall(r"<([a-z]+)", drawing)) <= {"svg", "g", "path", "circle", "ellipse", "rect"}, name
        assert not re.search(r"href|url\(|style|\son|<!", drawing), name
        assert len(drawing) < 2048, name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ok", "ok"),
        ("  morning   over the river ", "morning over the river"),
        ("Cafe\u0301 del ri\u0301o", "Caf\u00e9 del r\u00edo"),
        ("x" * 60, "x" * 60),
        ("<b>bold</b> & 'quoted'", "<b>bold</b> & 'quoted'"),
    ],
)
def test_A6_a_phrase_is_a_word_or_a_few(typed: str, kept: str) -> None:
    assert shown_of("apple", typed) == Shown("apple", kept)


@pytest.mark.parametrize(
    ("picture", "typed", "reason"),
    [
        ("", "lemon cake", Reason.NO_PICTURE),
        ("../../icon", "lemon cake", Reason.NO_PICTURE),
        ("Apple", "lemon cake", Reason.NO_PICTURE),
        ("apple", "   ", Reason.NO_PHRASE),
        ("apple", " x ", Reason.TOO_SHORT),
        ("apple", "x" * 61, Reason.TOO_LONG),
        ("apple", "two\nlines", Reason.NOT_PRINTABLE),
        ("apple", "tab\there", Reason.NOT_PRINTABLE),
        ("apple", "turned \u202eround", Reason.NOT_PRINTABLE),
        ("apple", "hid\u200bden", Reason.NOT_PRINTABLE),
        ("apple", "\u00a0\u00a0", Reason.NOT_PRINTABLE),
    ],
)
def test_A6_what_is_no_site_key_says_why(picture: str, typed: str, reason: Reason) -> None:
    assert shown_of(picture, typed) == Refused(reason)
    assert reason in words.REASONS


def test_A6_a_phrase_is_not_the_password_nor_contains_it() -> None:
    for phrase in ("Kettle-Orbit-42", "kettle-orbit-42", "my kettle-orbit-42!"):
        assert rules.gives_away(phrase, password="Kettle-Orbit-42")
    assert not rules.gives_away("kettle", password="Kettle-Orbit-42")
    assert not rules.gives_away("kettle", password="")


def test_a_site_key_is_not_printed_by_accident() -> None:
    assert "lemon" not in repr(Shown("apple", "lemon cake"))


@given(st.binary(min_size=32, max_size=32))
def test_A6_every_decoy_could_be_somebodys_own(digest: bytes) -> None:
    shown = decoy(digest)
    assert shown_of(shown.picture, shown.phrase) == shown
    assert decoy(digest) == shown


def test_A6_decoys_are_for_ever_so_their_lists_never_change() -> None:
    """If this fails, undo the change: everybody without a site key would be seen to get another one."""
    told = sha256(repr([(one.picture, one.phrase) for one in map(decoy, map(seed, map(str, range(500))))]).encode())
    assert told.hexdigest() == "0f865776adcade3d866296dbf81a509067d73ba55e5034f6c37de28cf74238a3"


def test_A6_decoys_are_as_many_as_people() -> None:
    shown = [decoy(seed(str(number))) for number in range(2000)]
    assert {one.picture for one in shown} == set(rules.PICTURES)
    assert len({(one.picture, one.phrase) for one in shown}) > 1900
    assert len({one.phrase for one in shown}) > 1200


def test_decoy_words_are_plain_and_of_equal_number() -> None:
    assert {len(choices) for choices in WORDS.values()} == {32}
    assert all(len(set(choices)) == 32 for choices in WORDS.values())
    assert len(PATTERNS) == 16
