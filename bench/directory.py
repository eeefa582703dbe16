"""`python -m bench.directory`: NPPES taken in on PostgreSQL and on SQLite beside the bare path of each, then what searching and matching cost.

The cluster is of Debian's server, durable (fsync on), and gone at the end; with `--cluster FOLDER` it stands there and stays, and
where one is that is filled, nothing is loaded: it is searched again. Eight million rows take about 20 minutes of a quiet machine
with two cores, the roster that is made of them as long again, and 25 GB of disk; `--rows` takes fewer. The bare path takes as many. While rows are taken in, a
provider that is served on the same database is asked for tokens.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg

from bench import report, roster
from bench.bare_import import SQLITE
from bench.meanwhile import asking
from bench.nppes import ROWS
from bench.provider import Provider, environment_of, running
from bench.report import Bar, Figure
from bench.searching import matches, searches
from idp import create_app
from idp.directory.imports import common_words
from idp.directory.rules import NATIONAL
from idp.directory.service import tin_index
from idp.foundation import house
from idp.foundation.database import db
from idp.keyring import rotation
from idp.keyring.service import Keyring
from idp.migrations import run as migrations
from idp.settings import PROJECT, load
from tests.servers import APP, OWNER, Postgres, free_port

COMPARED_SQLITE: Final = 100_000
"""So many rows go either way, each into an empty file."""
OURS: Final = ("idp", "directory", "import", "-", "--format", "nppes")
BARE: Final = ("bench.bare_import",)
TUNED: Final = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}
"""As docs/directory.md advises for a first load."""
WHOLE: Final = "whole"
MEMORY_MIB: Final = 400
OF_BARE: Final = 0.5
LONGEST_MS, P99_MS, LONGEST_ON_SQLITE_MS = 1000.0, 500.0, 2000.0
"""Who waits no longer while rows are taken in is not stalled. SQLite has one writer: others wait for a batch, and for those before them."""
Measured = tuple[list[Figure], list[Bar]]


@dataclass(slots=True)
class Taken:
    """One import, seen from outside: its time, the peak of its memory, how long another request waited meanwhile."""

    rows: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of the importing process: in SQLite the database's work too."""
    peak_mib: float = 0.0
    waits_ms: list[float] = field(default_factory=list)

    def bars(self, name: str, *, sqlite: bool = False) -> list[Bar]:
        """Its memory, and that others are not stalled meanwhile; where nobody was answered, they are."""
        asked, others = self.waits_ms or [math.inf], f"{name}: another request meanwhile"
        longest = LONGEST_ON_SQLITE_MS if sqlite else LONGEST_MS
        return [
            Bar(f"{name}: its peak, MiB", self.peak_mib, MEMORY_MIB, at_least=False),
            Bar(f"{others}, the longest, ms", max(asked), longest, at_least=False),
            *([Bar(f"{others}, p99, ms", _quantiles(asked)[1], P99_MS, at_least=False)] if sqlite else []),
        ]

    def figures(self, name: str) -> list[Figure]:
        """Printed as soon as it is known: what comes after takes long."""
        told = [
            Figure(f"{name}: rows", "", [self.rows]),
            Figure(f"{name}: rate", "rows/s", [self.rows / self.seconds]),
            Figure(f"{name}: the importing process", "s CPU", [self.cpu_seconds]),
            Figure(f"{name}: its peak", "MiB", [self.peak_mib]),
        ]
        if self.waits_ms:
            p50, p99 = _quantiles(self.waits_ms)
            told.append(Figure(f"{name}: another request meanwhile, p50", "ms", [p50]))
            told.append(Figure(f"{name}: another request meanwhile, p99", "ms", [p99]))
            told.append(Figure(f"{name}: another request meanwhile, the longest", "ms", [max(self.waits_ms)]))
        print("\n".join(map(str, told)), flush=True)
        return told


def take_in(
    changed: Mapping[str, Any], rows: int, *, command: tuple[str, ...], beside: Provider | None = None
) -> Taken:
    """Pipe the generator into `python -m command`; the provider `beside` is asked meanwhile."""
    environment, taken = environment_of(changed), Taken(rows)
    with asking(beside) as taken.waits_ms:
        begun = time.monotonic()
        source = subprocess.Popen(
            [sys.executable, "-m", "bench.nppes", str(rows)], cwd=PROJECT, env=environment, stdout=subprocess.PIPE
        )
        sink = subprocess.Popen([sys.executable, "-m", *command], cwd=PROJECT, env=environment, stdin=source.stdout)
        assert source.stdout is not None
        source.stdout.close()
        while sink.poll() is None:
            taken.peak_mib = max(taken.peak_mib, _peak_mib(sink.pid))
            taken.cpu_seconds = max(taken.cpu_seconds, _cpu_seconds(sink.pid))
            time.sleep(0.25)
        taken.seconds = time.monotonic() - begun
    if sink.returncode != 0 or source.wait() != 0:
        raise SystemExit(f"{' '.join(command)} ended with {sink.returncode}")
    return taken


