"""`idp init|serve|settings|db|epoch`."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from pydantic import BaseModel

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import artefacts, clock, epochs, logs
from idp.foundation import backup as backups
from idp.foundation import serve as server
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.keyring import rotation
from idp.migrations import run as migrations
from idp.settings import HOLDS_SECRET, Settings, gather, load
from idp.vocabulary.refused import Refused

_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.command()
@_json
def init(*, as_json: bool) -> None:
    """Make what is missing: the data folder, the tables, the first keys. May be run again."""
    settings = load()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ran = migrations.upgrade(settings)
    made = rotation.create(settings.keys_dir, now=clock.now(), demo=settings.demo)
    kids = () if isinstance(made, Refused) else made
    if kids:
        _audit_keys(settings, kids)
    if as_json:
        click.echo(json.dumps({"migrated": ran, "keys": kids}))
        return
    click.echo(f"tables: {', '.join(ran) if ran else 'nothing to do'}")
    click.echo(f"keys: {', '.join(kids) if kids else 'nothing to do'}")


def _audit_keys(settings: Settings, kids: tuple[str, ...]) -> None:
    from idp import create_app

    with create_app(settings).app_context(), writing() as tx:
        for kid in kids:
            audit.append(
                tx, Event.KEY_CREATED, now=clock.now(), actor="system", origin=Origin.local("cli"), details={"kid": kid}
            )


@click.command()
@click.option("--workers", type=click.IntRange(1, 256), help="Processes; default: IDP_WORKERS.")
@click.option("--bind", metavar="HOST:PORT", help="Where to listen; default: IDP_BIND.")
def serve(*, workers: int | None, bind: str | None) -> None:
    """Serve, in production too. SIGHUP starts fresh workers, SIGTERM lets requests end (15 s at most)."""
    given: dict[str, Any] = {"workers": workers, "bind": bind}
    settings = load(overrides={name: value for name, value in given.items() if value is not None}, serving=True)
    logs.setup(level=settings.log_level)
    if pending := migrations.pending(settings):
        raise click.ClickException(f"the database lacks {', '.join(pending)}: run `idp db upgrade`")
    server.serve(settings)


@click.command("settings")
@_json
def settings(*, as_json: bool) -> None:
    """Each setting, its value (secrets masked) and where it came from."""
    gathered = gather()
    current = load()
    rows = [
        {"name": name, "value": shown(current, name), "source": gathered.sources.get(name, "default")}
        for name in Settings.model_fields
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    widths = [max(len(row[column]) for row in rows) for column in ("name", "value")]
    for row in rows:
        click.echo(f"{row['name']:<{widths[0]}}  {row['value']:<{min(widths[1], 60)}}  {row['source']}")


def shown(model: BaseModel, name: str) -> str:
    """A setting as people may see it."""
    value = getattr(model, name)
    if value is None:
        return "-"
    if name in HOLDS_SECRET:
        return _masked(str(value))
    if isinstance(value, timedelta):
        return _duration(value)
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _masked(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "***"
    user, at, host = rest.rpartition("@")
    host, query, _ = host.partition("?")
    return f"{scheme}://{f'{user.partition(chr(58))[0]}:***' if at else ''}{at}{host}{'?***' if query else ''}"


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    for unit, letter in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds // unit}{letter}"
    return f"{seconds}s"


@click.group()
def db() -> None:
    """The database: bring it up to date, see what it lacks, back it up."""


@db.command()
@_json
def upgrade(*, as_json: bool) -> None:
    """Run what is pending, as the owner (IDP_DATABASE_OWNER_URL); a second one waits for the first."""
    current = load()
    ran = migrations.upgrade(current)
    if as_json:
        click.echo(json.dumps({"migrated": ran}))
        return
    click.echo(", ".join(ran) if ran else _up_to_date(current, otherwise="nothing to do"))


@db.command()
@_json
@click.pass_context
def check(context: click.Context, *, as_json: bool) -> None:
    """Say what is pending; exit 1 if anything is."""
    current = load()
    pending = migrations.pending(current)
    if as_json:
        click.echo(json.dumps({"pending": pending, "later": migrations.later(current)}))
    else:
        click.echo(", ".join(pending) if pending else _up_to_date(current, otherwise="up to date"))
    context.exit(1 if pending else 0)


def _up_to_date(current: Settings, *, otherwise: str) -> str:
    later = migrations.later(current)
    return otherwise if later is None else f"the database is of a later release ({later}), which this one works with"


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_json
def backup(*, file: Path, as_json: bool) -> None:
    """Write a consistent copy to FILE while everything runs. It holds secrets: keep it as such."""
    result = backups.backup(load(), file=file)
    if isinstance(result, Refused):
        raise click.ClickException(backups.SENTENCES[backups.Reason(result.reason)])
    click.echo(json.dumps({"file": str(file), "bytes": result}) if as_json else f"{file}: {result} bytes")


@click.group()
def epoch() -> None:
    """The system's epoch."""


@epoch.command()
@_json
@with_appcontext
def bump(*, as_json: bool) -> None:
    """End every session, grant, token, unused link and letter there is: after a restore, or on the bad day."""
    now = clock.now()
    with writing() as tx:
        number = epochs.bump(tx, now=now)
        voided = artefacts.void_everything(tx, now=now)
        told = {"epoch": number, "voided": voided}
        audit.append(tx, Event.EPOCH_BUMPED, now=now, actor="system", origin=Origin.local("cli"), details=told)
    said = f"epoch {number}: everybody signs in again; {voided} links, codes and letters are void"
    click.echo(json.dumps(told) if as_json else said)
