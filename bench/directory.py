"""`python -m bench.directory`: NPPES taken in on PostgreSQL and on SQLite beside the bare path of each, then what searching and matching cost.

The cluster is of Debian's server, durable (fsync on), and gone at the end. Eight million rows take about 20 minutes of a
quiet machine with two cores, and 8 GB of disk; `--rows` takes fewer.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import text

from bench import report
from bench.bare_import import SQLITE
from bench.matching import rule_us
from bench.nppes import ROWS
from bench.report import Figure
from idp import create_app
from idp.directory import service as directory
from idp.directory.matching import service as matching
from idp.directory.matching.rules import PractitionerClaim
from idp.foundation.database import reading
from idp.keyring import rotation
from idp.migrations import run as migrations
from idp.settings import PROJECT, load
from tests.servers import APP, OWNER, Postgres

COMPARED: Final = 400_000
"""So many rows go either way, each into an empty database."""
COMPARED_SQLITE: Final = 100_000
OURS: Final = ("idp", "directory", "import", "-", "--format", "nppes")
BARE: Final = ("bench.bare_import",)
ASKED: Final = 20
TUNED: Final = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}
"""As docs/directory.md advises for a first load."""
SEARCHES: Final = (
    "1000000004", "1618033991", "john smith", "mary johnson", "james garcia", "patricia lopez", "robert", "smith",
    "hernandez", "nguyen linda", "kebi family", "drogin", "stebru nobo", "mar", "wil", "sna", "clinic juba", "pharmacy",
    "smtih", "jonson mary", "hernadez", "m walker", "thomas e", "elizabeth scott", "smith jones",
)  # fmt: skip
IN_STATES: Final = (("smith", "CA"), ("john brown", "TX"), ("garcia", "OH"), ("home health", "NY"))


@dataclass(slots=True)
class Taken:
    """One import, seen from outside: its time, the peak of its memory, how long another request waited meanwhile."""

    rows: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of the importing process: in SQLite the database's work too."""
    peak_mib: float = 0.0
    waits_ms: list[float] = field(default_factory=list)

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
        print("\n".join(map(str, told)), flush=True)
        return told


def take_in(changed: Mapping[str, Any], rows: int, *, command: tuple[str, ...]) -> Taken:
    """Pipe the generator into `python -m command`."""
    environment = os.environ | {f"IDP_{name.upper()}": str(value) for name, value in changed.items()}
    taken, done = Taken(rows), threading.Event()
    other = threading.Thread(target=_ask_meanwhile, args=(str(changed["database_url"]), taken, done))
    begun = time.monotonic()
    source = subprocess.Popen(
        [sys.executable, "-m", "bench.nppes", str(rows)], cwd=PROJECT, env=environment, stdout=subprocess.PIPE
    )
    sink = subprocess.Popen([sys.executable, "-m", *command], cwd=PROJECT, env=environment, stdin=source.stdout)
    assert source.stdout is not None
    source.stdout.close()
    if not str(changed["database_url"]).startswith(SQLITE):
        other.start()
    while sink.poll() is None:
        taken.peak_mib = max(taken.peak_mib, _peak_mib(sink.pid))
        taken.cpu_seconds = max(taken.cpu_seconds, _cpu_seconds(sink.pid))
        time.sleep(0.25)
    taken.seconds = time.monotonic() - begun
    done.set()
    if other.ident is not None:
        other.join()
    if sink.returncode != 0 or source.wait() != 0:
        raise SystemExit(f"{' '.join(command)} ended with {sink.returncode}")
    return taken


def _ask_meanwhile(url: str, taken: Taken, done: threading.Event) -> None:
    """A read and a small write, ten times a second."""
    with psycopg.connect(url, autocommit=True) as connection:
        while not done.wait(0.1):
            begun = time.monotonic()
            with connection.transaction():
                connection.execute("SELECT name FROM npi_record WHERE npi = '1000000004' AND source = 'nppes'")
                connection.execute("INSERT INTO name_word (scope, word) VALUES ('~', 'x') ON CONFLICT DO NOTHING")
                connection.execute("DELETE FROM name_word WHERE scope = '~'")
            taken.waits_ms.append((time.monotonic() - begun) * 1e3)


def searches() -> list[Figure]:
    """Every search `ASKED` times in turn, each in a transaction of its own; the first round warms."""
    with reading() as tx:
        rows, size = tx.execute(
            text("SELECT reltuples, pg_size_pretty(pg_database_size(current_database())) FROM pg_class"
                 " WHERE relname = 'npi_record'")
        ).one()  # fmt: skip
    print(f"searches among {rows:,.0f} NPI records ({size}):")
    every: list[float] = []
    told: list[Figure] = []
    for words, state in (*((words, None) for words in SEARCHES), *IN_STATES):
        spent = _timed(lambda tx, words=words, state=state: directory.search_npi(tx, words, state=state))
        every += spent
        told.append(Figure(f"search: {words}{f' in {state}' if state else ''}", "ms", spent))
    cuts = statistics.quantiles(every, n=100)
    return [*told, *(Figure(f"all searches, p{part}", "ms", [cuts[part - 1]]) for part in (50, 95, 99))]


