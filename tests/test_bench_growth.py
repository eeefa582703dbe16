"""What the growth bench keeps, and whose CPU it counts; no server runs here."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import cpu, grown, growth, load, people, provider
from bench.flow import Client
from bench.provider import Provider

PORTAL, APP = (
    Client("portal", "one", "http://localhost:1/callback"),
    Client("app", "two", "http://localhost:1/callback"),
)


class Files:
    """Databases that are only names."""

    kind = "files"
    pids: tuple[int, ...] = ()
    versions: Mapping[str, str] = {}

    def make(self, name: str) -> dict[str, str]:
        return {}

    def grow(self, name: str, folder: Path, *, people: int) -> int:
        (folder / "grown").write_text(str(people))
        return people * 10

    def copy(self, name: str, to: str) -> dict[str, str]:
        return {"database_url": to}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was started: `made` fills a folder, `served` takes one as it is."""
    seen: list[str] = []

    @contextmanager
    def running(folder: Path, *, port: int, **_: str) -> Iterator[Provider]:
        seen.append("made")
        folder.mkdir()
        yield Provider(port, 0, PORTAL, APP, {})

    @contextmanager
    def serving(folder: Path, clients: Any, *, port: int, databases: dict[str, str]) -> Iterator[Provider]:
        seen.append(f"served {(folder / 'grown').read_text()}")
        assert (clients, databases) == ((PORTAL, APP), {"database_url": "run_10"})
        (folder / "grown").write_text("changed by who used it")
        yield Provider(port, 0, clients[0], clients[1], {})

    monkeypatch.setattr(provider, "running", running)
    monkeypatch.setattr(provider, "serving", serving)
    monkeypatch.setattr(grown, "cases", lambda *_, **__: {})
    monkeypatch.setattr(grown, "make_families", lambda *_: None)
    return seen


def test_what_is_kept_is_made_once_and_each_run_has_a_copy(
    started: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs = iter(range(10))

    def run(count: int = 3, keep: Path | None = tmp_path / "kept") -> int:
        folder = tmp_path / f"run-{next(runs)}"
        folder.mkdir()
        with ExitStack() as stack:
            return grown.served(stack, Files(), folder, times=10, people=count, port=1, keep=keep).grants

    assert [run(), run()] == [30, 30]
    assert started == ["made", "served 3", "served 3"], "made once; the second run has what the first had"
    assert run(4) == 40
    assert started[3:] == ["made", "served 4"], "another size"
    made = tmp_path / "kept" / "files-10" / grown.MADE
    assert made.parent.stat().st_mode & 0o077 == 0, "secrets of clients lie there"
    made.write_text(json.dumps(json.loads(made.read_text()) | {"at": time.time() - grown.WEEK - 1}))
    run(4)
    assert started[5:] == ["made", "served 4"], "older than a week"
    made.unlink()
    run(4)
    assert started[7:] == ["made", "served 4"], "broken off"
    monkeypatch.setattr(grown, "MANIFESTS", tmp_path / "nothing")
    run(4)
    assert started[9:] == ["made", "served 4"], "made by something else"
    run(4, keep=None)
    assert started[11:] == ["made"], "for this run alone"


def test_the_cpu_of_a_database_is_counted_with_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([1.0, 1.5])
    monkeypatch.setattr(load, "seconds_of_tree", lambda *pids: next(used) * len(pids))
    monkeypatch.setattr(load, "_run", lambda *_: ([0.1] * 10, 0))
    case = load.fixed(load.Request("GET", "/"))
    assert load.measure(0, 1, case, seconds=0, also=(2, 3)).cpu_us == pytest.approx(3 * 0.5 / 10 * 1e6)


def test_the_clock_of_a_process_is_finer_than_a_tick() -> None:
    own = [cpu.seconds_of_tree(os.getpid()) for _ in range(5)]
    assert own == sorted(own)
    assert any(round(each, 2) != each for each in own)
    assert cpu.seconds_of_tree(2**22 + 1) == 0.0, "gone"


def test_what_a_child_used_is_not_lost_when_it_ends() -> None:
    """As the process of a database's connection, which may be closed in a slice."""
    program = "import time\nwhile time.process_time() < 0.1: pass\nprint(flush=True)\ninput()"
    words = [sys.executable, "-c", program]
    before = cpu.seconds_of_tree(os.getpid())
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert cpu.seconds_of_tree(os.getpid()) - before > 0.09
    assert cpu.seconds_of_tree(os.getpid()) - before > 0.09


def test_everybody_signs_in_before_a_known_browser_is_measured() -> None:
    whole = load.Case(lambda *_: None, least=48)
    assert growth._short(whole, everybody=True).least == people.COUNT
    assert growth._short(whole, everybody=False).least == growth.SIGN_INS
    assert growth._short(load.Case(whole.act, size=500), everybody=False).size == growth.CODES