def _quantiles(spent: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(spent, n=100) if len(spent) > 1 else [spent[0] if spent else 0.0] * 99
    return cuts[49], cuts[98]


def _peak_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return int(next((line.split()[1] for line in lines if line.startswith("VmHWM")), "0")) / 1024


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _cluster(folder: Path | None) -> Iterator[Postgres]:
    server = Postgres(durable=True, folder=folder).start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            for name, value in TUNED.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        server.stop()
        yield server.start()
    finally:
        if folder is None:
            server.remove()
        else:
            server.stop()


def _taken_in(home: Path, rows: int, *, command: tuple[str, ...], **databases: str) -> Taken:
    """Into a new database, on which a provider is served meanwhile."""
    home.mkdir()
    with running(home, port=free_port(), workers=1, **databases) as provider:
        return take_in(provider.changed, rows, command=command, beside=provider)


def _into(server: Postgres, folder: Path, name: str, rows: int, *, command: tuple[str, ...]) -> Taken:
    server.create_database(name)
    return _taken_in(folder / name, rows, command=command, **_urls(server, name))


def _urls(server: Postgres, name: str) -> dict[str, str]:
    return {"database_url": server.url(APP, name), "database_owner_url": server.url(OWNER, name)}


def _migrated(folder: Path, **databases: str) -> dict[str, Any]:
    changed = {
        "mode": "production", "issuer": "https://bench.example", "data_dir": folder, "keys_dir": folder / "keys",
        "smtp_url": "smtp://localhost:9", "smtp_from": "bench@bench.example", "log_level": "ERROR",
    } | databases  # fmt: skip
    migrations.upgrade(load(overrides=changed))
    return changed


def compare_on_sqlite(folder: Path, rows: int) -> Measured:
    """Both paths into a file of their own, each with others writing to it meanwhile: SQLite has one writer."""
    ours, bare = (
        _taken_in(home, rows, command=command, database_url=f"{SQLITE}{home / 'credence.sqlite3'}")
        for home, command in ((folder / "sqlite-ours", OURS), (folder / "sqlite-bare", BARE))
    )
    told = [*ours.figures("SQLite, ours"), *bare.figures("SQLite, bare")]
    told.append(Figure("SQLite, ours beside bare, by CPU", "", [bare.cpu_seconds / ours.cpu_seconds]))
    return told, [*ours.bars("SQLite, ours", sqlite=True), _of_bare("SQLite, ours beside bare, by rate", ours, bare)]


def _of_bare(what: str, ours: Taken, bare: Taken) -> Bar:
    return Bar(what, bare.seconds / ours.seconds, OF_BARE, at_least=True)


def main() -> None:
    """Compare, load, search, match; print it all, and keep it."""
    parser = argparse.ArgumentParser(prog="python -m bench.directory", description=main.__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--sqlite", action="store_true", help="compare on SQLite and do nothing else")
    parser.add_argument(
        "--cluster", type=Path, help="where the cluster stands and stays; a filled one is only searched"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rotation.create(Path(name) / "keys", now=datetime.now(UTC))
        versions = dict[str, str]()
        if asked.cluster is None or not is_filled(asked.cluster):
            report.tell("sqlite-directory", *compare_on_sqlite(Path(name), COMPARED_SQLITE))
        if asked.sqlite:
            return
        measured = _on_postgresql(Path(name), asked, versions)
    told, bars = ([each for part in parts for each in part] for parts in zip(*measured, strict=True))
    report.tell("directory", told, bars, rows=asked.rows, peer=versions)


def is_filled(cluster: Path) -> bool:
    """Whether a cluster stands there; one whose loading was broken off is to be thrown away by who did it."""
    return (cluster / "data" / "PG_VERSION").is_file()


def _on_postgresql(folder: Path, asked: argparse.Namespace, versions: dict[str, str]) -> list[Measured]:
    filled = asked.cluster is not None and is_filled(asked.cluster)
    with _cluster(asked.cluster) as server:
        measured = [] if filled else [_load(server, folder, asked)]
        whole = _migrated(folder, **_urls(server, WHOLE))
        roster.fill(server.url("postgres", WHOLE), asked.rows)
        roster.make_selective(server.url("postgres", WHOLE))
        with create_app(load(overrides=whole)).app_context():
            versions |= report.postgresql_version(db.engine)
            key = house.get(Keyring).index
            roster.give_tins(server.url("postgres", WHOLE), lambda tin: tin_index(tin, key=key))
            return [*measured, (_counted(), []), searches(), (matches(asked.rows), [])]


def _counted() -> list[Figure]:
    """How many names have each common word, as it is counted at the end of an import."""
    told = []
    for scope, whose in ((NATIONAL, "NPI records"), (roster.REGISTRY, "the roster")):
        begun = time.monotonic()
        common_words.count(scope)
        told.append(Figure(f"counting the common words of {whose}", "s", [time.monotonic() - begun]))
    return told


def _load(server: Postgres, folder: Path, asked: argparse.Namespace) -> Measured:
    """All rows either way, each into a database of its own; the bare one's is gone when it is measured."""
    bare = _into(server, folder, "bare", asked.rows, command=BARE)
    told = bare.figures("bare")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE bare WITH (FORCE)")
        connection.execute("CHECKPOINT")
    ours = _into(server, folder, WHOLE, asked.rows, command=OURS)
    told += ours.figures("ours")
    with psycopg.connect(server.url(OWNER, WHOLE), autocommit=True) as connection:
        for table in ("npi_record", "npi_word", "name_word"):
            connection.execute(f"VACUUM ANALYZE {table}")
    return told, [*ours.bars("ours"), _of_bare("ours beside bare, by rate", ours, bare)]


if __name__ == "__main__":
    main()
