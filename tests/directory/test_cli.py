"""`idp directory import`: what it prints, where the rejects go, and how it ends."""

import csv
import getpass
import io
import json
import os
import pty
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from idp.audit.models import AuditEvent
from idp.directory import cli
from idp.directory.cli import directory
from idp.directory.imports.progress import Progress
from idp.directory.imports.run import Declined, Report
from idp.directory.models import ImportRun, Provider
from idp.foundation.database import reading
from idp.settings import Settings
from tests.directory.files import GROUP, LETTER, MEMBER, PERSON_NPI, PRACTITIONER, shared, written
from tests.directory.test_import import BAD_FILES

Run = Callable[..., Result]
LAST_OUTCOME = select(ImportRun.outcome).order_by(ImportRun.id.desc()).limit(1)


@pytest.fixture
def run(app: Flask) -> Run:
    def invoke(*arguments: str, given: bytes | str | None = None) -> Result:
        return CliRunner().invoke(directory, ["import", *arguments], input=given)

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "providers.csv"
    path.write_bytes(written("provider-master", [GROUP, MEMBER, PRACTITIONER]))
    return path


MASTER = ("--format", "provider-master")
OZARK = (*MASTER, "--registry", "ozark")


def test_it_says_what_it_did(run: Run, file: Path):
    result = run(str(file), *OZARK)
    assert result.exit_code == 0
    assert "provider-master of ozark, 3 rows" in result.output
    assert "added             3" in result.output
    assert "unchanged         3" in run(str(file), *OZARK).output


def test_the_registry_may_be_left_out_where_there_is_one(run: Run, file: Path):
    assert run(str(file), *MASTER).exit_code == 2
    assert run(str(file), *OZARK).exit_code == 0
    assert run(str(file), *MASTER).exit_code == 0
    assert run(str(file), *MASTER, "--registry", "heartland").exit_code == 0
    result = run(str(file), *MASTER)
    assert result.exit_code == 2
    assert "--registry one of heartland, ozark" in result.output


@pytest.mark.parametrize("name", ["Ozark", "../x", ""])
def test_a_name_that_is_no_registry_is_refused(run: Run, file: Path, name: str):
    assert run(str(file), *MASTER, "--registry", name).exit_code == 2


def test_json_is_for_machines(run: Run, file: Path):
    result = run(str(file), *OZARK, "--dry-run", "--json")
    told = json.loads(result.output)
    assert (told["added"], told["dry_run"], told["registry"]) == (3, True, "ozark")


def test_it_reads_standard_input(run: Run, file: Path):
    result = run("-", *OZARK, given=file.read_bytes())
    assert result.exit_code == 0
    assert "3 rows" in result.output


def test_ST_13_rejects_name_line_and_reason_and_hold_no_number(run: Run, settings: Settings, file: Path):
    bad = [PRACTITIONER | {"npi": "1234567890"}, MEMBER | {"provider_id": "=cmd()", "state": "XX"}, GROUP]
    file.write_bytes(written("provider-master", bad))
    result = run(str(file), *OZARK)
    assert result.exit_code == 1
    path = settings.data_dir / "providers.csv.rejects.csv"
    assert str(path) in result.output
    assert path.stat().st_mode & 0o077 == 0
    text = path.read_text()
    assert [row["line"] for row in csv.DictReader(text.splitlines())] == ["2", "3"]
    assert [row["key"] for row in csv.DictReader(text.splitlines())] == ["123456789", ""]
    assert [row["reasons"] for row in csv.DictReader(text.splitlines())] == ["npi", "provider_id;state"]
    assert not any(secret in text + result.output for secret in ("666025841", "079990001", "cmd()"))
    file.write_bytes(written("provider-master", [GROUP]))
    assert run(str(file), *OZARK).exit_code == 0
    assert not path.exists()


def test_a_dry_run_and_a_command_that_makes_no_sense_leave_the_last_rejects_alone(
    run: Run, settings: Settings, file: Path, tmp_path: Path
):
    file.write_bytes(written("provider-master", [PRACTITIONER | {"npi": "1"}]))
    assert run(str(file), *OZARK).exit_code == 1
    kept, named = settings.data_dir / "providers.csv.rejects.csv", tmp_path / "named.csv"
    named.write_bytes(before := kept.read_bytes())
    file.write_bytes(written("provider-master", [GROUP, MEMBER | {"npi": "1"}]))
    told = run(str(file), *OZARK, "--dry-run")
    assert (told.exit_code, "Refused rows are in" in told.output) == (1, False)
    for wrong in (
        ("--registry", "OZARK"),
        ("--full", "--format", "pin-letters"),
        ("--format", "nppes", "--registry", "x"),
    ):
        assert run(str(file), *OZARK, *wrong, "--rejects", str(named)).exit_code == 2, wrong
        assert run(str(file), *OZARK, *wrong).exit_code == 2, wrong
    assert (kept.read_bytes(), named.read_bytes()) == (before, before)
    assert run(str(file), *OZARK, "--dry-run", "--rejects", str(named)).exit_code == 1
    assert named.read_text().splitlines()[1].startswith("3,222222222,npi,")


