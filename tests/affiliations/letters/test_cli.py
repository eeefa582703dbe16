"""`idp pin-letters issue`: what it prints, makes and refuses, and what is left when it dies half-way."""

import csv
import json
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import text

from idp.affiliations.letters import service
from idp.affiliations.letters.cli import pin_letters
from idp.affiliations.letters.files import Files
from idp.affiliations.pins import service as pins
from idp.affiliations.pins.service import PinProof
from idp.audit.models import AuditEvent
from idp.directory.letters import service as letters
from idp.directory.models import PinLetter, Provider
from idp.foundation.artefacts import Artefact
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.migrations.tables import metadata
from idp.relying_parties import service as relying_parties
from idp.vocabulary.secret import Secret
from tests.conftest import Hands
from tests.factories import Make

pytestmark = pytest.mark.both
Run = Callable[..., Result]
REGISTER = {"title": {"en": "Account Setup", "es": "Crear cuenta"}, "steps": ["pin_letter", "create_account"]}


@pytest.fixture
def run(app: Flask, make: Make) -> Run:
    make.client(
        "cascade-mmis", portal={"registry": "heartland", "acting_for": ["provider"]}, enrollment={"register": REGISTER}
    )
    make.client("carebridge-provider", portal={"registry": "heartland"})

    def invoke(*arguments: str, given: bytes | str | None = None) -> Result:
        return CliRunner().invoke(pin_letters, ["issue", *arguments], input=given)

    return invoke


@pytest.fixture
def inez(make: Make) -> Provider:
    return make.provider("048215", legal_name="Inés Halvorsen")


def rows_of(folder: Path) -> list[dict[str, str]]:
    (file,) = folder.glob("*.csv")
    return list(csv.DictReader(file.open(encoding="utf-8")))


def accepted(hands: Hands, provider: Provider, pin: str) -> bool:
    party = relying_parties.find("cascade-mmis", now=hands.now)
    assert party is not None
    with writing() as tx:
        found = pins.check_pin(
            tx,
            party=party,
            provider_id=provider.provider_id,
            pin=Secret(pin),
            origin=Origin.local("test"),
            now=hands.now,
        )
    return isinstance(found, PinProof)


def test_D2_a_letter_is_printed_and_its_pin_is_good(run: Run, inez: Provider, hands: Hands, tmp_path: Path):
    out = tmp_path / "letters"
    result = run("--provider", "048215", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "Issued: 1 letter for cascade-mmis" in result.output
    (row,) = rows_of(out)
    assert row["login_id"] == "048215"
    assert row["enrollment_url"] == "https://credence.test/enroll/cascade-mmis/register/"
    assert accepted(hands, inez, row["pin"])
    assert not accepted(hands, inez, row["pin"].swapcase())
    (pdf,) = out.glob("*.pdf")
    assert pdf.read_bytes().startswith(b"%PDF-")


def test_EN_02_a_new_letter_ends_the_older_one_and_says_so(run: Run, inez: Provider, hands: Hands, tmp_path: Path):
    run("--provider", "048215", "--out", str(tmp_path / "a"))
    result = run("--provider", "048215", "--out", str(tmp_path / "b"))
    assert "048215: an older letter was open; its PIN no longer works" in result.output
    assert not accepted(hands, inez, rows_of(tmp_path / "a")[0]["pin"])
    assert accepted(hands, inez, rows_of(tmp_path / "b")[0]["pin"])


def test_EN_02_a_pin_is_refused_on_day_22(run: Run, inez: Provider, hands: Hands, tmp_path: Path):
    run("--provider", "048215", "--out", str(tmp_path))
    pin = rows_of(tmp_path)[0]["pin"]
    hands.forward(days=21)
    assert accepted(hands, inez, pin)
    hands.forward(days=1)
    assert not accepted(hands, inez, pin)


def test_files_are_for_their_owner_only_and_nothing_is_overwritten(run: Run, inez: Provider, tmp_path: Path):
    before = os.umask(0)
    try:
        for _ in range(2):
            assert run("--provider", "048215", "--out", str(tmp_path / "out")).exit_code == 0
    finally:
        os.umask(before)
    files = list((tmp_path / "out").iterdir())
    assert len(files) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_the_pin_is_nowhere_but_in_the_files(
    run: Run, inez: Provider, tmp_path: Path, caplog: pytest.LogCaptureFixture, tx
):
    caplog.set_level(logging.DEBUG)
    results = [
        run("--provider", "048215", "--out", str(tmp_path / str(n)), *more) for n, more in enumerate(((), ("--json",)))
    ]
    pins = [rows_of(tmp_path / str(n))[0]["pin"] for n in range(2)]
    kept = "".join(str(tuple(row)) for name in metadata().tables for row in tx.execute(text(f'SELECT * FROM "{name}"')))
    for pin in pins:
        assert pin not in kept
        assert pin not in caplog.text
        assert not any(pin in result.output for result in results)


def test_a_list_is_judged_line_by_line(run: Run, inez: Provider, make: Make, tmp_path: Path):
    make.provider("111111", status="terminated", end_date=inez.effective_date)
    listed = "provider_id,street,city\n048215,400 Lantern Way,Salem\n111111,,\n999999,,\n666025841x,,\n048215,,\n"
    result = run("--csv", "-", "--out", str(tmp_path), "--json", given=listed)
    assert result.exit_code == 1
    said = json.loads(result.output)
    assert [each["provider_id"] for each in said["letters"]] == ["048215"]
    assert [(each["line"], each["provider_id"], each["reason"]) for each in said["refused"]] == [
        (3, "111111", "not_in_force"), (4, "999999", "unknown"), (5, "", "malformed"), (6, "048215", "twice"),
    ]  # fmt: skip
    assert "666025841x" not in result.output
    assert (said["portal"], said["registry"]) == ("cascade-mmis", "heartland")
    assert (said["issued_on"], said["expires_on"]) == ("2026-03-02", "2026-03-23")
    assert rows_of(tmp_path)[0]["street"] == "400 Lantern Way"
    assert [str(path) for path in sorted(tmp_path.iterdir())] == sorted(said["files"])


def test_a_dry_run_makes_nothing(run: Run, inez: Provider, make: Make, tmp_path: Path):
    result = run("--provider", "048215", "--provider", "999999", "--out", str(tmp_path / "out"), "--dry-run")
    assert result.exit_code == 1
    assert "Would issue: 1 letter" in result.output
    assert "line 2, 999999" in result.output
    assert not (tmp_path / "out").exists()
    assert make.rows(PinLetter) == make.rows(Artefact) == make.rows(AuditEvent) == []


def test_a_portal_without_the_step_or_of_another_registry_is_refused(run: Run, inez: Provider, tmp_path: Path):
    for arguments in (("--portal", "carebridge-provider"), ("--portal", "no-such"), ("--registry", "ozark")):
        result = run("--provider", "048215", "--out", str(tmp_path / "out"), *arguments)
        assert result.exit_code == 2, result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("listed", "what"),
    [
        (b"", "empty"),
        (b"provider_id\n", "1 to 500"),
        (b"number\n048215\n", "provider_id"),
        (b"provider_id,name\n048215,x\n", "street"),
        (b"provider_id\n\xff\xfe\n", "UTF-8"),
        (b"provider_id\n" + b"048215\n" * 501, "1 to 500"),
        (b"x" * 1024 * 1024 + b"x", "larger"),
    ],
)
def test_a_list_that_is_none_is_refused_whole(run: Run, make: Make, tmp_path: Path, listed: bytes, what: str):
    result = run("--csv", "-", "--out", str(tmp_path / "out"), given=listed)
    assert result.exit_code == 2
    assert what in result.output
    assert make.rows(PinLetter) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--out", "x"), ("--provider", "048215"), ("--provider", "048215", "--csv", "-", "--out", "x"),
        ("--provider", "048215", "--out", "x", "--days", "0"), ("--provider", "048215", "--out", "x", "--days", "91"),
        ("--provider", "048215", "--out", "x", "--language", "fr"), ("--csv", "/no/such/list", "--out", "x"),
    ],
)  # fmt: skip
def test_a_command_that_makes_no_sense_ends_with_2(run: Run, arguments: tuple[str, ...]):
    assert run(*arguments).exit_code == 2


