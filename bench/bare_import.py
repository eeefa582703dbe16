"""The bare path of an import: the same rows of NPPES parsed by the same rules, then PostgreSQL's COPY, or `executemany` of
SQLite, and nothing else.

No row is compared with what is there, no vocabulary is kept, nothing is audited: what the database and the parsing cost.
`python -m bench.nppes 400000 | python -m bench.bare_import`, with `IDP_DATABASE_URL` naming an empty, migrated database.
"""

import itertools
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from idp.directory.imports.npi.formats import Nppes
from idp.directory.imports.npi.rules import NpiRow
from idp.directory.rules import key_words

BATCH: Final = 1000
SQLITE: Final = "sqlite:///"
_RECORD: Final = (
    "npi", "source", "entity", "name", "name_key", "state", "zip_code", "status", "enumerated_on", "updated_on",
    "deactivated_on", "reactivated_on", "digest", "imported_at",
)  # fmt: skip
_WORD: Final = ("word", "name_key", "npi", "source", "state")


def main() -> None:
    """Take standard input in, a thousand rows a transaction."""
    kind, now, url = Nppes(), datetime.now(UTC), os.environ["IDP_DATABASE_URL"]
    parsed = (kind.parse(line.cells) for line in kind.read(sys.stdin.buffer, name="stdin"))
    rows = (row for row in parsed if isinstance(row, NpiRow))
    if url.startswith(SQLITE):
        _sqlite(url.removeprefix(SQLITE), rows, now)
    else:
        _postgresql(url, rows, now)


def _postgresql(url: str, rows: Iterable[NpiRow], now: datetime) -> None:
    with psycopg.connect(url) as connection:
        for batch in _batches(rows):
            with connection.transaction(), connection.cursor() as cursor:
                for table, columns, made in (("npi_record", _RECORD, _records), ("npi_word", _WORD, _words)):
                    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                        for row in made(batch, now):
                            copy.write_row(row)


def _sqlite(path: str, rows: Iterable[NpiRow], now: datetime) -> None:
    """As durable as the product's own: the journal and what is synced are the same."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    for batch in _batches(rows):
        connection.execute("BEGIN IMMEDIATE")
        for table, columns, made in (("npi_record", _RECORD, _records), ("npi_word", _WORD, _words)):
            marks = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",
                (tuple(map(_plain, row)) for row in made(batch, now)),
            )
        connection.execute("COMMIT")
    connection.close()


def _batches(rows: Iterable[NpiRow]) -> Iterator[list[NpiRow]]:
    every = iter(rows)
    while batch := list(itertools.islice(every, BATCH)):
        yield batch


def _records(batch: list[NpiRow], now: datetime) -> Iterator[tuple[Any, ...]]:
    for row in batch:
        yield (
            row.npi, "nppes", row.entity, row.name, row.name_key, row.state, row.zip_code, row.status.value,
            row.enumerated_on, row.updated_on, row.deactivated_on, row.reactivated_on, row.digest, now,
        )  # fmt: skip


def _words(batch: list[NpiRow], _now: datetime) -> Iterator[tuple[Any, ...]]:
    for row in batch:
        for word in key_words(row.name_key):
            yield word, row.name_key, row.npi, "nppes", row.state


def _plain(value: object) -> object:
    """As SQLAlchemy stores days and moments in SQLite."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    return value.isoformat() if hasattr(value, "isoformat") else value


if __name__ == "__main__":
    main()
