"""What clearing up costs: a million expired artefacts swept in batches while people sign in."""

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import growing, report
from bench.cases import cases, sign_ins
from bench.grown import make_families
from bench.load import Case, Figures, Unmeasured, measure
from bench.provider import Provider, environment_of, running
from bench.report import Bar, Figure
from idp.settings import PROJECT

EXPIRED: Final = 1_000_000
CONNECTIONS: Final = 2
LEFT: Final = 0.01
"""Of what had expired may be left at the end."""
MOST_SWEEPS: Final = 100


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.purging", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8935)
    parser.add_argument("--expired", type=int, default=EXPIRED)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures, bars = _purged(Path(folder) / "data", port=asked.port, expired=asked.expired)
    report.tell("purge", figures, bars)


def _purged(folder: Path, *, port: int, expired: int) -> tuple[list[Figure], list[Bar]]:
    with running(folder, port=port) as provider:
        make_families(provider, cases(provider, bare_port=0))
        database = folder / "credence.sqlite3"
        growing.add_expired(database, count=expired)
        before, started, sweeps = growing.count_expired(database), time.perf_counter(), list[float]()
        sweeping = threading.Thread(target=lambda: sweeps.extend(_swept(provider, database, before)))
        sweeping.start()
        rounds = list(_while(sweeping, provider, sign_ins(provider)))
        elapsed, after = time.perf_counter() - started, growing.count_expired(database)
    signed_in, refused = sum(each.acts for each in rounds), sum(each.refused for each in rounds)
    told = [each for each in rounds if each.acts] or rounds
    figures = [
        Figure("expired artefacts before", "", [before]),
        Figure("expired artefacts after", "", [after]),
        Figure("all of it", "s", [elapsed]),
        Figure("a purged row, by `idp sweep`", "µs CPU", [sum(sweeps) / max(before - after, 1) * 1e6]),
        Figure("sign-ins meanwhile", "", [signed_in]),
        Figure("sign-ins told to come back later", "", [refused]),
        Figure("a sign-in meanwhile, the server's part", "µs CPU", [each.cpu_us for each in told]),
        Figure("a sign-in meanwhile, p50 of a second's", "ms", [each.p50_ms for each in told]),
    ]
    left = Bar("expired artefacts after the sweeps, of those before", after / before, LEFT, at_least=False)
    return figures, [left, Bar("sign-ins refused meanwhile", refused, 0, at_least=False)]


def _swept(provider: Provider, database: Path, before: int) -> Iterator[float]:
    """`idp sweep` until what had expired is gone; CPU seconds of each run."""
    for _ in range(MOST_SWEEPS):
        begun = _children()
        subprocess.run(
            [sys.executable, "-m", "idp", "sweep"], cwd=PROJECT, env=environment_of(provider.changed), check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        yield _children() - begun
        left = growing.count_expired(database)
        print(f"expired artefacts left: {left:,}", file=sys.stderr, flush=True)
        if left <= before * LEFT:
            return


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _while(sweeping: threading.Thread, provider: Provider, case: Case) -> Iterator[Figures]:
    while sweeping.is_alive():
        try:
            yield measure(provider.port, provider.pid, case, seconds=1.0, connections=CONNECTIONS)
        except Unmeasured as nothing:
            yield Figures(0.0, 0.0, 0.0, 0.0, acts=0, refused=nothing.refused)


if __name__ == "__main__":
    main()
