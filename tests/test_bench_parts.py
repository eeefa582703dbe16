"""Each part of `make bench`, at a size that says nothing: it ends, prints its table, keeps its JSON, and the page is written.

The commands are those that docs/performance.md and docs/directory.md show; `make bench` runs them with their own sizes.
"""

import importlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo

from bench import directory, nppes, page, provider, report, searching
from idp import create_app
from idp.cli import idp
from idp.settings import PROJECT, load
from tests.servers import Postgres, free_port, free_ports

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

FLAGS = {"--postgresql", "--sqlite"}
"""What makes another part of one; a run here has them in its first line."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a part with what it is told, in this process; gives what it kept."""
    results = tmp_path / "results"
    monkeypatch.setattr(report, "RESULTS", results)
    for served in (provider.running, provider.serving, provider.bare):
        monkeypatch.setitem(served.__wrapped__.__kwdefaults__, "workers", 1)  # type: ignore[attr-defined]
    monkeypatch.setattr(page, "RESULTS", results)

    def run(part: str, name: str, *words: str, **smaller: float) -> dict[str, Any]:
        module = importlib.import_module(part)
        for within in (module, *map(importlib.import_module, ("bench.cases", "bench.load", "bench.matching"))):
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
    run("bench.__main__", "served-on-postgresql", "--postgresql", *words)
    page.main()
    written = copies[0].read_text("utf-8")
    assert f"{kept['at'][:10]}, commit {kept['commit']}, 1 rounds" in written
    assert f"SQLite {kept['versions']['SQLite']}" in written
    assert (
        "| authorize with a live session |"
        in written.partition("served-on-postgresql")[2].partition("end of served")[0]
    )
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
    run("bench.directory", "sqlite-directory", "--sqlite", COMPARED_SQLITE=30)


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


@pytest.fixture(scope="module")
def keep() -> Iterator[Path]:
    """A folder with a cluster that stays, where PostgreSQL's own user may pass: pytest's folders are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="credence-bench-"))
    folder.chmod(0o711)
    Postgres(folder=folder / "cluster")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_nppes_on_postgresql(run: Run, monkeypatch: pytest.MonkeyPatch, keep: Path) -> None:
    """Loaded and searched, then searched again. Nobody is served meanwhile and ours is no process: `--sqlite` has both."""
    apart = directory.take_in

    @contextmanager
    def unserved(home: Path, *, port: int, workers: int, **databases: str) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(changed=directory._migrated(home.parent, **databases))

    def take_in(changed: dict[str, Any], rows: int, *, command: tuple[str, ...], beside: object) -> directory.Taken:
        if command == directory.BARE:
            return apart(changed, rows, command=command)
        app = create_app(load(overrides=changed))
        came = CliRunner().invoke(
            idp, command[1:], input=b"".join(nppes.rows(rows)), obj=ScriptInfo(create_app=lambda: app)
        )
        assert came.exit_code == 0, came.output
        return directory.Taken(rows, seconds=1)

    monkeypatch.setattr(directory, "running", unserved)
    monkeypatch.setattr(directory, "take_in", take_in)
    monkeypatch.setattr(directory, "compare_on_sqlite", lambda _folder, _rows: ([], []))
    monkeypatch.setitem(searching.timed.__kwdefaults__, "times", 2)
    monkeypatch.setattr(searching, "DIFFERENT", 8)
    words = ("--rows", "60", "--cluster", str(keep / "cluster"))
    for is_filled, bars in ((False, 3 + 22), (True, 22)):
        monkeypatch.setattr(directory, "is_filled", lambda _folder, told=is_filled: told)
        kept = run("bench.directory", "directory", *words)
        assert kept["peer"].keys() == {"PostgreSQL"}
        assert len(kept["bars"]) == bars


def test_growth_on_postgresql_from_what_was_kept(run: Run, keep: Path) -> None:
    words = ("--scales", "1", "--people", "3", "--seconds", "0.05", "--rounds", "1", "--port", str(free_port()))
    kept = run("bench.growth", "postgresql-growth", "--postgresql", "--keep", str(keep), *words)
    assert kept["peer"].keys() == {"PostgreSQL"}
    assert kept["grants"]["1"] >= 30


def test_every_part_that_a_page_shows_is_run_here_and_by_make_bench_with_its_flags() -> None:
    shown = {
        part
        for path in page.PAGES
        for part in re.findall(r"python -m (bench(?:\.[a-z_]+)?)\b", path.read_text("utf-8"))
    } - {"bench.page"}
    listed = (PROJECT / "Makefile").read_text("utf-8").partition("for part in bench ")[2].partition(";")[0]
    made = [("bench", set[str]()), *map(_flags, re.findall(r'"[^"]+"|bench\.[a-z_]+', listed))]
    assert shown <= {part for part, _ in made}
    runs = re.findall(r'\brun\("(bench\.[a-z_]+)"([^\n]*)', Path(__file__).read_text("utf-8"))
    here = [(part.removesuffix(".__main__"), set(re.findall(r'"(--[a-z]+)"', words))) for part, words in runs]
    for part, flags in made:
        alike = [found for found in here if found[0] == part and found[1] & FLAGS == flags]
        assert alike, f"no test here runs {part} with {flags or 'no flag'}"


def _flags(command: str) -> tuple[str, set[str]]:
    """A part as the Makefile names it, and what is said to it; how much it measures is left out."""
    part, *words = command.strip('"').split()
    flags = {word for word in words if word.startswith("--")} - {"--rows"}
    assert flags <= FLAGS
    return part, flags
