"""What growth costs: the hot paths with 1, 10 and 100 times the people, side by side.

A server for each size runs, all are measured in turns, and a size is held against the one before it pair by pair, round by
round: what disturbs one disturbs the other. The first round warms and counts for nothing.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from bench import growing, report
from bench.cases import CLIENT_CREDENTIALS, SIGN_IN, Pair, cases
from bench.load import Case, Figures, measure
from bench.provider import Provider, running
from bench.report import Bar, Outcome

PATHS: Final = (
    CLIENT_CREDENTIALS, "UserInfo", "introspection", "authorize with a live session", "code exchange", "refresh", SIGN_IN,
)  # fmt: skip
A_DECADE: Final = 1.10
"""A hot path's CPU may grow by a tenth while everything grows tenfold."""
CODES: Final = 120
SIGN_INS: Final = 16
FEWEST: Final = 40
"""Many short slices in the place of few long ones: a pair is then one moment of the machine."""


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
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--port", type=int, default=8930)
    parser.add_argument("--scales", default="1,10,100")
    parser.add_argument("--people", type=int, default=growing.PEOPLE, help="at the smallest scale")
    asked = parser.parse_args()
    scales = [int(scale) for scale in asked.scales.split(",")]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = [
            _grown(stack, Path(folder) / str(times), people=asked.people * times, times=times, port=asked.port + number)
            for number, times in enumerate(scales)
        ]
        taken = _rounds(servers, rounds=asked.rounds, seconds=asked.seconds)
    outcomes, bars = _compared(servers, taken)
    print(report.table(outcomes))
    print("\n".join(str(each) for each in bars))
    grants = {str(server.times): server.grants for server in servers}
    print(f"kept: {report.keep('growth', outcomes, bars, grants=grants)}")


def _grown(stack: ExitStack, folder: Path, *, people: int, times: int, port: int) -> Grown:
    folder.mkdir()
    provider = stack.enter_context(running(folder / "data", port=port))
    paths = cases(provider, bare_port=0)
    make_families(provider, paths)
    grants = growing.grow(folder / "data/credence.sqlite3", people=people)
    print(f"{times} ×: {grants} grants", flush=True)
    return Grown(times, provider, paths, grants)


def make_families(provider: Provider, paths: Mapping[str, Pair]) -> None:
    """Refresh families have to exist to be copied."""
    measure(provider.port, provider.pid, paths["refresh"].ours, seconds=0.4)


def _rounds(servers: list[Grown], *, rounds: int, seconds: float) -> dict[tuple[str, int], list[Figures]]:
    taken: dict[tuple[str, int], list[Figures]] = {}
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
        for path in PATHS:
            for server in servers if number % 2 == 0 else reversed(servers):
                case = _short(server.paths[path].ours)
                figures = measure(server.provider.port, server.provider.pid, case, seconds=seconds)
                if number > 0:
                    taken.setdefault((path, server.times), []).append(figures)
    return taken


def _short(case: Case) -> Case:
    return replace(case, size=min(case.size, CODES), least=SIGN_INS if case.least else FEWEST)


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
