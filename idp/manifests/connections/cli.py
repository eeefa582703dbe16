"""`idp connections`: from files to upstream providers; their secrets; off and on."""

import json
from pathlib import Path
from typing import Final

import click
from flask.cli import with_appcontext

from idp.federation.connections import facts
from idp.foundation import clock
from idp.foundation.database import reading
from idp.foundation.origin import Origin
from idp.manifests.cli import Unusable, refuse, show
from idp.manifests.connections import service
from idp.manifests.rules import Change, Kind
from idp.manifests.service import Unfit
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_FOLDER: Final = click.Path(path_type=Path, file_okay=False, exists=True)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def connections() -> None:
    """Upstream providers: hospitals, payers, government sign-in."""


@connections.command()
@click.argument("directory", type=_FOLDER)
@_AS_JSON
@with_appcontext
def plan(directory: Path, *, as_json: bool) -> None:
    """Show what applying DIRECTORY would change; change nothing."""
    _tell(_planned(directory, as_json), as_json)


@connections.command()
@click.argument("directory", type=_FOLDER)
@click.option("--yes", is_flag=True, help="Do not ask before switching off connections whose file is gone.")
@_AS_JSON
@with_appcontext
def apply(directory: Path, *, yes: bool, as_json: bool) -> None:
    """Make the database say what DIRECTORY says, all of it or nothing; a second run changes nothing."""
    planned = _planned(directory, as_json)
    if not as_json:
        show(planned, after="")
    gone = [change.client_id for change in planned if change.kind is Kind.DISABLED]
    if gone and not yes:
        if as_json:
            raise Unusable(f"no file names {', '.join(gone)}; --yes switches them off")
        click.confirm(f"Switch {', '.join(gone)} off? Nobody signs in by them any more", abort=True)
    outcome = service.apply(directory, now=clock.now(), origin=Origin.local("cli"), disable_missing=bool(gone))
    if isinstance(outcome, Unfit):
        refuse(outcome, as_json)
    if as_json:
        _tell(outcome.changes, as_json)
        return
    changed = sum(change.kind is not Kind.UNCHANGED for change in outcome.changes)
    click.echo(f"Applied: {changed} changed, {len(outcome.changes) - changed} unchanged.")


@connections.command()
@click.argument("name")
@with_appcontext
def secret(name: str) -> None:
    """Set our client secret at NAME, typed or from standard input; it is kept sealed and never shown."""
    typed = click.prompt(f"Secret of {name}", hide_input=True, err=True).strip()
    if not typed:
        raise Unusable("an empty secret proves nothing")
    done = service.set_secret(name, Secret(typed), now=clock.now(), origin=Origin.local("cli"))
    _answer(name, done, "has its secret")


@connections.command()
@click.argument("name")
@with_appcontext
def disable(name: str) -> None:
    """Switch NAME off: nobody signs in by it, and every other way stays."""
    _answer(name, service.switch(name, on=False, now=clock.now(), origin=Origin.local("cli")), "is off")


@connections.command()
@click.argument("name")
@with_appcontext
def enable(name: str) -> None:
    """Switch NAME on again."""
    _answer(name, service.switch(name, on=True, now=clock.now(), origin=Origin.local("cli")), "is on")


@connections.command("list")
@_AS_JSON
@with_appcontext
def list_(*, as_json: bool) -> None:
    """What was applied."""
    with reading() as tx:
        found = facts.every(tx).values()
    rows = [
        {
            "name": each.name,
            "protocol": each.connection.protocol,
            "issuer": each.connection.issuer,
            "portals": list(each.connection.portals),
            "enabled": each.enabled,
            "secret": each.has_secret,
        }
        for each in found
    ]
    if as_json:
        click.echo(json.dumps({"connections": rows}))
        return
    for row in rows:
        state = "on " if row["enabled"] else "off"
        click.echo(f"{state}  {row['name']:<24} {row['protocol']:<5} {row['issuer']}")


def _planned(directory: Path, as_json: bool) -> tuple[Change, ...]:
    planned = service.plan(directory, now=clock.now())
    if isinstance(planned, Unfit):
        refuse(planned, as_json)
    return planned


def _tell(changes: tuple[Change, ...], as_json: bool) -> None:
    if not as_json:
        show(changes, after="")
        return
    rows = [
        {
            "name": change.client_id,
            "kind": change.kind.value,
            "ends": change.ends,
            "differences": [{"key": d.key, "before": d.before, "after": d.after} for d in change.differences],
        }
        for change in changes
    ]
    click.echo(json.dumps({"changes": rows}))


def _answer(name: str, refused: Refused | None, what: str) -> None:
    if refused is not None:
        raise Unusable(f"{name}: there is no such connection")
    click.echo(f"{name} {what}.")
