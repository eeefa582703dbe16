"""`make bench`: the hot paths of the real server beside bare views and a peer; CPU µs a request of each process tree."""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench import peer, report
from bench.cases import CLIENT_CREDENTIALS, Pair, cases
from bench.cpu import resident_mb
from bench.load import Case, Figures, measure
from bench.provider import bare, running
from bench.report import Bar, Outcome

PEER: Final = "client credentials beside oidc-provider"
PEER_AT_LEAST: Final = 1.1
"""Of the peer's CPU; 1.3 is aimed at."""
PEER_WARM_UP: Final = 4.0
"""Seconds: Node compiles what it has run often."""
Place = tuple[int, int]
"""A port, and the process whose tree answers there."""


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each case; the median is told")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with (
            running(data, port=asked.port) as provider,
            bare(data, port=asked.port + 1) as bare_pid,
            peer.running(asked.port + 2) as other,
        ):
            pairs = {
                name: pair for name, pair in cases(provider, bare_port=asked.port + 1).items() if asked.only in name
            }
            ours, beside = (asked.port, provider.pid), (asked.port + 1, bare_pid)
            third = (other.case, (other.port, other.pid))
            measure(other.port, other.pid, other.case, seconds=PEER_WARM_UP)
            outcomes = _rounds(pairs, ours, beside, third, rounds=asked.rounds, seconds=asked.seconds)
            memory = resident_mb(provider.pid)
    bars = _bars(pairs, outcomes)
    print(report.table(outcomes))
    print(f"memory of the server's processes: {memory:.0f} MB")
    print("\n".join(str(bar) for bar in bars))
    versions = {"oidc-provider": other.version, "node": other.node}
    print(f"kept: {report.keep('hot-paths', outcomes, bars, peer=versions, memory_mb=memory)}")


def _rounds(
    pairs: Mapping[str, Pair], ours: Place, beside: Place, third: tuple[Case, Place], *, rounds: int, seconds: float
) -> dict[str, Outcome]:
    """Every case once a round, each directly before or after what stands beside it, in turns."""
    taken: dict[str, tuple[list[Figures], list[Figures]]] = {}
    for number in range(rounds):
        for name, pair in pairs.items():
            places = [(pair.ours, ours)] + ([(pair.bare, beside)] if pair.bare is not None else [])
            _take(taken.setdefault(name, ([], [])), places, backwards=number % 2 == 1, seconds=seconds)
            if name == CLIENT_CREDENTIALS:
                places = [(pair.ours, ours), third]
                _take(taken.setdefault(PEER, ([], [])), places, backwards=number % 2 == 1, seconds=seconds)
    return {name: Outcome(*figures) for name, figures in taken.items()}


def _take(
    into: tuple[list[Figures], list[Figures]], places: list[tuple[Case, Place]], *, backwards: bool, seconds: float
) -> None:
    order = list(zip(into, places, strict=False))
    for figures, (case, (port, pid)) in reversed(order) if backwards else order:
        figures.append(measure(port, pid, case, seconds=seconds))


def _bars(pairs: Mapping[str, Pair], outcomes: Mapping[str, Outcome]) -> list[Bar]:
    bars: list[Bar] = []
    for name, pair in pairs.items():
        ratio = outcomes[name].ratio
        if ratio is not None and pair.at_least is not None:
            bars.append(Bar(f"{name}, of bare", ratio, pair.at_least, at_least=True))
        if ratio is not None and pair.at_most is not None:
            bars.append(Bar(f"{name}, times bare", 1 / ratio, pair.at_most, at_least=False))
    if PEER in outcomes and (ratio := outcomes[PEER].ratio) is not None:
        bars.append(Bar("client credentials, of oidc-provider", ratio, PEER_AT_LEAST, at_least=True))
    return bars


if __name__ == "__main__":
    main()
