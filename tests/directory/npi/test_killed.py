"""An import killed inside a transaction: what was committed stays whole, and the same command again does the rest."""

import csv
import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.nppes import rows
from idp.audit.models import AuditEvent
from idp.directory.cli import directory
from idp.directory.imports import service
from idp.directory.imports.run import Run
from idp.directory.models import (
    Engagement,
    ImportReject,
    ImportRun,
    NpiRecord,
    NpiWord,
    Practice,
    Provider,
    ProviderWord,
    TradingPartner,
)
from idp.foundation.database import Model, db, reading
from idp.settings import PROJECT, Settings
from tests.directory.files import PARTNER, PRACTITIONER, taken, written
from tests.directory.npi.test_import import bundle, practitioner

KILLED = """
import sys
from idp.cli import main
from tests.directory.npi.test_killed import fatal
fatal(int(sys.argv.pop(1)))
main()
"""
IMPORT = ("--format", "nppes", "--json")
MASTER = ("--format", "provider-master", "--registry", "ozark", "--json")


@pytest.fixture
def environment(app: object, settings: Settings, tmp_path: Path) -> dict[str, str]:
    """Of a process with the same database."""
    named = ("mode", "issuer", "database_url", "keys_dir", "smtp_url", "smtp_from")
    given = {f"IDP_{name.upper()}": str(value) for name in named if (value := getattr(settings, name)) is not None}
    return os.environ | given | {"IDP_DATA_DIR": str(tmp_path)}


def killed(*given: str, batch: int) -> None:
    """The command in a fork of this process, with connections of its own."""
    db.engine.dispose()
    if not (child := os.fork()):
        signal.alarm(60)
        try:
            fatal(batch)
            directory.main(["import", *given], standalone_mode=False)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def fatal(last: int) -> None:
    """All of that batch is written and nothing of it is committed when the process is gone."""
    tell, batches = service.tell, []

    def told(tx: Session, run: Run) -> None:
        tell(tx, run)
        batches.append(tx)
        if len(batches) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    service.tell = told


def done(file: Path, *more: str, code: int = 0, what: tuple[str, ...] = IMPORT) -> dict[str, Any]:
    ended = CliRunner().invoke(directory, ["import", str(file), *what, *more])
    assert ended.exit_code == code, ended.output
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def standing() -> dict[str, int]:
    """How many records of each status."""
    with reading() as tx:
        query = select(NpiRecord.status, func.count()).group_by(NpiRecord.status)
        return dict(map(tuple, tx.execute(query)))  # type: ignore[arg-type]


def runs() -> list[tuple[int, bool, list[int]]]:
    """Of each run, by the lines it has read: how many, whether it is finished, and the lines refused."""
    with reading() as tx:
        found = tx.execute(select(ImportRun)).scalars().all()
        refused = tx.execute(select(ImportReject).order_by(ImportReject.number)).scalars().all()
    return sorted(
        (run.counts["read"], run.finished_at is not None, [each.line for each in refused if each.run_id == run.id])
        for run in found
    )


@pytest.mark.both
def test_killed_inside_a_batch_it_has_none_of_it_and_the_rejects_are_complete_after_the_next(
    app: object, tmp_path: Path
):
    lines = b"".join(rows(2_500)).splitlines(keepends=True)
    wrong = b'"1234567890",' + lines[1].partition(b",")[2]
    lines[500:500] = lines[1700:1700] = [wrong]
    file = tmp_path / "npis.csv"
    file.write_bytes(b"".join(lines))
    killed(str(file), *IMPORT, batch=2)
    whole = sum(standing().values())
    assert whole == 999
    assert runs() == [(1000, False, [501])]
    report = done(file, code=1)
    assert (report["unchanged"], report["added"], report["rejected"]) == (999, 2_500 - 999, 2)
    assert runs() == [(1000, False, [501]), (2_502, True, [501, 1701])]
    with Path(report["rejects"]).open() as kept:
        assert [row["line"] for row in csv.DictReader(kept)] == ["501", "1701"]
    with reading() as tx:
        named = select(func.count()).select_from(NpiRecord).where(NpiRecord.name_key != "")
        assert tx.execute(named).scalar_one() == tx.execute(select(func.count(NpiWord.npi.distinct()))).scalar_one()