def test_ST_13_one_formula_stops_no_file_and_is_told_with_its_line_and_exit_2(run: Run, file: Path):
    rows = [
        GROUP,
        PRACTITIONER | {"npi": "1"},
        MEMBER | {"legal_name": "@HOME CARE LLC"},
        PRACTITIONER | {"legal_name": "=1"},
    ]
    file.write_bytes(written("provider-master", rows))
    result = run(str(file), *OZARK, "--json")
    assert result.exit_code == 2
    assert (
        result.stderr == "Error: providers.csv, line 4: a name begins as a spreadsheet's formula; refused for that: 2\n"
    )
    told = json.loads(result.stdout)
    assert (told["added"], told["reasons"]) == (1, {"formula": 2, "npi": 1})
    with reading() as tx:
        assert tx.execute(LAST_OUTCOME).scalar_one() == "completed"


def test_D2_a_refused_letter_shows_no_pin(run: Run, tmp_path: Path):
    letters, rejects = tmp_path / "letters.csv", tmp_path / "refused.csv"
    letters.write_bytes(written("pin-letters", [LETTER, LETTER | {"pin": "Secret!1", "provider_id": "999999"}]))
    result = run(str(letters), "--format", "pin-letters", "--registry", "ozark", "--rejects", str(rejects))
    assert result.exit_code == 1
    assert "Secret!1" not in rejects.read_text() + result.output
    assert "e28HKtSp" not in rejects.read_text() + result.output


def test_a_bad_file_is_one_line_and_exit_2(run: Run, file: Path):
    file.write_bytes(b"\x1f\x8b...")
    result = run(str(file), *OZARK)
    assert result.exit_code == 2
    assert "providers.csv, line 1: this is gzip; unpack it first" in result.output


def test_whatever_is_wrong_with_a_file_is_one_line_with_its_line_and_exit_2(run: Run, file: Path):
    for name, (content, line, what) in BAD_FILES.items():
        file.write_bytes(content)
        result = run(str(file), *OZARK, "--json")
        assert (result.exit_code, result.stdout) == (2, ""), name
        assert re.fullmatch(rf"Error: providers\.csv, line {line}: .*{what}.*\n", result.stderr), name
    with reading() as tx:
        assert tx.execute(select(func.count()).select_from(Provider)).scalar_one() == 0


def test_a_missing_file_is_one_line_and_exit_2(run: Run, tmp_path: Path):
    result = run(str(tmp_path / "none.csv"), *OZARK)
    assert result.exit_code == 2
    assert "No such file" in result.output


def test_a_full_file_that_ends_much_needs_yes(run: Run, file: Path):
    assert run(str(file), *OZARK).exit_code == 0
    file.write_bytes(written("provider-master", [GROUP]))
    refused = run(str(file), *OZARK, "--full")
    assert refused.exit_code == 2
    assert "2 of 3 listed are not in the file and would end. Nothing has ended" in refused.output
    assert "ended             2" in run(str(file), *OZARK, "--full", "--dry-run").output
    done = run(str(file), *OZARK, "--full", "--yes")
    assert done.exit_code == 0
    assert "ended             2" in done.output


def test_a_full_file_says_how_much_would_end_before_it_ends_by_yes(run: Run, file: Path):
    assert run(str(file), *OZARK).exit_code == 0
    file.write_bytes(written("provider-master", [GROUP]))
    for how, done in (("--dry-run", "Would change"), ("--yes", "Imported")):
        told = run(str(file), *OZARK, "--full", how)
        assert told.stderr.startswith("2 of 3 listed are not in the file and would end.\n"), how
        assert done in told.stdout


@pytest.mark.parametrize(("typed", "code", "left"), [("n", 2, "active"), ("y", 0, "terminated")])
def test_at_a_terminal_a_full_file_asks_and_does_as_told(
    run: Run,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    code: int,
    left: str,
):
    listed = [PRACTITIONER | {"provider_id": f"{100000000 + number}"} for number in range(25)]
    file.write_bytes(written("provider-master", listed))
    assert run(str(file), *OZARK).exit_code == 0
    file.write_bytes(written("provider-master", [*listed[1:], MEMBER]))
    person, terminal = pty.openpty()
    with os.fdopen(person, "wb", buffering=0) as keys, os.fdopen(terminal, "r") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        keys.write(f"{typed}\n".encode())
        if code:
            with pytest.raises(cli.Unusable) as refused:
                directory.main(["import", str(file), *OZARK, "--full"], standalone_mode=False)
            assert refused.value.exit_code == code
            assert str(refused.value) == "Nothing has ended; the rows that were taken stay."
        else:
            assert directory.main(["import", str(file), *OZARK, "--full"], standalone_mode=False) == 0
    told = capsys.readouterr()
    assert "1 of 26 listed are not in the file and would end. End them? [y/N]: " in told.err
    assert (f"ended      {1:>8}" in told.out, "Imported" in told.out) == (not code, not code)
    with reading() as tx:
        query = select(Provider.status).where(Provider.provider_id.in_(("100000000", MEMBER["provider_id"])))
        assert sorted(tx.execute(query).scalars()) == sorted([left, "active"])
        assert tx.execute(LAST_OUTCOME).scalar_one() == ("declined" if code else "completed")


