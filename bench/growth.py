"""What growth costs: the hot paths with 1, 10 and 100 times the people, side by side; then a purge while people sign in.

Three servers run at once, each on a database of its own size, and are measured in turns: what disturbs one disturbs all.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from bench import growing, report
from bench.cases import CLIENT_CREDENTIALS, SIGN_IN, Pair, cases, sign_ins
from bench.load import Case, Figures, measure
from bench.provider import Provider, environment_of, running
from bench.report import Bar, Outcome
from idp.settings import PROJECT

PATHS: Final = (
    CLIENT_CREDENTIALS, "UserInfo", "introspection", "authorize with a live session", "code exchange", "refresh", SIGN_IN,
)  # fmt: skip
A_DECADE: Final = 1.10
"""A hot path's CPU may grow by a tenth while everything grows tenfold."""
EXPIRED: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Grown:
    """A server, and how much lies in its database."""

    times: int
    provider: Provider
    paths: Mapping[str, Pair]
    grants: int


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=8930)
    parser.add_argument("--scales", default="1,10,100")
    parser.add_argument("--expired", type=int, default=EXPIRED)
    asked = parser.parse_args()
    scales = [int(scale) for scale in asked.scales.split(",")]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = [
            _grown(stack, Path(folder) / str(times), times=times, port=asked.port + number)
            for number, times in enumerate(scales)
        ]
        taken = _rounds(servers, rounds=asked.rounds, seconds=asked.seconds)
    outcomes, bars = _compared(servers, taken)
    with tempfile.TemporaryDirectory() as folder:
        purged, bar = purge(Path(folder) / "data", port=asked.port, expired=asked.expired)
    bars.append(bar)
    print(report.table(outcomes))
    print("\n".join(f"{name}: {told}" for name, told in purged.items()))
    print("\n".join(str(each) for each in bars))
    grants = {str(server.times): server.grants for server in servers}
    print(f"kept: {report.keep('growth', outcomes, bars, grants=grants, purge=purged)}")


def _grown(stack: ExitStack, folder: Path, *, times: int, port: int) -> Grown:
    folder.mkdir()
    provider = stack.enter_context(running(folder / "data", port=port))
    paths = cases(provider, bare_port=0)
    _warmed(provider, paths)
    grants = growing.grow(folder / "data/credence.sqlite3", people=growing.PEOPLE * times)
    print(f"{times} ×: {grants} grants", flush=True)
    return Grown(times, provider, paths, grants)


def _warmed(provider: Provider, paths: Mapping[str, Pair]) -> None:
    """Refresh families have to exist to be copied."""
    measure(provider.port, provider.pid, paths["refresh"].ours, seconds=0.4)


def _rounds(servers: list[Grown], *, rounds: int, seconds: float) -> dict[tuple[str, int], list[Figures]]:
    taken: dict[tuple[str, int], list[Figures]] = {}
    for number in range(rounds):
        for path in PATHS:
            for server in servers if number % 2 == 0 else reversed(servers):
                figures = measure(server.provider.port, server.provider.pid, server.paths[path].ours, seconds=seconds)
                taken.setdefault((path, server.times), []).append(figures)
    return taken


def _compared(
    servers: list[Grown], taken: Mapping[tuple[str, int], list[Figures]]
) -> tuple[dict[str, Outcome], list[Bar]]:
    """Each size beside the one before it."""
    outcomes = {f"{path}, {servers[0].times} ×": Outcome(taken[path, servers[0].times]) for path in PATHS}
    bars = []
    for small, large in pairwise(servers):
        for path in PATHS:
            pair = Outcome(taken[path, large.times], taken[path, small.times])
            outcomes[f"{path}, {large.times} ×"] = pair
            assert pair.ratio is not None
            what = f"{path}, {large.times} × over {small.times} ×"
            bars.append(Bar(what, 1 / pair.ratio, A_DECADE, at_least=False))
    return outcomes, bars


def purge(folder: Path, *, port: int, expired: int) -> tuple[dict[str, Any], Bar]:
    """Sweep a table of expired artefacts, in batches, while people sign in."""
    with running(folder, port=port) as provider:
        _warmed(provider, cases(provider, bare_port=0))
        database = folder / "credence.sqlite3"
        growing.add_expired(database, count=expired)
        before, started = growing.count_artefacts(database), time.perf_counter()
        sweeps: list[float] = []
        sweeping = threading.Thread(target=lambda: sweeps.extend(_swept(provider, database, expired)))
        sweeping.start()
        figures = list(_while(sweeping, provider, sign_ins(provider)))
        elapsed, after = time.perf_counter() - started, growing.count_artefacts(database)
    signed_in = sum(each.acts for each in figures)
    told = {
        "artefacts before": before,
        "artefacts after": after,
        "sign-ins meanwhile": signed_in,
        "seconds": round(elapsed, 1),
        "sweeps": len(sweeps),
        "CPU µs a purged row": round(sum(sweeps) / max(expired, 1) * 1e6, 1),
        "p99 ms of a sign-in": round(max((each.p99_ms for each in figures), default=0.0), 1),
    }
    return told, Bar("artefacts after the sweeps, of those before", after / before, 0.1, at_least=False)


def _swept(provider: Provider, database: Path, expired: int) -> Iterator[float]:
    """`idp sweep` until what had expired is gone; CPU seconds of each run."""
    least = growing.count_artefacts(database) - expired
    for _ in range(100):
        begun = _children()
        subprocess.run(
            [sys.executable, "-m", "idp", "sweep"], cwd=PROJECT, env=environment_of(provider.changed), check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        yield _children() - begun
        if growing.count_artefacts(database) < least + expired // 20:
            return


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _while(sweeping: threading.Thread, provider: Provider, case: Case) -> Iterator[Figures]:
    while sweeping.is_alive():
        yield measure(provider.port, provider.pid, case, seconds=1.0, connections=2)


if __name__ == "__main__":
    main()
