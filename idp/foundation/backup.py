"""A consistent copy of the database while it is used. Restoring it is an operator's act, followed by `idp epoch bump`."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from idp.settings import Settings
from idp.vocabulary.refused import Refused


class Reason(StrEnum):
    """Why there is no backup."""

    EXISTS = "exists"
    NO_DATABASE = "no_database"
    NO_PG_DUMP = "no_pg_dump"
    DUMP_FAILED = "dump_failed"


SENTENCES: Final = {
    Reason.EXISTS: "the file exists already; a backup never overwrites one",
    Reason.NO_DATABASE: "there is no database yet",
    Reason.NO_PG_DUMP: "pg_dump is not installed: apt-get install -y --no-install-recommends postgresql-client",
    Reason.DUMP_FAILED: "pg_dump failed: can the owner's role log in (IDP_DATABASE_OWNER_URL)?",
}


def backup(settings: Settings, *, file: Path) -> int | Refused:
    """Write the copy, readable by its owner only, whole or not at all; its size in bytes."""
    if file.exists():
        return Refused(Reason.EXISTS)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        refused = _copy_sqlite(settings, partial) if settings.sqlite else _dump_postgres(settings, partial)
        if refused is not None:
            return refused
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.rename(file)
        return file.stat().st_size
    finally:
        partial.unlink(missing_ok=True)


def _copy_sqlite(settings: Settings, partial: Path) -> Refused | None:
    source = Path(str(make_url(settings.database_url).database))
    if not source.is_file():
        return Refused(Reason.NO_DATABASE)
    with closing(sqlite3.connect(source, timeout=5)) as live, closing(sqlite3.connect(partial)) as copy:
        live.backup(copy, pages=1000, sleep=0.01)
    return None


def _dump_postgres(settings: Settings, partial: Path) -> Refused | None:
    program = shutil.which("pg_dump")
    if program is None:
        return Refused(Reason.NO_PG_DUMP)
    url = make_url(settings.database_owner_url)
    place = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGDATABASE": url.database}
    env = os.environ | {name: str(value) for name, value in place.items() if value is not None}
    if url.password is not None:
        env["PGPASSWORD"] = str(url.password)
    ran = subprocess.run(
        [program, "--format=custom", "--no-owner", f"--file={partial}"], env=env, capture_output=True, check=False
    )
    return Refused(Reason.DUMP_FAILED) if ran.returncode else None
