"""An index of a large table, built beside everything else: nobody who reads or writes waits for it."""

from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import Connection, text


def create_index(name: str, table: str, columns: Sequence[str], **options: Any) -> None:
    """Build it; on PostgreSQL outside a transaction, so that a killed upgrade may leave one that is not valid: it is built anew.

    It waits for the transactions that run when it begins, without a limit: whoever comes after them does not wait for it.
    """
    if op.get_bind().dialect.name != "postgresql":
        op.create_index(name, table, columns, **options)
        return
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        if _valid(connection, name) is True:
            return
        connection.execute(text("SET lock_timeout = 0"))
        op.drop_index(name, table_name=table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)
        connection.execute(text("SET lock_timeout = '2s'"))


def _valid(connection: Connection, name: str) -> bool | None:
    """`None`: there is no such index."""
    query = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return connection.execute(query, {"name": name}).scalar_one_or_none()
