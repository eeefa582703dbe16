"""`make bench`: the hot paths of the real server beside bare views and a peer; CPU µs a request of each process tree."""

import argparse
import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import psycopg
from redis import Redis

from bench import peer, report
from bench.cases import CLIENT_CREDENTIALS, Pair, cases
from bench.cpu import resident_mb
from bench.load import Case, Figures, measure
from bench.provider import bare, running
from bench.report import Bar, Outcome
from tests.servers import APP, OWNER, Postgres

PEER: Final = "client credentials beside oidc-provider"
PEER_AT_LEAST: Final = 1.1
"""Of the peer's CPU; 1.3 is aimed at."""
PEER_WARM_UP: Final = 4.0
"""Seconds: Node compiles what it has run often."""
BESIDE: Final = ("database_url", "redis_url")
"""What the bare views share with the product; they migrate nothing."""
Place = tuple[int, int]
"""A port, and the process whose tree answers there."""


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each case; the median is told")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument(
        "--postgresql", action="store_true", help="on a PostgreSQL of its own; with Redis, where REDIS_URL names one"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with (
            _stores(postgresql=asked.postgresql) as (urls, stores),
            running(data, port=asked.port, **urls) as provider,
            bare(data, port=asked.port + 1, **{name: urls[name] for name in BESIDE if name in urls}) as bare_pid,
            contextlib.nullcontext() if asked.postgresql else peer.running(asked.port + 2) as other,
        ):
            pairs = {
                name: pair for name, pair in cases(provider, bare_port=asked.port + 1).items() if asked.only in name
            }
            ours, beside = (asked.port, provider.pid), (asked.port + 1, bare_pid)
            third = None if other is None else (other.case, (other.port, other.pid))
            if other is not None:
                measure(other.port, other.pid, other.case, seconds=PEER_WARM_UP)
            outcomes = _rounds(pairs, ours, beside, third, rounds=asked.rounds, seconds=asked.seconds)
            memory = resident_mb(provider.pid)
    bars = _bars(pairs, outcomes)
    print(report.table(outcomes))
    print(f"memory of the server's processes: {memory:.0f} MB")
    print("\n".join(str(bar) for bar in bars))
    versions = stores if other is None else {"oidc-provider": other.version, "node": other.node}
    name = "served-on-postgresql" if asked.postgresql else "hot-paths"
    print(f"kept: {report.keep(name, outcomes, bars, peer=versions, memory_mb=memory)}")


@contextlib.contextmanager
def _stores(*, postgresql: bool) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Addresses of the databases, and their versions; none for SQLite. The cluster is durable and thrown away."""
    if not postgresql:
        yield {}, {}
        return
    server = Postgres(durable=True).start()
    try:
        server.create_database("served")
        urls = {"database_url": server.url(APP, "served"), "database_owner_url": server.url(OWNER, "served")}
        with psycopg.connect(server.url("postgres")) as connection:
            [(version,)] = connection.execute("SHOW server_version").fetchall()
        stores = {"PostgreSQL": str(version)}
        if redis_url := os.environ.get("REDIS_URL"):
            urls["redis_url"] = redis_url
            with Redis.from_url(redis_url) as redis:
                stores["Redis"] = str(redis.info("server")["redis_version"])
        yield urls, stores
    finally:
        server.remove()


def _rounds(
    pairs: Mapping[str, Pair],
    ours: Place,
    beside: Place,
    third: tuple[Case, Place] | None,
    *,
    rounds: int,
    seconds: float,
) -> dict[str, Outcome]:
    """Every case once a round, each directly before or after what stands beside it, in turns."""
    taken: dict[str, tuple[list[Figures], list[Figures]]] = {}
    for number in range(rounds):
        for name, pair in pairs.items():
            places = [(pair.ours, ours)] + ([(pair.bare, beside)] if pair.bare is not None else [])
            _take(taken.setdefault(name, ([], [])), places, backwards=number % 2 == 1, seconds=seconds)
            if name == CLIENT_CREDENTIALS and third is not None:
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
