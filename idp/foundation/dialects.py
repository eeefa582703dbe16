"""How our transactions begin and end on each database, said to SQLAlchemy by the dialect.

By the dialect and not by events: one listener on an engine makes SQLAlchemy tell four events of each statement.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import PoolProxiedConnection


class Keeping(PGDialect_psycopg):
    """Ends a read without psycopg's own `rollback()`, which forgets every prepared statement, for a table made anew could be
    what is rolled back: each statement of the next read would be planned again (five times UserInfo's CPU).

    PostgreSQL keeps them through a ROLLBACK, and no transaction of ours makes a table. After an error psycopg forgets
    as ever, so that a plan that has become void heals itself.
    """

    supports_statement_cache = True

    def do_rollback(self, dbapi_connection: PoolProxiedConnection) -> None:
        driver = dbapi_connection.dbapi_connection
        assert driver is not None, "a connection that is rolled back was open"
        pq = self.loaded_dbapi.pq
        whole = driver.pgconn.transaction_status == pq.TransactionStatus.INTRANS
        if not whole or driver.pgconn.exec_(b"ROLLBACK").status != pq.ExecStatus.COMMAND_OK:
            driver.rollback()


class Deferred(SQLiteDialect_pysqlite):
    """Begins what the driver is told not to begin; an engine for writes gets the same dialect, `Immediate`."""

    supports_statement_cache = True
    begin = "BEGIN"
    at_once: "Immediate | None" = None

    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        driver = dbapi_connection.dbapi_connection
        assert driver is not None, "a connection that begins is open"
        driver.execute(self.begin)

    def set_engine_execution_options(self, engine: Engine, opts: Mapping[str, Any]) -> None:
        if opts.get("credence_write"):
            if self.at_once is None:
                self.at_once = Immediate.__new__(Immediate)
                self.at_once.__dict__ = self.__dict__  # one state: what the first connection tells is known to both
            engine.dialect = self.at_once
        super().set_engine_execution_options(engine, opts)


class Immediate(Deferred):
    supports_statement_cache = True
    begin = "BEGIN IMMEDIATE"
