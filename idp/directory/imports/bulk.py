"""Many new rows at once: PostgreSQL's COPY, SQLite's executemany, inside the transaction at hand."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, Dialect, String, Table, any_, literal
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def add(tx: Session, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows of text, days, moments and bytes; each a tuple in the order of `columns`.

    What the database refuses is raised as SQLAlchemy's errors are, whichever way the rows went.
    """
    if not rows:
        return
    connection = tx.connection()
    if connection.dialect.name != "postgresql":
        _add_all(connection, table, columns, rows)
        return
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'COPY "{table.name}" ({names}) FROM STDIN'
    driver: Any = connection.connection.dbapi_connection
    refused: Any = connection.dialect.dbapi
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except refused.Error as error:
        raise DBAPIError.instance(statement, None, error, refused.Error, dialect=connection.dialect) from error


def among(tx: Session, column: Column[str], values: Sequence[str]) -> ColumnElement[bool]:
    """The column is one of a batch's values: PostgreSQL takes them as one array, so that the statement is planned once."""
    if tx.get_bind().dialect.name != "postgresql":
        return column.in_(values)
    return column == any_(literal(list(values), ARRAY(String)))


def _add_all(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Column by column: SQLAlchemy's own way, a dictionary a row, costs as much again as SQLite does."""
    ways = (_way(table, name, connection.dialect) for name in columns)
    stored = (
        values if way is None else map(way, values) for way, values in zip(ways, zip(*rows, strict=True), strict=True)
    )
    marks = ", ".join("?" * len(columns))
    names = ", ".join(f'"{name}"' for name in columns)
    every: Iterator[tuple[Any, ...]] = zip(*stored, strict=True)
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - names of our own models
    connection.exec_driver_sql(statement, list(every))


def _way(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    """How a column's type is written by this driver; none where its values are taken as they are."""
    kind = table.c[name].type.dialect_impl(dialect)
    return kind.bind_processor(dialect)
