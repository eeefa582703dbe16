"""Letters for the payer's real list: every name can be set, and nobody out of force is written to."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pymupdf_fonts
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from reportlab.pdfbase.ttfonts import TTFontFile

from idp.affiliations.letters.cli import pin_letters
from tests.affiliations.letters.test_cli import REGISTER
from tests.conftest import Hands
from tests.directory.files import shared, taken
from tests.factories import Make


def master() -> list[dict[str, str]]:
    with shared("provider_master.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def issue(app: Flask, make: Make, hands: Hands) -> Callable[..., Result]:
    make.client(
        "cascade-mmis", portal={"registry": "ozark", "acting_for": ["provider"]}, enrollment={"register": REGISTER}
    )
    taken(shared("provider_master.csv").read_bytes(), now=hands.now)

    def invoke(rows: list[dict[str, str]], *arguments: str) -> Result:
        listed = "\n".join(["provider_id", *(row["provider_id"] for row in rows)])
        return CliRunner().invoke(pin_letters, ["issue", "--csv", "-", "--json", *arguments], input=listed + "\n")

    return invoke


def test_a_batch_for_real_providers_is_whole(issue: Callable[..., Result], tmp_path: Path):
    asked = master()[:400]
    result = issue(asked, "--out", str(tmp_path))
    said = json.loads(result.output)
    in_force = {row["provider_id"] for row in asked if row["status"] == "active" and row["effective_date"] < "2026"}
    assert {each["provider_id"] for each in said["letters"]} == in_force
    assert {each["reason"] for each in said["refused"]} == {"not_in_force"}
    assert len(said["letters"]) + len(said["refused"]) == 400
    (table,) = tmp_path.glob("*.csv")
    pins = {row["login_id"]: row["pin"] for row in csv.DictReader(table.open(encoding="utf-8"))}
    assert pins.keys() == in_force
    assert len(set(pins.values())) == len(pins)


def test_the_typeface_has_every_character_of_every_name(tmp_path: Path):
    rows = master()
    path = tmp_path / "face.ttf"
    path.write_bytes(pymupdf_fonts.myfont("figo"))
    known = TTFontFile(str(path)).charToGlyph
    assert {character for row in rows for character in row["legal_name"] if ord(character) not in known} == set()


def test_D2_letters_sent_by_the_payer_are_taken_in_and_replaced_by_ours(
    issue: Callable[..., Result], hands: Hands, tmp_path: Path
):
    content = shared("pin_letters.csv").read_bytes()
    report = taken(content, "pin-letters", now=hands.now)
    assert (report.notes["letters_open"], report.notes["letters_replaced"]) == (28, 0)
    open_ones = [
        row
        for row in csv.DictReader(content.decode().splitlines())
        if row["expires_on"] > "2030" and not row["used_on"]
    ]
    said = json.loads(issue(open_ones, "--out", str(tmp_path)).output)
    assert sum(each["replaced"] for each in said["letters"]) == len(said["letters"]) > 20
    assert taken(content, "pin-letters", now=hands.now).unchanged == 60
