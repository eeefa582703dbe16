"""What the letter and the table say, and that the letter fits its page."""

import csv
import io
import re
import zlib
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from idp.affiliations.letters import page
from idp.affiliations.letters.content import Content, Printing, TooLong, contents
from idp.affiliations.letters.rules import Asked
from idp.affiliations.letters.sheet import COLUMNS, table
from idp.directory.letters.rules import Addressee, NewLetter, span_of
from idp.messaging.rules import Brand
from idp.vocabulary.secret import Secret

BRAND = Brand("cascade-mmis", "Cascade MMIS Provider Portal", "CM", "#1B5E8C", "1-800-555-0140", "8 am to 5 pm Pacific")
URL = "https://credence.test/enroll/cascade-mmis/register/"
INES = Addressee(UUID(int=7), "048215", "José Ñúñez-Łukasiewicz", ("97140-4402", "97301"), "OR", "active",
                 date(2020, 1, 1), None)  # fmt: skip
PLAIN = Asked(1, "048215")
LETTER = NewLetter(UUID("01990000-0000-7000-8000-0000deadbeef"), INES, Secret("D4eRrn7XH"))


def printing(now: datetime, *, language: str = "en") -> Printing:
    return Printing(BRAND, URL, span_of(now, days=21), language, ZoneInfo("America/Los_Angeles"))


def content(now: datetime, *, asked: Asked = PLAIN, letter: NewLetter = LETTER, **how: str) -> Content:
    return contents(printing(now, **how), [(asked, letter)])[0]


def test_the_letter_says_all_that_its_reader_needs(app: Flask, now: datetime):
    said = content(now)
    assert said.portal == "Cascade MMIS Provider Portal"
    assert said.date == "March 2, 2026"
    assert said.address == ("José Ñúñez-Łukasiewicz", "OR 97140-4402")
    assert (said.login_id, said.pin) == ("048215", "D4eRrn7XH")
    assert said.spelled.endswith("capital D, 4, small e, capital R, small r, small n, 7, capital X, capital H")
    assert said.until == "It works once, until Monday, March 23, 2026, 5:00 pm PDT."
    assert said.url == URL
    assert "1-800-555-0140 (8 am to 5 pm Pacific)" in said.help
    assert "Do not share" in " ".join(said.advice)
    assert said.reference == "Letter DEADBEEF"
    assert "D4eRrn7XH" not in repr(said)


def test_the_envelope_s_window_shows_nothing_secret(app: Flask, now: datetime):
    said = content(now, asked=Asked(1, "048215", "400 Lantern Way, Suite 12", "Salem"))
    assert said.address == ("José Ñúñez-Łukasiewicz", "400 Lantern Way, Suite 12", "Salem, OR 97140-4402")
    assert not any(word in line for line in said.address for word in ("048215", "D4eRrn7XH", "PIN"))


def test_dates_follow_the_language(app: Flask, now: datetime):
    said = content(now, language="es")
    assert said.date == "2 de marzo de 2026"
    assert "lunes 23 de marzo de 2026, 5:00 p. m. PDT" in said.until


def test_the_pdf_has_one_page_a_letter_and_its_typefaces_inside(app: Flask, now: datetime):
    made = page.document([content(now)] * 3, title="PIN letters", language="en")
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", made)) == 3
    for typeface in (b"FiraGO-Regular", b"FiraGO-Bold", b"CascadiaMono-Bold"):
        assert re.search(rb"/BaseFont /\w+\+" + typeface, made)
    assert b"/FontFile2" in made


def test_names_of_other_alphabets_are_set_and_read_back(app: Flask, now: datetime):
    made = page.document([content(now)], title="PIN letters", language="en")
    mapped = "".join(chr(int(code, 16)) for code in _unicode_of(made))
    assert set("ñúéÑŁ") <= set(mapped)


def test_markup_in_a_name_is_words(app: Flask, now: datetime):
    evil = replace(LETTER, addressee=replace(INES, name="<font color=\"[[getattr(1,'x')]]\">&amp;</font>"))
    assert page.document([content(now, letter=evil)], title="PIN letters", language="en")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_longest_name_and_address_still_make_one_page(app: Flask, now: datetime, language: str):
    name = ("Regional Behavioral Health and Rehabilitation Associates of the Greater Prairie " * 3)[:200]
    letter = replace(LETTER, addressee=replace(INES, name=name, provider_id="123456789"), pin=Secret("WWWWWWWWW"))
    said = content(now, asked=Asked(1, "1", "W" * 60, "W" * 60), letter=letter, language=language)
    longer = replace(
        said, intro=said.intro + " " + said.intro[:150], advice=tuple(text + text[:40] for text in said.advice)
    )
    made = page.document([longer], title="PIN letters", language=language)
    assert len(re.findall(rb"/Type /Page\b", made)) == 1


def test_words_that_do_not_fit_are_refused_and_never_cut(app: Flask, now: datetime):
    said = content(now)
    with pytest.raises(TooLong):
        page.document([replace(said, intro=said.intro * 6)], title="PIN letters", language="en")


def test_the_table_has_a_row_a_letter(app: Flask, now: datetime):
    asked = Asked(2, "048215", "400 Lantern Way", "Salem")
    rows = list(csv.DictReader(io.StringIO(table(printing(now), [(asked, LETTER)]).decode())))
    assert len(rows) == 1
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["login_id"] == "048215"
    assert rows[0]["pin"] == "D4eRrn7XH"
    assert (rows[0]["issued_on"], rows[0]["expires_on"]) == ("2026-03-02", "2026-03-23")
    assert (rows[0]["provider_name"], rows[0]["zip_code"]) == ("José Ñúñez-Łukasiewicz", "97140-4402")
    assert rows[0]["enrollment_url"] == URL


@pytest.mark.parametrize("name", ['=HYPERLINK("https://evil.test")', "+1", "-1", "@SUM(A1)", "\tx"])
def test_AD_15_no_cell_of_the_table_is_a_formula(now: datetime, name: str):
    letter = replace(LETTER, addressee=replace(INES, name=name))
    asked = Asked(2, "048215", name, name)
    row = next(csv.DictReader(io.StringIO(table(printing(now), [(asked, letter)]).decode(), newline="")))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in row.values())


def test_the_end_is_the_end_of_the_last_day(now: datetime):
    span = span_of(now, days=21)
    assert span.ends_at - datetime(2026, 3, 2, tzinfo=now.tzinfo) == timedelta(days=22)


def _unicode_of(made: bytes) -> list[str]:
    """What the typefaces' ToUnicode tables map to."""
    found: list[str] = []
    for stream in re.findall(rb"stream\r?\n(x.*?)endstream", made, flags=re.DOTALL):
        plain = zlib.decompressobj().decompress(stream)
        if b"beginbfchar" in plain or b"beginbfrange" in plain:
            found += re.findall(r"<([0-9A-Fa-f]{4})>", plain.decode("latin-1"))
    return found
