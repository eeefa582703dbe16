"""What growth costs: the hot paths with 1, 10 and 100 times the people, side by side.

A server for each size runs, all are measured in turns, and a size is held against the one before it pair by pair: many
short slices, each directly beside its partner, so that what disturbs one disturbs the other. The first round warms and
counts for nothing. `--keep` keeps the databases, which take longest, for another run.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from bench import growing, grown, people, report
from bench.cases import CLIENT_CREDENTIALS, SIGN_IN
from bench.grown import Databases, Grown
from bench.load import Case, Figures, measure
from bench.report import Bar, Outcome

PATHS: Final = (
    CLIENT_CREDENTIALS, "UserInfo", "introspection", "authorize with a live session", "code exchange", "refresh", SIGN_IN,
)  # fmt: skip
A_DECADE: Final = 1.10
"""A hot path's CPU may grow by a tenth while everything grows tenfold."""
CODES: Final = 40
SIGN_INS: Final = 8
KNOWN: Final = people.COUNT
"""So many sign-ins in the first round: everybody's, and their browser is known."""
WARM_UP: Final = 0.05
"""Connections made, caches filled anew after another server had the machine."""
CONNECTIONS: Final = 4
"""As few as keep two processors busy: a slice is short."""


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=0.25, help="length of one slice")
    parser.add_argument("--rounds", type=int, default=31, help="pairs of slices; the median is judged")
    parser.add_argument("--port", type=int, default=8930)
    parser.add_argument("--scales", default="1,10,100")
    parser.add_argument("--people", type=int, default=growing.PEOPLE, help="at the smallest scale")
    parser.add_argument("--keep", type=Path, help="a folder outside the checkout, for the databases")
    parser.add_argument("--postgresql", action="store_true", help="the server's CPU and PostgreSQL's, together")
    asked = parser.parse_args()
    scales = [int(scale) for scale in asked.scales.split(",")]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        databases = stack.enter_context(_databases(asked))
        servers = [
            _served(stack, databases, Path(folder) / str(times), asked, times=times, port=asked.port + number)
            for number, times in enumerate(scales)
        ]
        taken = _rounds(servers, databases.pids, rounds=asked.rounds, seconds=asked.seconds)
    outcomes, bars = _compared(servers, taken)
    print(report.table(outcomes))
    print("\n".join(str(each) for each in bars))
    grants = {str(server.times): server.grants for server in servers}
    name = "postgresql-growth" if asked.postgresql else "growth"
    print(f"kept: {report.keep(name, outcomes, bars, grants=grants, peer=databases.versions)}")


@contextmanager
def _databases(asked: argparse.Namespace) -> Iterator[Databases]:
    if asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
    on_postgresql = grown.cluster(asked.keep / "cluster" if asked.keep is not None else None)
    with on_postgresql if asked.postgresql else nullcontext(grown.OnSqlite()) as databases:
        yield databases


def _served(
    stack: ExitStack, databases: Databases, folder: Path, asked: argparse.Namespace, *, times: int, port: int
) -> Grown:
    folder.mkdir()
    server = grown.served(
        stack, databases, folder, times=times, people=asked.people * times, port=port, keep=asked.keep
    )
    print(f"{times} ×: {server.grants} grants", flush=True)
    return server


def _rounds(
    servers: list[Grown], also: tuple[int, ...], *, rounds: int, seconds: float
) -> dict[tuple[str, int], list[Figures]]:
    taken: dict[tuple[str, int], list[Figures]] = {}
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
        for path in PATHS:
            for server in servers if number % 2 == 0 else reversed(servers):
                case = _short(server.paths[path].ours, everybody=number == 0)
                figures = measure(
                    server.provider.port,
                    server.provider.pid,
                    case,
                    seconds=seconds,
                    connections=CONNECTIONS,
                    warm_up=0 if case.least else WARM_UP,
                    also=also,
                )
                if number > 0:
                    taken.setdefault((path, server.times), []).append(figures)
    return taken


def _short(case: Case, *, everybody: bool) -> Case:
    """A slice of it; sign-ins are counted, since few say nothing."""
    least = KNOWN if everybody else SIGN_INS
    return replace(case, size=min(case.size, CODES), least=least if case.least else 0)


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


if __name__ == "__main__":
    main()
