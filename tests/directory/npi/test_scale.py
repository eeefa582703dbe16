"""Many rows: taken in within a bounded memory, and after a kill at any row taken up again."""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.nppes import rows, stream
from idp.directory import service
from idp.directory.imports.run import Report
from idp.directory.imports.service import run_import
from idp.directory.models import ImportRun, NpiRecord, NpiWord
from idp.directory.rules import NATIONAL
from idp.foundation.database import Model, reading
from idp.foundation.origin import Origin
from idp.settings import PROJECT, Settings
from tests.servers import until

MANY = 200_000


def count(model: type[Model]) -> int:
    with reading() as tx:
        return tx.execute(select(func.count()).select_from(model)).scalar_one()


def resident_mib() -> float:
    """What this process holds now: its peak would hide whatever an earlier test has needed already."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.both
@pytest.mark.usefixtures("app")
def test_two_hundred_thousand_rows_are_taken_in_within_bounded_memory(now: datetime, tx: Session):
    """What grows with the file is a bit for each NPI; the eight million of `make bench` need as much."""
    tx.rollback()
    batches: list[int] = []
    resident = [resident_mib()]

    def told(progress: Report) -> None:
        batches.append(progress.read)
        resident.append(resident_mib())

    report = run_import(
        stream(MANY), name="npis.csv", format_name="nppes", registry=NATIONAL, now=now, actor="system",
        origin=Origin.local("test"), progress=told,
    )  # fmt: skip
    assert (report.read, report.added, report.rejected) == (MANY, MANY, 0)
    assert batches == list(range(1000, MANY + 1, 1000))
    assert max(resident) - resident[0] < 200
    found = service.search_npi(tx, "john smith").records
    assert found
    assert all("JOHN" in each.name and "SMITH" in each.name for each in found)


def test_the_generator_makes_the_same_distinct_rows_every_time():
    once = b"".join(rows(2_000)).splitlines()
    assert once == b"".join(rows(2_000)).splitlines()
    assert once[1001:] == b"".join(rows(1_000, first=1_000)).splitlines()[1:]
    assert len({line.split(b",", 1)[0] for line in once}) == 2_001


@pytest.mark.both
def test_an_import_killed_at_any_row_is_taken_up_again(app: object, settings: Settings, tmp_path: Path):
    file = tmp_path / "npis.csv"
    file.write_bytes(b"".join(rows(6_000)))
    environment = os.environ | {
        f"IDP_{name.upper()}": str(value)
        for name in ("mode", "issuer", "database_url", "keys_dir", "smtp_url", "smtp_from")
        if (value := getattr(settings, name)) is not None
    } | {"IDP_DATA_DIR": str(tmp_path)}  # fmt: skip
    command = [sys.executable, "-m", "idp", "directory", "import", "-", "--format", "nppes", "--json"]
    content = file.read_bytes()
    victim = subprocess.Popen(command, cwd=PROJECT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert victim.stdin is not None
    victim.stdin.write(content[: int(len(content) * 0.6)])
    victim.stdin.flush()
    _until_some_are_in(2_000)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    taken = count(NpiRecord)
    assert taken % 1000 == 0
    assert 0 < taken < 6_000
    done = subprocess.run([*command[:-4], str(file), *command[-3:]], cwd=PROJECT, env=environment, capture_output=True)  # noqa: PLW1510
    report = json.loads(done.stdout)
    assert (done.returncode, report["unchanged"], report["added"]) == (0, taken, 6_000 - taken)
    assert count(NpiRecord) == 6_000
    with reading() as tx:
        finished = list(tx.execute(select(ImportRun.finished_at).order_by(ImportRun.id)).scalars())
        named = select(func.count()).select_from(NpiRecord).where(NpiRecord.name_key != "")
        found = select(func.count(NpiWord.npi.distinct()))
        assert tx.execute(named).scalar_one() == tx.execute(found).scalar_one()
    assert [each is None for each in finished] == [True, False]


def _until_some_are_in(wanted: int) -> None:
    """The process commits a thousand at a time; it is killed while it waits for more."""
    until(lambda: count(NpiRecord) >= wanted, seconds=60, what="the import takes nothing in")