@pytest.mark.both
def test_killed_in_the_midst_of_a_full_files_ending_the_next_ends_the_rest(app: object, tmp_path: Path):
    file, smaller = tmp_path / "npis.csv", tmp_path / "smaller.csv"
    file.write_bytes(b"".join(rows(2_500)))
    smaller.write_bytes(b"".join(rows(300)))
    assert done(file)["added"] == 2_500
    off = standing()["deactivated"]
    killed(str(smaller), *IMPORT, "--full", "--yes", batch=3)
    assert standing()["left"] == 1_000
    assert [each[:2] for each in runs()] == [(300, False), (2_500, True)]
    ending = done(smaller, "--full", "--yes")
    left = standing()["left"]
    assert (ending["ended"], ending["unchanged"], ending["changed"]) == (left - 1_000, 300, 0)
    assert standing() == {"active": 2_500 - left - off, "left": left, "deactivated": off}


@pytest.mark.postgres
def test_a_roster_that_came_through_a_pipe_and_was_killed_in_a_batch_is_whole_after_the_next(
    environment: dict[str, str], tmp_path: Path
):
    """Every record with its practice and its words, those of the batch that was lost none twice."""
    lines = [
        PRACTITIONER | {"provider_id": f"{number:09}", "tin": f"9{number % 400:08}", "legal_name": f"Word{number} Roos"}
        for number in range(1_100)
    ]
    file = tmp_path / "roster.csv"
    file.write_bytes(content := written("provider-master", lines))
    command = [sys.executable, "-c", KILLED, "2", "directory", "import", "-", *MASTER]
    ended = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, input=content)  # noqa: PLW1510
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert rows_of(Provider, Practice, ProviderWord) == [1_000, 400, 2_000]
    report = done(file, what=MASTER)
    assert (report["added"], report["unchanged"], report["notes"]["practices_made"]) == (100, 1_000, 0)
    assert rows_of(Provider, Practice, ProviderWord) == [1_100, 400, 2_200]
    assert runs() == [(1_000, False, []), (1_100, True, [])]


PARTNERS = ("--format", "trading-partners", "--registry", "ozark", "--json")
BUNDLE = ("--format", "fhir", "--json")


@pytest.mark.both
def test_partners_killed_in_a_batch_and_in_a_full_files_ending_are_whole_after_the_next(
    app: object, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each with its engagement, and told once of its end."""
    taken([PRACTITIONER], now=now)
    monkeypatch.setattr(service, "BATCH", 2)
    lines = [PARTNER | {"trading_partner_id": f"TP{number:06}"} for number in range(5)]
    file, smaller = tmp_path / "partners.csv", tmp_path / "smaller.csv"
    file.write_bytes(written("trading-partners", lines))
    smaller.write_bytes(written("trading-partners", lines[:1]))
    killed(str(file), *PARTNERS, batch=2)
    assert rows_of(TradingPartner, Engagement) == [2, 2]
    report = done(file, what=PARTNERS)
    assert (report["added"], report["unchanged"], rows_of(TradingPartner, Engagement)) == (3, 2, [5, 5])
    killed(str(smaller), *PARTNERS, "--full", "--yes", batch=3)
    assert done(smaller, "--full", "--yes", what=PARTNERS)["ended"] == 2
    with reading() as tx:
        ended = select(AuditEvent.target_id).where(AuditEvent.type == "trading_partner_changed")
        assert len(told := tx.execute(ended).scalars().all()) == len(set(told)) == 4


@pytest.mark.both
def test_a_bundle_killed_in_a_batch_is_whole_after_the_next(
    app: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "BATCH", 2)
    npis = [f"{core}{digit}" for core in range(123456700, 123456705) for digit in range(10)]
    (file := tmp_path / "bundle.json").write_bytes(bundle(*(practitioner(npi) for npi in npis)))
    killed(str(file), *BUNDLE, batch=10)
    before, refused = rows_of(NpiRecord, ImportReject)
    assert before + refused == 18
    report = done(file, code=1, what=BUNDLE)
    assert (report["added"], report["unchanged"], report["rejected"]) == (5 - before, before, 45)
    assert rows_of(NpiRecord, NpiWord, ImportReject) == [5, 10, refused + 45]


def rows_of(*models: type[Model]) -> list[int]:
    with reading() as tx:
        return [tx.execute(select(func.count()).select_from(model)).scalar_one() for model in models]
