"""Run migrations: one migrator at a time, all of it or nothing, and the application's role with exactly its rights."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from idp.foundation.database import prepare
from idp.migrations.fences import give_rights
from idp.migrations.tables import metadata
from idp.settings import Settings

_ADVISORY_LOCK: Final = 0x63726564
"""`cred`; any number that nothing else in this database locks."""


def upgrade(settings: Settings, *, to: str = "head") -> tuple[str, ...]:
    """Bring the database to `to`; returns the revisions that were run. A second migrator waits, then finds nothing.

    A database of a later release is left as it is: each migration works with the release before it (DESIGN §8).
    """
    with _migrating(settings) as connection:
        if _later(connection) is not None:
            return ()
        before = _pending(connection)
        command.upgrade(_config(connection), to)
        if connection.dialect.name == "postgresql":
            give_rights(connection, role=make_url(settings.database_url).username)
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
    engine = create_engine(settings.database_owner_url, poolclass=NullPool)
    if settings.sqlite:
        prepare(engine)
        file = Path(str(make_url(settings.database_owner_url).database))
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with file.with_name(f"{file.name}.migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with engine.execution_options(credence_write=True).begin() as connection:
                yield connection
        return
    with engine.connect() as holder:
        holder.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _ADVISORY_LOCK})
        holder.commit()
        try:
            with engine.begin() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '2s'"))
                yield connection
        finally:
            holder.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _ADVISORY_LOCK})
            holder.commit()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
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
