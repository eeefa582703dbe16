"""Many new rows at once: PostgreSQL's COPY, SQLite's executemany, inside the transaction at hand."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, insert
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
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
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