def test_who_leaves_the_question_unanswered_has_stopped_the_import(monkeypatch: pytest.MonkeyPatch):
    def leave(*_given: object, **_more: object) -> bool:
        raise click.Abort

    monkeypatch.setattr("click.confirm", leave)
    with pytest.raises(KeyboardInterrupt):
        cli._confirm(yes=False, dry_run=False, asks=True)(1, 100, 0)


def test_a_full_file_with_a_line_that_may_name_anybody_needs_yes(capsys: pytest.CaptureFixture[str]):
    unsure = "1 of 100 listed are not in the file and would end. Refused lines that may name one of them, for nobody can tell"
    with pytest.raises(Declined, match=f"{unsure} whom they name: 2. Nothing has ended"):
        cli._confirm(yes=False, dry_run=False, asks=True)(1, 100, 2)
    assert cli._confirm(yes=True, dry_run=False, asks=True)(1, 100, 2)
    assert unsure in capsys.readouterr().err


@pytest.mark.parametrize("name", ["providers.csv", "linked.csv", "./other/../providers.csv", "standard input"])
def test_rejects_that_would_take_the_place_of_the_file_are_refused(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    file.write_bytes(content := written("provider-master", [PRACTITIONER | {"npi": "1"}]))
    (tmp_path / "other").mkdir()
    (tmp_path / "linked.csv").hardlink_to(file)
    if name == "standard input":
        with file.open("rb") as stream, pytest.raises(click.UsageError, match="would be lost"):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
            directory.main(["import", "-", *OZARK, "--rejects", str(file)], standalone_mode=False)
    else:
        result = run(str(file), *OZARK, "--rejects", str(tmp_path / name))
        assert result.exit_code == 2
        assert "would be lost" in result.output
    assert file.read_bytes() == content
    with reading() as tx:
        assert tx.execute(select(func.count()).select_from(ImportRun)).scalar_one() == 0


def test_E2_the_audit_names_who_typed_the_command(run: Run, file: Path):
    assert run(str(file), *OZARK).exit_code == 0
    file.write_bytes(written("provider-master", [PRACTITIONER | {"zip_codes": "06010"}]))
    assert run(str(file), *OZARK).exit_code == 0
    with reading() as tx:
        query = select(AuditEvent.type, AuditEvent.actor).where(
            AuditEvent.type.in_(("directory_imported", "provider_changed"))
        )
        who = {(row.type, row.actor) for row in tx.execute(query)}
    assert who == {(kind, f"cli:{getpass.getuser()}") for kind in ("directory_imported", "provider_changed")}


def test_a_full_file_of_letters_makes_no_sense(run: Run, file: Path):
    assert run(str(file), "--format", "pin-letters", "--registry", "ozark", "--full").exit_code == 2


def test_other_formats_are_not_offered(run: Run, file: Path):
    result = run(str(file), "--format", "csv", "--registry", "ozark")
    assert result.exit_code == 2
    assert "is not one of" in result.output


def test_nppes_is_no_registrys_file(run: Run, tmp_path: Path):
    path = tmp_path / "npis.csv"
    path.write_bytes(written("nppes", [PERSON_NPI]))
    result = run(str(path), "--format", "nppes", "--registry", "ozark")
    assert result.exit_code == 2
    assert "leave --registry out" in result.output
    result = run(str(path), "--format", "nppes")
    assert result.exit_code == 0
    assert "Imported: nppes, 1 rows" in result.output
    path.write_text('{"resourceType": "Bundle", "type": "searchset"}')
    for registry, whose in ((("--registry", "ozark"), " of ozark"), ((), "")):
        assert f"Imported: fhir{whose}, 0 rows" in run(str(path), "--format", "fhir", *registry).output
    assert run(str(path), *MASTER).exit_code == 2


@pytest.mark.parametrize(
    ("name", "kind", "counts"),
    [
        ("nppes_sample.csv", "nppes", {"read": 2369, "added": 2369, "rejected": 0}),
        ("fhir_directory_sample.json", "fhir", {"read": 282, "added": 12, "rejected": 117}),
    ],
)
def test_real_national_files_come_in_by_the_command(run: Run, name: str, kind: str, counts: dict[str, int]):
    result = run(str(shared(name)), "--format", kind, "--json")
    assert result.exit_code == (1 if counts["rejected"] else 0)
    told = json.loads(result.stdout)
    assert {each: told[each] for each in counts} == counts
    if counts["rejected"]:
        with Path(told["rejects"]).open() as kept:
            refused = list(csv.DictReader(kept))
        assert {row["reasons"] for row in refused} == {"npi"}
        assert all(
            re.match(r"Entry \d+, (Practitioner|Organization)/\S+: An NPI", row["explanation"]) for row in refused
        )


def test_progress_tells_rows_rate_and_time_left(tmp_path: Path):
    path = tmp_path / "npis.csv"
    path.write_bytes(b"x" * 1000)
    told: list[str] = []
    ticks = iter([0.0, 5.0, 20.0, 21.0, 40.0])
    report = Report("nppes", "*", dry_run=False)
    with path.open("rb", buffering=0) as stream:
        progress = Progress(stream, size=1000, tell=told.append, ticks=lambda: next(ticks))
        for read, position in ((1000, 100), (4000, 250), (5000, 300), (8000, 500)):
            stream.seek(position)
            report.read = read
            progress(report)
    assert told == ["4,000 rows, 200 a second, 25%, 0:01:00 left", "8,000 rows, 200 a second, 50%, 0:00:40 left"]


def test_progress_of_what_ends_is_by_records():
    told: list[str] = []
    ticks = iter([0.0, 100.0, 105.0, 115.0, 140.0])
    report = Report("nppes", "*", dry_run=False, read=9000)
    progress = Progress(BytesIO(b""), size=None, tell=told.append, ticks=lambda: next(ticks))
    for report.leaving, report.ended in ((4000, 0), (4000, 500), (4000, 1000), (4000, 4000)):
        progress(report)
    assert told == [
        "9,000 rows, 0 of 4,000 ended",
        "9,000 rows, 1,000 of 4,000 ended, 0:00:45 left",
        "9,000 rows, 4,000 of 4,000 ended, 0:00:00 left",
    ]


def test_progress_of_standard_input_knows_no_end(tmp_path: Path):
    told: list[str] = []
    report = Report("nppes", "*", dry_run=False, read=4000, rejected=2)
    ticks = iter([0.0, 20.0])
    Progress(BytesIO(b""), size=None, tell=told.append, ticks=lambda: next(ticks))(report)
    assert told == ["4,000 rows, 200 a second, 2 refused"]


@pytest.mark.parametrize(
    ("read", "rejects", "says"),
    [
        (None, "/dev/full", "/dev/full: No space left on device"),
        (None, "taken/rejects.csv", "rejects.csv: Not a directory"),
        ("/proc/self/mem", "rejects.csv", "mem: Input/output error"),
    ],
)
def test_R_28_a_disk_that_is_full_or_broken_is_one_line_and_exit_2(
    run: Run, file: Path, tmp_path: Path, read: str | None, rejects: str, says: str
):
    """The rows before it were taken; what stopped the run stands with it."""
    (tmp_path / "taken").write_bytes(b"")
    file.write_bytes(written("provider-master", [GROUP, PRACTITIONER | {"npi": "1"}]))
    result = run(read or str(file), *OZARK, "--rejects", str(tmp_path / rejects))
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(rf"Error: \S*{says}; what is in stays, run this one again\n", result.stderr), result.stderr
    with reading() as tx:
        assert tx.execute(LAST_OUTCOME).scalar_one_or_none() == (None if rejects.startswith("taken") else "failed")
    assert Path("/dev/full").is_char_device()


def test_rejects_go_into_a_pipe_and_leave_it(run: Run, file: Path, tmp_path: Path):
    os.mkfifo(pipe := tmp_path / "rejects")
    file.write_bytes(written("provider-master", [PRACTITIONER | {"npi": "1"}]))
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as end:
        assert run(str(file), *OZARK, "--rejects", str(pipe)).exit_code == 1
        assert end.read().splitlines()[1].startswith(b"2,123456789,npi,")
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("error", "says", "code"),
    [
        (IntegrityError("COPY", None, Exception("no")), "another import changed the same rows", 2),
        (OperationalError("COPY", None, Exception("no")), "busy or away", 2),
        (KeyboardInterrupt(), "stopped", 130),
    ],
)
def test_R_28_whatever_stops_an_import_says_to_run_it_again(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, says: str, code: int
):
    def refuse(*_arguments: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr("idp.directory.cli.run_import", refuse)
    result = run(str(file), *OZARK)
    assert result.exit_code == code
    assert says in result.output
    assert "run this one again" in result.output
