"""Many new rows at once: PostgreSQL's COPY, SQLite's executemany, inside the transaction at hand."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def add(tx: Session, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows of text, days, moments and bytes; each a tuple in the order of `columns`."""
    if not rows:
        return
    connection = tx.connection()
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
        return
    names = ", ".join(f'"{name}"' for name in columns)
    driver: Any = connection.connection.dbapi_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        copy.write("".join(_lines(rows)))


def _lines(rows: Iterable[tuple[Any, ...]]) -> Iterable[str]:
    for row in rows:
        yield "\t".join([_cell(value) for value in row]) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value.translate(_ESCAPES) if "\\" in value or not value.isprintable() else value
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    assert isinstance(value, date | datetime), "only what `add` promises"
    return value.isoformat()
