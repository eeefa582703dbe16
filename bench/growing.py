"""Fills a database with people who never come: copies of those that signed in, with keys of their own.

The rows are made by the database itself, SQLite or PostgreSQL: a million grants with all that hangs on them take minutes.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

PEOPLE: Final = 1_000
"""At the smallest scale; each has an affiliation, two sessions, and in each session a grant at each client."""
SESSIONS_EACH: Final = 2
CLIENTS: Final = ("carebridge-provider", "cascade-mmis", "ozark-exchange", "ozark-secure", "heartland-selfservice")
BATCH: Final = 50_000


class Database(Protocol):
    """A connection of either driver: both run a statement and give its rows."""

    def execute(self, statement: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """How either database writes what a copied row needs; `{i}` is its number."""

    numbers: str
    key: str
    digest: str
    person: str
    columns: str


SQLITE: Final = Dialect(
    numbers="(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n) n",
    key="printf('{tag}%031x', {i})",
    digest="randomblob(32)",
    person="printf('grown%021d', {i})",
    columns="SELECT name FROM pragma_table_info('{table}')",
)
POSTGRESQL: Final = Dialect(
    numbers="generate_series({first}, {last}) n(i)",
    key="('{tag}' || lpad(to_hex({i}), 31, '0'))::uuid",
    digest="sha256(convert_to(random()::text || {i}, 'UTF8'))",
    person="'grown' || lpad(({i})::text, 21, '0')",
    columns="SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'",
)


def grow(database: Path, *, people: int) -> int:
    """Add so many people to a served SQLite database; says how many grants there are now."""
    with _opened(database) as found:
        fill(found, SQLITE, people=people)
        found.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        counted: int = found.execute("SELECT count(*) FROM oauth_grant").fetchone()[0]
        return counted


def fill(found: Database, dialect: Dialect, *, people: int, clients: Sequence[str] = CLIENTS) -> None:
    """People with logins, affiliations, evidence and levels, sessions, participations, grants and refresh families."""
    filling, sessions = _Filling(found, dialect), people * SESSIONS_EACH
    grants = sessions * len(clients)
    key, digest = filling.key, dialect.digest.format(i="n.i")
    name = " ".join(f"WHEN {number} THEN '{client}'" for number, client in enumerate(clients))
    in_session = {
        "client_id": f"CASE (n.i % {len(clients)}) {name} END",
        "session_id": key("b", f"((n.i - 1) / {len(clients)} + 1)"),
    }
    of_grant = dialect.person.format(i=f"((n.i - 1) / {len(clients) * SESSIONS_EACH} + 1)")
    of_session = dialect.person.format(i=f"((n.i - 1) / {SESSIONS_EACH} + 1)")
    person = dialect.person.format(i="n.i")
    named = dict.fromkeys(("email", "email_key"), "'grown.' || n.i || '@people.example'")
    logins = dict.fromkeys(("user_id", "user_id_key"), "'grown.' || n.i")
    filling.copy("subject", people, {"id": person, **named, **logins})
    filling.copy("affiliation", people, {"id": key("a"), "subject_id": person})
    for table in ("affiliation_evidence", "held_level"):
        filling.copy(table, people, {"id": key("e"), "affiliation_id": key("a")})
    digests = {"digest": digest, "browser_digest": digest}
    filling.copy("browser_session", sessions, {"id": key("b"), "subject_id": of_session, **digests})
    filling.copy("participant", grants, {"sid": key("d"), **in_session})
    of_person = {"subject_id": of_grant, "affiliation_id": "NULL"}
    filling.copy("oauth_grant", grants, {"id": key("c"), "sid": key("d"), **of_person, **in_session})
    kept = {"id": key("f"), "digest": digest, "family": key("c"), "subject_id": of_grant}
    filling.copy("artefact", grants, kept, where="kind = 'refresh'")


def add_expired(database: Path, *, count: int) -> None:
    """Artefacts that were over two to thirty days ago."""
    with _opened(database) as found:
        over = "datetime('now', '-2 days', '-' || (n.i % 40320) || ' minutes')"
        kept = {"id": _key("9"), "digest": "randomblob(32)", "created_at": over, "expires_at": over, "used_at": over}
        _Filling(found, SQLITE).copy("artefact", count, kept, where="kind = 'refresh'")
        found.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def count_expired(database: Path) -> int:
    """Of those that `add_expired` adds."""
    with closing(sqlite3.connect(database, timeout=60)) as found:
        counted: int = found.execute(
            "SELECT count(*) FROM artefact WHERE expires_at < datetime('now', '-1 day')"
        ).fetchone()[0]
        return counted


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    """For much at once: it waits for the disk only at its end."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as found:
        for setting in ("foreign_keys=ON", "synchronous=OFF", "cache_size=-200000"):
            found.execute(f"PRAGMA {setting}")
        yield found


def _key(tag: str) -> str:
    return SQLITE.key.format(tag=tag, i="n.i")


@dataclass(frozen=True, slots=True)
class _Filling:
    found: Database
    dialect: Dialect

    def key(self, tag: str, number: str = "n.i") -> str:
        """The expression of a key that no other table's rows have."""
        return self.dialect.key.format(tag=tag, i=number)

    def copy(self, table: str, count: int, changed: Mapping[str, str], *, where: str = "1 = 1") -> None:
        """Copies of one row, but for the columns that are `changed`; so many to a transaction that readers go on."""
        columns = [str(row[0]) for row in self.found.execute(self.dialect.columns.format(table=table)).fetchall()]
        values = ", ".join(changed.get(column, f't."{column}"') for column in columns)
        names = ", ".join(f'"{column}"' for column in columns)
        for begun in range(0, count, BATCH):
            numbers = self.dialect.numbers.format(first=begun + 1, last=min(begun + BATCH, count))
            self.found.execute(
                f"INSERT INTO {table} ({names}) SELECT {values}"
                f" FROM {numbers}, (SELECT * FROM {table} WHERE {where} LIMIT 1) t"
            )
