"""Each part of `make bench`, at a size that says nothing: it ends, prints its table, keeps its JSON, and the page is written.

The commands are those that docs/performance.md and docs/directory.md show; `make bench` runs them with their own sizes.
"""

import importlib
import io
import json
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench import bare_import, directory, nppes, page, provider, report, searching
from idp.directory.imports.npi.formats import Nppes
from idp.directory.imports.npi.rules import NpiRow
from idp.settings import PROJECT
from tests.servers import OWNER, Postgres, free_port, free_ports

pytestmark = pytest.mark.timeout(240)
Run = Callable[..., dict[str, Any]]
COUNTED = {
    "ROUNDS": 1,
    "TIMES": 2,
    "RULES": 2,
    "MANY": 3,
    "SIGN_INS": 2,
    "KNOWN": 2,
    "FEWEST": 2,
    "CODES": 4,
    "WARM_UP": 0.02,
}
"""The sizes that are constants; whatever a part has of them is made small."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a part with what it is told, in this process; gives what it kept."""
    results = tmp_path / "results"
    monkeypatch.setattr(report, "RESULTS", results)
    for served in (provider.running, provider.bare):
        monkeypatch.setitem(served.__wrapped__.__kwdefaults__, "workers", 1)  # type: ignore[attr-defined]
    monkeypatch.setattr(page, "RESULTS", results)

    def run(part: str, name: str, *words: str, **smaller: float) -> dict[str, Any]:
        module = importlib.import_module(part)
        for within in (module, importlib.import_module("bench.cases"), importlib.import_module("bench.load")):
            for constant, value in {**COUNTED, **smaller}.items():
                if hasattr(within, constant):
                    monkeypatch.setattr(within, constant, value)
        monkeypatch.setattr(sys, "argv", [part, *words])
        module.main()
        kept = page.newest(name)
        assert kept is not None
        assert kept["cases"] or kept["figures"]
        printed = capsys.readouterr().out
        assert all(each in printed for each in (*kept["cases"], *(figure["what"] for figure in kept["figures"])))
        assert {"SQLite", "granian"} <= kept["versions"].keys()
        return kept

    return run


def test_what_runs_in_one_process(run: Run) -> None:
    run("bench.passkeys", "passkeys")
    run("bench.matching", "matching")
    run("bench.second_factors", "second-factors")


def test_managing_on_both_databases_names_the_server(run: Run) -> None:
    kept = run("bench.managing", "managing-on-postgresql", "--people", "20")
    assert kept["peer"].keys() == {"PostgreSQL"}
    assert page.newest("managing-on-sqlite")


def test_the_hot_paths_beside_bare_and_peer(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And the page is written from what was kept, between its marks."""
    copies = [Path(shutil.copy(path, tmp_path)) for path in page.PAGES]
    monkeypatch.setattr(page, "PAGES", copies)
    words = ("--seconds", "0.05", "--rounds", "1", "--port", str(free_ports(3)))
    kept = run("bench.__main__", "hot-paths", *words, PEER_WARM_UP=0.05)
    assert {"refresh", "sign-in to tokens, with argon2id"} <= kept["cases"].keys()
    assert all(bar["measured"] > 0 for bar in kept["bars"])
    run("bench.__main__", "served-on-postgresql", "--postgresql", "--only", "UserInfo", *words)
    page.main()
    written = copies[0].read_text("utf-8")
    assert f"{kept['at'][:10]}, commit {kept['commit']}, 1 rounds" in written
    assert f"SQLite {kept['versions']['SQLite']}" in written
    assert "| UserInfo |" in written.partition("served-on-postgresql")[2].partition("end of served")[0]
    assert re.search(r"SQLite [0-9.]+, PostgreSQL \d", written)


def test_growth(run: Run) -> None:
    words = ("--scales", "1", "--people", "3", "--seconds", "0.05", "--rounds", "1", "--port", str(free_port()))
    assert run("bench.growth", "growth", *words)["grants"]["1"] >= 30


def test_a_purge_while_people_sign_in(run: Run) -> None:
    purged = run("bench.purging", "purge", "--expired", "5", "--port", str(free_port()))
    assert [bar["met"] for bar in purged["bars"]] == [True, True]


def test_a_second_node(run: Run) -> None:
    kept = run("bench.revoking", "revoking", "--port", str(free_ports(2)), PEOPLE=1, REFUSALS=1)
    assert [bar["met"] for bar in kept["bars"]] == [True]


@pytest.mark.soak
def test_nppes_on_sqlite(run: Run) -> None:
    run("bench.directory", "directory", "--sqlite", COMPARED_SQLITE=30)


def test_an_import_that_stalls_others_does_not_hold_its_bars() -> None:
    """One wait too long on PostgreSQL, one in fifty on SQLite, and nobody answered at all."""
    for waits, sqlite, met in (
        ([20.0] * 99 + [999.0], False, [True, True]),
        ([20.0] * 99 + [1001.0], False, [True, False]),
        ([20.0] * 98 + [499.0] * 2, True, [True, True, True]),
        ([20.0] * 98 + [501.0] * 2, True, [True, True, False]),
        ([20.0] * 999 + [2001.0], True, [True, False, True]),
        ([], True, [True, False, False]),
    ):
        taken = directory.Taken(1, waits_ms=waits)
        assert [bar.met for bar in taken.bars("ours", sqlite=sqlite)] == met, waits[-2:]


def test_searches_of_a_kept_cluster(
    run: Run, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The tests' own cluster stands for it, with a few rows in the database that is searched."""
    postgres.create_database(directory.WHOLE)
    try:
        directory._migrated(tmp_path, **directory._urls(postgres, directory.WHOLE))
        lines = Nppes().read(io.BytesIO(b"".join(nppes.rows(60))), name="few")
        rows = [row for line in lines if isinstance(row := Nppes().parse(line.cells), NpiRow)]
        bare_import._postgresql(postgres.url(OWNER, directory.WHOLE), rows, datetime.now(UTC))
        monkeypatch.setattr(directory, "_cluster", lambda _folder: nullcontext(postgres))
        monkeypatch.setattr(directory, "is_filled", lambda _folder: True)
        monkeypatch.setattr(searching, "ASKED", 2)
        monkeypatch.setattr(searching, "DIFFERENT", 8)
        kept = run("bench.directory", "directory", "--rows", str(len(rows)), "--cluster", str(tmp_path))
        assert kept["peer"].keys() == {"PostgreSQL"}
        assert len(kept["bars"]) == 22
    finally:
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {directory.WHOLE} WITH (FORCE)")


def test_every_part_that_a_page_shows_is_run_here_and_by_make_bench() -> None:
    shown = {
        part
        for path in page.PAGES
        for part in re.findall(r"python -m (bench(?:\.[a-z_]+)?)\b", path.read_text("utf-8"))
    } - {"bench.page"}
    made = (PROJECT / "Makefile").read_text("utf-8").partition("\nbench:")[2].partition("\nsoak:")[0]
    parts = {name.strip('"') for name in re.findall(r"\bbench(?:\.[a-z_]+)?\b", made.partition("\n")[2])}
    here = Path(__file__).read_text("utf-8")
    assert shown <= parts
    for part in parts - {"bench.page", "bench"}:
        assert f'run("{part}"' in here, part
    assert json.dumps("bench.__main__") in here
