"""SQL: one engine, three ways in. `writing()` commits on return and rolls back on an exception; `reading()` takes no
lock; `looking_up()` reads by Core alone, for the hot paths.

At most two write transactions a request (DESIGN §4.4): *reserve* and *act*. SQLite begins them IMMEDIATE, so a
read-then-write never loses a race half way; PostgreSQL runs them READ COMMITTED with conditional updates.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Dialect, Engine, MetaData, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction
from sqlalchemy.types import TypeDecorator

from idp.foundation import dialects

WRITES_A_REQUEST: Final = 2
_NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Model(DeclarativeBase):
    """Base of every room's tables."""

    metadata = MetaData(naming_convention=_NAMING)


db = SQLAlchemy(model_class=Model)

Json = JSON().with_variant(JSONB(), "postgresql")

Rows = Session | Connection
"""What a function needs that only reads, and by Core: every way in gives one.

Core flushes nothing first: a transaction that has added rows by the ORM flushes them before it asks for them.
"""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC on every database; a naive one is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment must be aware")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Any:
        """SQLite's text at once: a sign-in binds eighty moments and reads as many."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return _of_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _as_text(value: datetime | None) -> str | None:
    """As SQLAlchemy's type of SQLite writes it: in UTC without saying so, with all six digits."""
    if value is not None and value.tzinfo is None:
        raise ValueError("a stored moment must be aware")
    return None if value is None else value.astimezone(UTC).isoformat(" ", "microseconds")[: -len("+00:00")]


def _of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562 §5.7; §6.2 method 3: 12 bits for the part of the millisecond): new rows land at the
    end of the index, and those of one process sort as they were made.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = (nanoseconds << 12) // 1_000_000
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0x2 << 62) | secrets.randbits(62))


def first_id(moment: datetime) -> UUID:
    """Every id made before the moment is less than this one."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (0x7 << 76) | (0x2 << 62))


_budget: ContextVar[list[int] | None] = ContextVar("write_budget", default=None)


@contextmanager
def write_budget(limit: int = WRITES_A_REQUEST) -> Iterator[None]:
    """Within one request a further write transaction is a programming error; the front door opens this."""
    token = _budget.set([limit])
    try:
        yield
    finally:
        _budget.reset(token)


def never_write() -> None:
    """No write transaction in this context from now on: for what runs on an event loop, where everybody would wait."""
    _budget.set([0])


class Quick(Session):
    """A session that hands Core's statements straight to its connection: the ORM has no part in them, but would cost a
    third of each (docs/performance.md). `do_orm_execute` hears of the ORM's statements alone.
    """

    _straight: Connection | None = None

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As `Session.execute`, for the ORM's statements too."""
        if options or statement._propagate_attrs or not self.is_active:
            return super().execute(statement, params, **options)
        self._autoflush()
        straight = self._straight
        if straight is None or straight.closed:
            straight = self._straight = self.connection()
        return straight.execute(statement, params)

    def begin(self, nested: bool = False) -> SessionTransaction:
        """As `Session.begin`; a savepoint is made by the first `connection()` in it, so the one at hand is let go."""
        self._straight = None
        return super().begin(nested)


def _for_writes(engine: Engine) -> Engine:
    """The engine as writes use it, made once; while somebody listens to the engine, anew each time."""
    kept: Engine | None = None if engine._has_events else engine.__dict__.get("credence_for_writes")
    if kept is None:
        kept = engine.__dict__["credence_for_writes"] = engine.execution_options(credence_write=True)
    return kept


class Writing(Quick):
    """A transaction of `writing`: what must leave a trace of every change listens to this class."""


_guards: Final[WeakKeyDictionary[Engine, Callable[[Rows], None]]] = WeakKeyDictionary()


def guard(engine: Engine, asked: Callable[[Rows], None]) -> None:
    """Ask this first in each `writing` and `looking_up` on that engine; what it raises stops both."""
    _guards[engine] = asked


@contextmanager
def writing() -> Iterator[Session]:
    """One write transaction; what it holds is committed together or not at all."""
    left = _budget.get()
    if left is not None:
        if left[0] == 0:
            raise RuntimeError("a request has at most two write transactions (DESIGN §4.4)")
        left[0] -= 1
    with Writing(_for_writes(db.engine), expire_on_commit=False) as tx, tx.begin():
        if _guards and (asked := _guards.get(db.engine)) is not None:
            asked(tx)
        yield tx


@contextmanager
def counting() -> Iterator[Connection]:
    """A write transaction for counters alone, before those of the request: by Core, and told to nobody.

    What a person or the audit could miss belongs in `writing`.
    """
    with _for_writes(db.engine).begin() as connection:
        yield connection


@contextmanager
def reading() -> Iterator[Session]:
    """A read: every statement sees what is committed, and whatever it should change by mistake is rolled back.

    It never commits; the database is not asked to refuse writes, which would cost PostgreSQL a round trip more.
    """
    with Quick(db.engine, expire_on_commit=False, autoflush=False) as tx:
        yield tx


@contextmanager
def looking_up(*, fenced: bool = False) -> Iterator[Connection]:
    """A read without the ORM's Session, at half of its cost: for token, UserInfo and introspection (PERFORMANCE §3).

    Who calls `see_as` in it says `fenced`; everybody else saves PostgreSQL's BEGIN and ROLLBACK: SELECTs alone belong here.
    """
    with db.engine.connect() as connection:
        if not fenced and connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="AUTOCOMMIT")
        if _guards and (asked := _guards.get(db.engine)) is not None:
            asked(connection)
        yield connection


def see_as(tx: Rows, *, subject_id: str | None = None, target_id: UUID | None = None, everything: bool = False) -> None:
    """Open the row-level fence of PostgreSQL for the rest of this transaction (SECURITY ruling 20).

    Without it the application's role sees no row of `affiliation`; SQLite has no such fence and needs none
    of this. `everything` is for imports, sweeps and the worker.
    """
    bind = tx.get_bind() if isinstance(tx, Session) else tx
    if bind.dialect.name != "postgresql":
        return
    scope: Mapping[str, str] = {
        "subject": subject_id or "",
        "target": str(target_id or ""),
        "everything": "on" if everything else "",
    }
    tx.execute(
        text(
            "SELECT set_config('credence.subject', :subject, true), set_config('credence.target', :target, true),"
            " set_config('credence.everything', :everything, true)"
        ),
        scope,
    )


def attach(app: Flask, *, url: str) -> None:
    """Give `app` its engine; limits are those of SECURITY R-11 and R-12."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)


def engine_options(url: str) -> dict[str, Any]:
    """Pool and driver options for a database address."""
    if url.startswith("sqlite"):
        return {"pool_timeout": 2, "connect_args": {"timeout": 5}}
    return {
        "pool_timeout": 2,
        "pool_pre_ping": False,
        "pool_recycle": 900,
        "connect_args": {"connect_timeout": 2, "options": "-c statement_timeout=2500 -c lock_timeout=2000"},
    }


def prepare(engine: Engine) -> None:
    """Make SQLite behave as this module promises, and let PostgreSQL's driver keep what it has prepared."""
    if engine.dialect.driver == "psycopg":
        engine.dialect.__class__ = dialects.Keeping
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=5000")
        cursor.close()

    engine.dialect.__class__ = dialects.Deferred
