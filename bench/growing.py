"""Fills a served SQLite database with people who never come: copies of those that the bench signed in, with keys of their own."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

PEOPLE: Final = 1_000
"""At the smallest scale; each has an affiliation, two sessions, and in each session a grant at five clients."""
SESSIONS_EACH: Final = 2
CLIENTS: Final = ("carebridge-provider", "cascade-mmis", "ozark-exchange", "ozark-secure", "heartland-selfservice")
BATCH: Final = 50_000


def grow(database: Path, *, people: int) -> int:
    """Add so many people with all that hangs on them; says how many grants there are now."""
    sessions = people * SESSIONS_EACH
    grants = sessions * len(CLIENTS)
    client = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(CLIENTS))
    of_session = f"{_key('b')[:-1].replace('n.i', f'((n.i - 1) / {len(CLIENTS)} + 1)')})"
    person = "printf('grown%021d', {})"
    of_grant = {
        "client_id": f"CASE (n.i % {len(CLIENTS)}) {client} END",
        "subject_id": person.format(f"((n.i - 1) / {len(CLIENTS) * SESSIONS_EACH} + 1)"),
    }
    in_session = {**of_grant, "session_id": of_session}
    with _opened(database) as found:
        named = dict.fromkeys(("email", "email_key"), "'grown.' || n.i || '@people.example'")
        logins = dict.fromkeys(("user_id", "user_id_key"), "'grown.' || n.i")
        _copy(found, "subject", people, {"id": person.format("n.i"), **named, **logins})
        _copy(found, "affiliation", people, {"id": _key("a"), "subject_id": person.format("n.i")})
        for table in ("affiliation_evidence", "held_level"):
            _copy(found, table, people, {"id": _key("e"), "affiliation_id": _key("a")})
        owner = person.format(f"((n.i - 1) / {SESSIONS_EACH} + 1)")
        digests = {"digest": "randomblob(32)", "browser_digest": "randomblob(32)"}
        _copy(found, "browser_session", sessions, {"id": _key("b"), "subject_id": owner, **digests})
        joined = {name: expression for name, expression in in_session.items() if name != "subject_id"}
        _copy(found, "participant", grants, {"sid": _key("d"), **joined})
        _copy(found, "oauth_grant", grants, {"id": _key("c"), "sid": _key("d"), "affiliation_id": "NULL", **in_session})
        kept = {"id": _key("f"), "digest": "randomblob(32)", "family": _key("c"), "subject_id": of_grant["subject_id"]}
        _copy(found, "artefact", grants, kept, where="kind = 'refresh'")
        found.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        counted: int = found.execute("SELECT count(*) FROM oauth_grant").fetchone()[0]
        return counted


def add_expired(database: Path, *, count: int) -> None:
    """Artefacts that were over two days ago."""
    with _opened(database) as found:
        over = {"created_at": "datetime('now', '-3 days')", "expires_at": "datetime('now', '-2 days')"}
        kept = {"id": _key("9"), "digest": "randomblob(32)", "used_at": over["created_at"], **over}
        _copy(found, "artefact", count, kept, where="kind = 'refresh'")
        found.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def count_artefacts(database: Path) -> int:
    with closing(sqlite3.connect(database, timeout=60)) as found:
        counted: int = found.execute("SELECT count(*) FROM artefact").fetchone()[0]
        return counted


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    """For much at once: it waits for the disk only at its end."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as found:
        for setting in ("foreign_keys=ON", "synchronous=OFF", "cache_size=-200000"):
            found.execute(f"PRAGMA {setting}")
        yield found


def _key(tag: str) -> str:
    """The expression of a key that no other table's rows have."""
    return f"printf('{tag}%031x', n.i)"


def _copy(
    found: sqlite3.Connection, table: str, count: int, changed: Mapping[str, str], *, where: str = "1 = 1"
) -> None:
    """Copies of the first row, but for the columns that are `changed`; so many to a transaction that readers go on."""
    columns = [str(row[1]) for row in found.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    for begun in range(0, count, BATCH):
        upto = min(begun + BATCH, count)
        found.execute(
            f"WITH RECURSIVE n(i) AS (SELECT {begun + 1} UNION ALL SELECT i + 1 FROM n WHERE i < {upto})"
            f" INSERT INTO {table} ({names}) SELECT {values} FROM n, (SELECT * FROM {table} WHERE {where} LIMIT 1) t"
        )
