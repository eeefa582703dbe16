"""`idp doctor`: looks at everything that Credence stands on, and says what to do about what is wrong."""

import json
import os
import shutil
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import click
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from idp.foundation import clock, timekeeping
from idp.foundation.database import engine_options
from idp.foundation.store import Store
from idp.keyring import rotation
from idp.keyring.folder import KeysUnusable
from idp.migrations import run as migrations
from idp.settings import Settings, WrongSettings, key_problems, load

_LEAST_FREE: Final = 512 * 1024 * 1024
_SKEW: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do."""

    what: str
    state: Literal["ok", "warning", "bad"]
    said: str
    to_do: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Check settings, database, Redis, keys, mail, clock, disk and permissions. Exit 1 if anything is bad."""
    findings = list(examine())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{finding.state:<8} {finding.what:<12} {finding.said}")
            if finding.to_do:
                click.echo(f"{'':<8} {'':<12} → {finding.to_do}")
    context.exit(1 if any(finding.state == "bad" for finding in findings) else 0)


def examine() -> Iterator[Finding]:
    """All findings; wrong settings end the examination, since nothing else can be looked at."""
    try:
        settings = load()
    except WrongSettings as error:
        for line in error.lines:
            yield Finding("settings", "bad", line, "correct it in the environment or in credence.toml")
        return
    yield Finding("settings", "ok", f"{settings.mode}, issuer {settings.issuer}")
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (_database, _redis, keys_found, _mail, _disk)
    for check in checks:
        yield from check(settings)


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        pending = migrations.pending(settings)
        if not pending:
            yield from _clock(settings)
    except SQLAlchemyError as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        yield Finding("database", "bad", f"does not answer ({kind})", "check IDP_DATABASE_URL, and that it runs")
        return
    if pending:
        yield Finding("database", "bad", f"lacks {', '.join(pending)}", "run `idp db upgrade`")
        return
    yield Finding("database", "ok", "SQLite" if settings.sqlite else "PostgreSQL")
    if settings.sqlite and not settings.demo:
        yield Finding("database", "warning", "SQLite in production: one machine only", "PostgreSQL for several nodes")
    if not settings.sqlite and _owns_its_tables(settings):
        said = "the application is the owner of its tables: neither the audit nor the row fences hold against it"
        yield Finding("database", "warning", said, "give the application a role of its own (docs/operations.md)")


def _owns_its_tables(settings: Settings) -> bool:
    """Whether the serving role could rewrite the audit. The database is asked: a node without the owner's address has only one."""
    query = "SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = 'audit_event'::regclass"
    engine = create_engine(settings.database_url, poolclass=NullPool, **_connecting(settings))
    with engine.connect() as connection:
        return bool(connection.execute(text(query)).scalar_one())


def _clock(settings: Settings) -> Iterator[Finding]:
    engine = create_engine(settings.database_url, poolclass=NullPool, **_connecting(settings))
    query = "SELECT strftime('%s', 'now')" if settings.sqlite else "SELECT extract(epoch FROM now())"
    with engine.connect() as connection:
        there = datetime.fromtimestamp(float(connection.execute(text(query)).scalar_one()), UTC)
        newest = timekeeping.newest(connection.connection.dbapi_connection)
    now = clock.now()
    apart, behind = abs(now - there), (newest or now) - now
    if apart > _SKEW:
        at = int(timekeeping.MOST_APART.total_seconds())
        said = f"{int(apart.total_seconds())} s apart from the database's; from {at} s on this node writes nothing"
        yield Finding("clock", "bad", said, "let NTP set both clocks, then restart")
    elif behind > _SKEW:
        said = f"{int(behind.total_seconds())} s before the newest moment in the database"
        to_do = "set the clock right; if an earlier one stood too late, start once with IDP_CLOCK_MAY_GO_BACK=true"
        yield Finding("clock", "bad", said, to_do)
    else:
        yield Finding("clock", "ok", "agrees with the database's")


def _connecting(settings: Settings) -> dict[str, Any]:
    return {"connect_args": engine_options(settings.database_url)["connect_args"]}


def _redis(settings: Settings) -> Iterator[Finding]:
    alive = Store(settings.redis_url).alive()
    if alive is None:
        yield Finding("redis", "ok", "none: the database counts and caches")
    elif alive:
        yield Finding("redis", "ok", "answers")
    else:
        yield Finding(
            "redis", "warning", "does not answer in time", "everything works, more slowly; check IDP_REDIS_URL"
        )


def keys_found(settings: Settings) -> Iterator[Finding]:
    """Whether the folder is sound, and whether it is older than a use of keys."""
    problems = list(key_problems(settings))
    for problem in problems:
        yield Finding("keys", "bad", problem, "see docs/operations.md, *Keys*")
    if problems:
        return
    try:
        lacking = sorted({str(use) for use, _alg, _state in rotation.missing(rotation.listed(settings.keys_dir))})
    except KeysUnusable as error:
        yield Finding("keys", "bad", str(error), "see docs/operations.md, *Keys*")
        return
    if lacking:
        without = f"none yet, or no next one, for {', '.join(lacking)}: what needs them does not work"
        yield Finding("keys", "warning", without, "run `idp keys create`; it replaces nothing")
    else:
        yield Finding("keys", "ok", f"in {settings.keys_dir.name}/")


def _mail(settings: Settings) -> Iterator[Finding]:
    if settings.smtp_url is None:
        yield Finding("mail", "ok", "none: the demo shows mails at /dev/outbox")
        return
    parts = urlsplit(settings.smtp_url)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
    try:
        with kind(parts.hostname or "", port, timeout=5) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        said = f"the server does not answer ({type(error).__name__})"
        yield Finding("mail", "bad", said, "check IDP_SMTP_URL; until then mails wait in the outbox")
    else:
        yield Finding("mail", "ok", "the server answers")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.is_dir():
        yield Finding("disk", "bad", "the data folder is not there", "run `idp init`")
        return
    if not os.access(folder, os.W_OK):
        yield Finding("disk", "bad", "the data folder cannot be written to", "give it to the user that runs Credence")
    if folder.stat().st_mode & 0o077 and settings.sqlite and not settings.demo:
        yield Finding("disk", "warning", "others may look into the data folder", "chmod 700 it")
    free = shutil.disk_usage(folder).free
    state: Literal["ok", "bad"] = "ok" if free > _LEAST_FREE else "bad"
    yield Finding("disk", state, f"{free // 1024**2} MiB free", "" if state == "ok" else "make room: writes will fail")