def matches(rows: int) -> list[Figure]:
    """A claim of all fields against a roster of `rows` providers: found, and a miss."""
    now = datetime.now(UTC)
    told = [Figure("matching rule, a claim of six fields", "µs CPU", rule_us())]
    for what, number in (("hit", f"{rows // 2:09}"), ("miss", "999999999")):
        claim = PractitionerClaim(
            first_name="JOHN", last_name="SMITH", tin="900000001", provider_id=number, zip_code="65801"
        )
        spent = _timed(lambda tx, claim=claim: matching.match_practitioner(tx, claim, registry="bench", now=now))
        told.append(Figure(f"match against {rows:,} providers, {what}", "ms", spent))
    return told


def fill_roster(owner_url: str, rows: int) -> None:
    """A roster made by the database itself: no import is measured here."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for start in range(0, rows, 500_000):
            span = {"first": start, "last": min(start + 500_000, rows) - 1}
            connection.execute(_PRACTICES, span)
            connection.execute(_PROVIDERS, span)
        connection.execute("ANALYZE provider, practice")


def _timed(ask: Callable[[Any], object]) -> list[float]:
    spent: list[float] = []
    for _ in range(ASKED + 1):
        with reading() as tx:
            tx.execute(text("SELECT 1"))
            begun = time.perf_counter()
            ask(tx)
            spent.append((time.perf_counter() - begun) * 1e3)
    return spent[1:]


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
def _cluster() -> Iterator[Postgres]:
    server = Postgres(durable=True).start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            for name, value in TUNED.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        server.stop()
        yield server.start()
    finally:
        server.remove()


def _database(server: Postgres, folder: Path, name: str) -> dict[str, Any]:
    """A production's settings on a new, migrated database."""
    server.create_database(name)
    return _migrated(folder, database_url=server.url(APP, name), database_owner_url=server.url(OWNER, name))


def _migrated(folder: Path, **databases: str) -> dict[str, Any]:
    changed = {
        "mode": "production", "issuer": "https://bench.example", "data_dir": folder, "keys_dir": folder / "keys",
        "smtp_url": "smtp://localhost:9", "smtp_from": "bench@bench.example", "log_level": "ERROR",
    } | databases  # fmt: skip
    migrations.upgrade(load(overrides=changed))
    return changed


def compare_on_sqlite(folder: Path, rows: int) -> list[Figure]:
    """Both paths into a file of their own; the CPU times are the ones to compare on a busy machine."""
    ours, bare = (
        take_in(_migrated(folder, database_url=f"{SQLITE}{folder / name}.sqlite3"), rows, command=command)
        for name, command in (("ours", OURS), ("bare", BARE))
    )
    told = [*ours.figures("SQLite, ours"), *bare.figures("SQLite, bare")]
    by_cpu = Figure("SQLite, ours beside bare, by CPU", "", [bare.cpu_seconds / ours.cpu_seconds])
    return [*told, Figure("SQLite, ours beside bare, by rate", "", [bare.seconds / ours.seconds]), by_cpu]


def main() -> None:
    """Compare, load, search, match; print it all, and keep it."""
    parser = argparse.ArgumentParser(prog="python -m bench.directory", description=main.__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--compared", type=int, default=COMPARED)
    parser.add_argument("--sqlite", action="store_true", help="compare on SQLite and do nothing else")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rotation.create(Path(name) / "keys", now=datetime.now(UTC))
        told = compare_on_sqlite(Path(name), COMPARED_SQLITE)
        if not asked.sqlite:
            told += _on_postgresql(Path(name), asked)
    report.tell("directory", told, rows=asked.rows)


def _on_postgresql(folder: Path, asked: argparse.Namespace) -> list[Figure]:
    with _cluster() as server:
        ours = take_in(_database(server, folder, "ours"), asked.compared, command=OURS)
        bare = take_in(_database(server, folder, "bare"), asked.compared, command=BARE)
        told = [*ours.figures("ours"), *bare.figures("bare")]
        told.append(Figure("ours beside bare, by rate", "", [bare.seconds / ours.seconds]))
        whole = _database(server, folder, "whole")
        told += take_in(whole, asked.rows, command=OURS).figures("whole")
        with psycopg.connect(whole["database_owner_url"], autocommit=True) as connection:
            for table in ("npi_record", "npi_word", "name_word"):
                connection.execute(f"VACUUM ANALYZE {table}")
        fill_roster(whole["database_owner_url"], asked.rows)
        with create_app(load(overrides=whole)).app_context():
            return [*told, *searches(), *matches(asked.rows)]


_PRACTICES: Final = """
    INSERT INTO practice (id, tin_sealed, tin_index, tin_type, tin_last4, name, created_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, '\\x00', decode(md5(n::text) || md5(n::text), 'hex'), 'EIN', '0001', 'Bench', now()
    FROM generate_series(%(first)s::int, %(last)s::int) n WHERE n %% 4 = 0
"""
_PROVIDERS: Final = """
    INSERT INTO provider (id, registry, provider_id, provider_type, npi, practice_id, tin_sealed, tin_index, tin_type,
        legal_name, first_name, last_name, name_key, zip_codes, state, programs, status, effective_date, updated_at)
    SELECT ('f' || lpad(to_hex(n), 31, '0'))::uuid, 'bench', lpad(n::text, 9, '0'), 'practitioner', lpad(n::text, 10, '1'),
        lpad(to_hex(n - n %% 4), 32, '0')::uuid, '\\x00', decode(md5('o' || n) || md5('p' || n), 'hex'), 'EIN',
        'JOHN SMITH', 'JOHN', 'SMITH', 'john smith', '["65801"]', 'MO', 'both', 'active', '2020-01-01', now()
    FROM generate_series(%(first)s::int, %(last)s::int) n
"""


if __name__ == "__main__":
    main()
