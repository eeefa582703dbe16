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


def analyze(settings: Settings) -> None:
    """PostgreSQL learns how much there is, as autovacuum tells it sooner or later."""
    url = settings.database_owner_url.replace("credence_owner", "postgres").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as found:
        found.execute("ANALYZE")


def rows_read(connection: Connection, statement: str, parameters: Any) -> dict[str, float]:
    """Of each table: what came of its scans, and what they threw away."""
    explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
    read: dict[str, float] = {}
    waiting = [explained[0]["Plan"]]
    for node in waiting:
        waiting += node.get("Plans", ())
        if "Relation Name" in node:
            each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            each += node.get("Rows Removed by Index Recheck", 0)
            table = node["Relation Name"]
            read[table] = read.get(table, 0) + each * node["Actual Loops"]
    return read


def sqlite_plan(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """The steps of SQLite's plan that look something up or sort."""
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
