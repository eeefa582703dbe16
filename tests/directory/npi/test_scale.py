"""Many rows: taken in within a bounded memory."""

import os
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bench.nppes import rows, stream
from idp.directory import service
from idp.directory.imports.run import Report
from idp.directory.imports.service import run_import
from idp.directory.rules import NATIONAL
from idp.foundation.origin import Origin

MANY = 200_000


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
