"""What a statement reads, counted by the database itself: SQLite's steps, PostgreSQL's rows. Neither depends on the machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Connection

from idp.foundation.database import db
from idp.settings import Settings

Asked = tuple[str, Any]


@contextmanager
def asked(*kinds: str) -> Iterator[list[Asked]]:
    """The statements of these kinds; what adds rows by their values has no plan."""
    seen: list[Asked] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(kinds) and not many and not statement.startswith("SELECT set_config"):
            seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def analyze(settings: Settings, *tables: str) -> None:
    """PostgreSQL learns how much there is, as autovacuum tells it sooner or later; of these tables also what everybody sees."""
    url = settings.database_owner_url.replace("credence_owner", "postgres").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as found:
        found.execute(f"VACUUM ANALYZE {', '.join(tables)}" if tables else "ANALYZE")


def rows_read(connection: Connection, statement: str, parameters: Any) -> dict[str, float]:
    """Of each table: what came of its scans, and what they threw away."""
    read: dict[str, float] = {}
    for node in postgres_plan(connection, statement, parameters):
        if "Relation Name" in node:
            each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            each += node.get("Rows Removed by Index Recheck", 0)
            table = node["Relation Name"]
            read[table] = read.get(table, 0) + each * node["Actual Loops"]
    return read


def postgres_plan(connection: Connection, statement: str, parameters: Any) -> list[dict[str, Any]]:
    """The nodes of PostgreSQL's plan, with what each has read."""
    explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
    nodes = [explained[0]["Plan"]]
    for node in nodes:
        nodes += node.get("Plans", ())
    return nodes


def at_size(connection: Connection) -> None:
    """PostgreSQL plans the rest of the transaction as among millions: to walk a table or to sort it is never the cheaper way."""
    if connection.dialect.name == "postgresql":
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort", "hashjoin", "mergejoin", "material"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")


def sqlite_plan(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """The steps of SQLite's plan that look something up or sort."""
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def wasted(connection: Connection, statement: str, parameters: Any, *, most: int) -> list[str]:
    """Where a statement walks a table or a registry: as SQLite plans it; as PostgreSQL reads more than `most` rows of a table."""
    if connection.dialect.name == "postgresql":
        read = rows_read(connection, statement, parameters)
        return [f"{rows:.0f} of {table}" for table, rows in read.items() if rows > most]
    steps = sqlite_plan(connection, statement, parameters)
    walked = [
        step
        for step in steps
        if step.startswith("SCAN") and not any(of in step for of in ("SUBQUERY", "anon", "CONSTANT"))
    ]
    return walked + [step for step in steps if step.endswith("(registry=?)")]