def test_a_folder_that_cannot_be_written_issues_nothing(run: Run, inez: Provider, make: Make, tmp_path: Path):
    result = run("--provider", "048215", "--out", str(tmp_path / "no" / "such"))
    assert result.exit_code == 2
    assert "nothing was issued" in result.output
    assert make.rows(PinLetter) == []


def fails(*_args: Any, **_named: Any) -> Any:
    raise RuntimeError("killed here")


def test_killed_before_the_commit_no_pin_is_good_and_no_file_stays(
    run: Run, inez: Provider, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(letters.audit, "append", fails)
    assert isinstance(run("--provider", "048215", "--out", str(tmp_path)).exception, RuntimeError)
    assert list(tmp_path.iterdir()) == []
    assert make.rows(PinLetter) == make.rows(Artefact) == []


def test_killed_after_the_commit_the_pins_are_whole_and_the_next_run_says_so(
    run: Run, inez: Provider, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patched:
        patched.setattr(Files, "name", fails)
        run("--provider", "048215", "--out", str(tmp_path))
    parts = sorted(tmp_path.iterdir())
    assert [part.suffix for part in parts] == [".part", ".part"]
    pin = next(csv.DictReader(parts[0].open(encoding="utf-8")))["pin"]
    assert accepted(hands, inez, pin)
    result = run("--provider", "999999", "--out", str(tmp_path))
    assert result.output.count("its PINs are good; give it the name") == 2


def test_files_of_a_batch_that_never_was_are_told_apart(run: Run, inez: Provider, tmp_path: Path):
    run("--provider", "048215", "--out", str(tmp_path))
    (file,) = tmp_path.glob("*.csv")
    stray = file.with_name(file.name[:-40] + "01990000-0000-7000-8000-0000deadbeef.csv.part")
    stray.write_text("x")
    assert (
        f"{stray}: left by a run that was stopped; its PINs are good for nothing"
        in run("--provider", "999999", "--out", str(tmp_path)).output
    )


def test_a_commit_whose_answer_was_lost_is_looked_up(
    run: Run, inez: Provider, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from contextlib import contextmanager

    plain = service.writing

    @contextmanager
    def loses_its_answer():
        with plain() as tx:
            yield tx
        raise RuntimeError("connection lost after COMMIT")

    monkeypatch.setattr(service, "writing", loses_its_answer)
    assert run("--provider", "048215", "--out", str(tmp_path)).exit_code == 0
    assert accepted(hands, inez, rows_of(tmp_path)[0]["pin"])
