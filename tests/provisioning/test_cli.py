"""`idp people import`: what it prints, where the rejects go, and how it ends."""

import csv
import json

import pytest
from click.testing import CliRunner

from idp.cli import idp
from idp.provisioning.people.cli import people
from idp.provisioning.people.rules import COLUMNS
from idp.subjects.models import Subject
from tests.provisioning.files import NO_ACCESS, PASSLIB, row, table


@pytest.fixture
def run(app, make):
    make.client("ozark-exchange", portal={"acting_for": ["trading_partner"], "accepts": "directory"})

    def invoke(*arguments, given=None):
        return CliRunner().invoke(people, ["import", *arguments], input=given)

    return invoke


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "users.csv"
    path.write_bytes(table(row(**NO_ACCESS)))
    return path


def test_it_says_what_it_did_and_the_second_time_that_nothing_changed(run, file):
    first, second = run(str(file), "--mailboxes-proven"), run(str(file), "--mailboxes-proven")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "added             1" in first.output
    assert "made: 1" in first.output
    assert "unchanged         1" in second.output


def test_standard_input_dry_run_and_json(run, file, make):
    result = run("-", "--dry-run", "--json", given=file.read_bytes())
    assert json.loads(result.output)["added"] == 1
    assert make.rows(Subject) == []


def test_rejects_are_kept_for_their_owner_only_and_the_exit_status_is_1(run, file, settings):
    file.write_bytes(table(row(**NO_ACCESS, email="not an address"), row(**NO_ACCESS | {"password_hash": ""})))
    result = run(str(file))
    assert result.exit_code == 1
    kept = settings.data_dir / "users.csv.rejects.csv"
    assert kept.stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(kept.open()))
    assert [line[0:3] for line in rows[1:]] == [["2", "", "email"], ["3", "rdelgado", "no_proof"]]
    assert "refused      1" in result.output
    assert PASSLIB not in kept.read_text() + result.output


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (table(row(), columns=COLUMNS).replace(b"email_proven", b"verified"), "column 4 of the header must be email_proven"),
        (table(row())[:-12], "the file ends in the middle of a row"),
        ("portal\xe9".encode("latin-1"), "this is not UTF-8 text"),
        (b"PK\x03\x04", "this is a zip archive; unpack it first"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_to_its_end_writes_nothing(run, file, make, content, what):
    file.write_bytes(content)
    result = run(str(file))
    assert result.exit_code == 2
    assert what in result.output
    assert make.rows(Subject) == []


def test_a_missing_file_is_said(run, tmp_path):
    result = run(str(tmp_path / "nothing.csv"))
    assert result.exit_code == 2


def test_the_command_stands_beside_those_of_the_other_room():
    commands = idp.get_command(None, "people").commands
    assert {"create", "disable", "enable", "import"} <= set(commands)
