"""Installations grown to a size, made once: kept in a folder, each run serves a copy of its own.

What is kept is thrown away and made anew when what made it has changed, or after a week: keys and sessions grow old.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg

from bench import growing, people, provider
from bench.cases import Pair, cases
from bench.flow import Client
from bench.load import measure
from bench.provider import Provider
from idp.demo.cli import DEMO_DATA, MANIFESTS
from idp.settings import PROJECT
from tests.servers import APP, OWNER, Postgres

WEEK: Final = 7 * 24 * 3600
MADE: Final = "made.json"
"""Written last: where it is missing, the making was broken off."""
TUNED: Final = {"autovacuum": "off", "shared_buffers": "1GB"}
"""Vacuum, when it comes, would be counted to whatever runs; statistics are gathered once, after filling."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A server, and how much lies in its database."""

    times: int
    provider: Provider
    paths: Mapping[str, Pair]
    grants: int


class Databases(Protocol):
    """Where the databases of all sizes lie."""

    kind: str
    pids: tuple[int, ...]
    """Processes that work for the servers."""
    versions: Mapping[str, str]

    def make(self, name: str) -> dict[str, str]:
        """An empty one; the settings that lead to it."""

    def grow(self, name: str, folder: Path, *, people: int) -> int:
        """Fill what a server has begun; says how many grants there are."""

    def copy(self, name: str, to: str) -> dict[str, str]:
        """Another with the same content, as `make`; whoever had the first open loses it."""


class OnSqlite:
    """A file in the server's folder: copied with it."""

    kind = "sqlite"
    pids: tuple[int, ...] = ()
    versions: Mapping[str, str] = {}

    def make(self, name: str) -> dict[str, str]:
        return {}

    def grow(self, name: str, folder: Path, *, people: int) -> int:
        return growing.grow(folder / "credence.sqlite3", people=people)

    def copy(self, name: str, to: str) -> dict[str, str]:
        return {}


class OnPostgresql:
    """One cluster, a database each."""

    kind = "postgresql"

    def __init__(self, server: Postgres) -> None:
        self._server = server
        assert server.process is not None
        self.pids: tuple[int, ...] = (server.process.pid,)
        with self._opened("postgres") as connection:
            version = str(connection.info.parameter_status("server_version"))
        self.versions: Mapping[str, str] = {"PostgreSQL": version}

    def make(self, name: str) -> dict[str, str]:
        with self._opened("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
        self._server.create_database(name)
        return self._urls(name)

    def grow(self, name: str, folder: Path, *, people: int) -> int:
        with self._opened(name) as found:
            found.execute("SET session_replication_role = replica")  # copies of rows that were checked
            growing.fill(found, growing.POSTGRESQL, people=people)
            found.execute("VACUUM ANALYZE")
            row = found.execute("SELECT count(*) FROM oauth_grant").fetchone()
        return int(row[0]) if row is not None else 0

    def copy(self, name: str, to: str) -> dict[str, str]:
        with self._opened("postgres") as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            connection.execute(f"DROP DATABASE IF EXISTS {to}")
            connection.execute(f"CREATE DATABASE {to} OWNER {OWNER} TEMPLATE {name} STRATEGY file_copy")
        return self._urls(to)

    def _opened(self, name: str) -> "psycopg.Connection[Any]":
        return psycopg.connect(self._server.url("postgres", name), autocommit=True)

    def _urls(self, name: str) -> dict[str, str]:
        return {"database_url": self._server.url(APP, name), "database_owner_url": self._server.url(OWNER, name)}


@contextmanager
def cluster(folder: Path | None) -> Iterator[OnPostgresql]:
    """In `folder`, where it stays, or for this run."""
    server = Postgres(folder=folder).start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            for name, value in TUNED.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        server.stop()
        yield OnPostgresql(server.start())
    finally:
        if folder is None:
            server.remove()
        else:
            server.stop()


def served(
    stack: ExitStack, databases: Databases, folder: Path, *, times: int, people: int, port: int, keep: Path | None
) -> Grown:
    """A server on `times` the people: from what is kept, which is made where it is not there yet, or all anew."""
    if keep is None:
        name = f"run_{times}"
        running = stack.enter_context(provider.running(folder / "data", port=port, **databases.make(name)))
        paths = cases(running, bare_port=0)
        make_families(running, paths)
        return Grown(times, running, paths, databases.grow(name, folder / "data", people=people))
    kept = keep / f"{databases.kind}-{times}"
    if not _is_fresh(kept, people):
        _make(kept, databases, times=times, people=people, port=port)
    made = json.loads((kept / MADE).read_text("utf-8"))
    shutil.copytree(kept / "data", folder / "data")
    clients = Client(**made["portal"]), Client(**made["app"])
    urls = databases.copy(f"kept_{times}", f"run_{times}")
    running = stack.enter_context(provider.serving(folder / "data", clients, port=port, databases=urls))
    return Grown(times, running, cases(running, bare_port=0), made["grants"])


def make_families(running: Provider, paths: Mapping[str, Pair]) -> None:
    """Refresh families have to exist to be copied."""
    measure(running.port, running.pid, paths["refresh"].ours, seconds=0.1)


def _make(kept: Path, databases: Databases, *, times: int, people: int, port: int) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True, mode=0o700)
    name = f"kept_{times}"
    with provider.running(kept / "data", port=port, **databases.make(name)) as running:
        make_families(running, cases(running, bare_port=0))
    grants = databases.grow(name, kept / "data", people=people)
    made = {"portal": asdict(running.portal), "app": asdict(running.app), "grants": grants, "by": _maker(people)}
    (kept / MADE).write_text(json.dumps(made | {"at": time.time()}), "utf-8")


def _is_fresh(kept: Path, people: int) -> bool:
    if not (kept / MADE).is_file():
        return False
    made = json.loads((kept / MADE).read_text("utf-8"))
    return bool(made["by"] == _maker(people) and time.time() - made["at"] < WEEK)


def _maker(count: int) -> str:
    """A digest of what decides what is in a database: its tables, what is loaded into it, and how it is grown."""
    versions = sorted((PROJECT / "idp" / "migrations" / "versions").glob("*.py"))
    sources = [Path(str(module.__file__)) for module in (growing, people, provider)]
    loaded = sorted(path for folder in (MANIFESTS, DEMO_DATA) for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256(str(count).encode())
    for path in (*versions, *sources, *loaded):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
