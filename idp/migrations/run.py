"""Run migrations: one migrator at a time, each migration wholly or not at all, the application's role with exactly its rights.

Each has a transaction of its own: what one has locked is free again before the next begins, which may work for minutes.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, func, make_url, select, text
from sqlalchemy.pool import NullPool

from idp.foundation.database import prepare
from idp.migrations.fences import give_rights, give_rights_to_new
from idp.migrations.tables import metadata
from idp.settings import Settings

_ADVISORY_LOCK: Final = 0x63726564
"""`cred`; any number that nothing else in this database locks."""
_ASK_AGAIN: Final = 0.2


def upgrade(settings: Settings, *, to: str = "head") -> tuple[str, ...]:
    """Bring the database to `to`; returns the revisions that were run. A second migrator waits, then finds nothing.

    One that fails or is killed leaves those before it, with their rights: the next run goes on from there.
    A database of a later release is left as it is: each migration works with the release before it (DESIGN §8).
    """
    role = make_url(settings.database_url).username

    def applied(*, ctx: MigrationContext, **_: object) -> None:
        if ctx.connection is not None and ctx.connection.dialect.name == "postgresql":
            give_rights_to_new(ctx.connection, role=role)

    with _migrating(settings) as connection:
        with connection.begin():
            later, before = _later(connection), _pending(connection)
        if later is not None:
            return ()
        command.upgrade(_config(connection, applied=applied), to)
        connection.rollback()  # of what was only read, where nothing was left to run
        with connection.begin():
            if connection.dialect.name == "postgresql":
                give_rights(connection, role=role)
            left = _pending(connection)
    return tuple(revision for revision in before if revision not in left)


def pending(settings: Settings) -> tuple[str, ...]:
    """Revisions that the database still lacks, oldest first; changes nothing, not even an absent SQLite file."""
    url = make_url(settings.database_url)
    if settings.sqlite and not (url.database and Path(url.database).exists()):
        return _revisions()
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return _pending(connection)


def later(settings: Settings) -> str | None:
    """The revision of a database that a later release has migrated (R-26); `None`: we know all that it has."""
    url = make_url(settings.database_url)
    if settings.sqlite and not (url.database and Path(url.database).exists()):
        return None
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return _later(connection)


def differences(settings: Settings) -> list[Any]:
    """What the models have and the migrated database has not, or the other way round."""
    engine = create_engine(settings.database_owner_url, poolclass=NullPool)
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata()))


@contextmanager
def _migrating(settings: Settings) -> Iterator[Connection]:
    """The owner's connection, outside any transaction, while nobody else migrates."""
    engine = create_engine(settings.database_owner_url, poolclass=NullPool)
    if settings.sqlite:
        prepare(engine)
        file = Path(str(make_url(settings.database_owner_url).database))
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file.with_name(f"{file.name}.migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with engine.execution_options(credence_write=True).connect() as connection:
                yield connection
        return
    with engine.connect() as connection:
        while not _ours(connection):
            time.sleep(_ASK_AGAIN)
        with connection.begin():
            connection.execute(text("SET lock_timeout = '2s'"))
        yield connection


def _ours(connection: Connection) -> bool:
    """Whether this connection now migrates: until it is closed, so that a killed one works on no longer than it holds this.

    Asked again and again, not waited for: an index that is built beside everything waits for whoever waits in a statement.
    """
    with connection.begin():
        return bool(connection.execute(select(func.pg_try_advisory_lock(_ADVISORY_LOCK))).scalar_one())


def _config(connection: Connection | None = None, *, applied: Callable[..., None] | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["applied"] = applied
    return config


def _revisions() -> tuple[str, ...]:
    script = ScriptDirectory.from_config(_config())
    return tuple(reversed([revision.revision for revision in script.walk_revisions()]))


def _pending(connection: Connection) -> tuple[str, ...]:
    current = MigrationContext.configure(connection).get_current_revision()
    revisions = _revisions()
    if current is None:
        return revisions
    return revisions[revisions.index(current) + 1 :] if current in revisions else ()


def _later(connection: Connection) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    return None if current is None or current in _revisions() else current
