"""`idp keys`: what is in the folder, and moving it on. No secret is ever printed."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import click
from flask import Flask
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from idp import settings as configuration
from idp.foundation import clock, database
from idp.foundation.algorithms import Alg
from idp.foundation.origin import Origin, operator
from idp.keyring import custody, resealing, rotation, rules
from idp.keyring.folder import KeysUnusable
from idp.keyring.rotation import DEFAULT_ALGS, Rotated
from idp.keyring.rules import KeyFile, State, Use
from idp.keyring.words import REASONS
from idp.settings import Settings
from idp.vocabulary.refused import Refused

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_ALG = click.Choice([str(alg) for alg in Alg])


@click.group()
def keys() -> None:
    """Keys that sign, seal and digest: `keys/README.md` says how they move."""


@keys.command("list")
@_AS_JSON
def list_(*, as_json: bool) -> None:
    """What is in the folder, and where each key stands."""
    found = _listed(configuration.load())
    if as_json:
        click.echo(json.dumps([_shown(file) for file in found], indent=2))
        return
    for file in found:
        since = file.retired_at or file.active_since or file.created_at
        click.echo(f"{file.use:10} {file.state:8} {file.alg or '-':12} {file.kid:28} since {since:%Y-%m-%d %H:%M} UTC")


@keys.command("create")
@click.option("--alg", "algs", multiple=True, type=_ALG, help="Further signing algorithms; several times for several.")
@_AS_JSON
def create(*, algs: Sequence[str], as_json: bool) -> None:
    """Make what is missing: active and next keys, a vault key, an index key. Nothing is ever replaced."""
    settings = configuration.load()
    wanted = tuple(dict.fromkeys([*DEFAULT_ALGS, *(Alg(alg) for alg in algs)]))
    with _recording(settings):
        done = custody.create(
            settings.keys_dir,
            now=clock.now(),
            algs=wanted,
            demo=settings.demo,
            actor=operator(),
            origin=Origin.local("cli"),
        )
    if isinstance(done, Refused):
        click.echo("{}" if as_json else REASONS[done.reason])
        return
    _tell(Rotated(created=done), as_json=as_json)


@keys.command("rotate")
@click.option("--use", type=click.Choice([str(use) for use in rotation.ROTATING]), default=str(Use.SIGNING))
@click.option("--alg", type=_ALG, help="Only this signing algorithm. Default: all.")
@click.option("--now", "at_once", is_flag=True, help="Even if the next key was published less than a minute ago.")
@_AS_JSON
def rotate(*, use: str, alg: str | None, at_once: bool, as_json: bool) -> None:
    """The next key becomes active, the active one retired; a new next is made; what is past its time goes."""
    settings = configuration.load()
    with _recording(settings):
        done = custody.rotate(
            settings.keys_dir,
            now=clock.now(),
            use=Use(use),
            alg=Alg(alg) if alg else None,
            at_once=at_once,
            actor=operator(),
            origin=Origin.local("cli"),
        )
    _tell(done, as_json=as_json)


@keys.command("retire")
@click.argument("kid")
@click.option("--now", "at_once", is_flag=True, help="Needed: what the key signed is refused from now on.")
@_AS_JSON
def retire(kid: str, *, at_once: bool, as_json: bool) -> None:
    """Take the leaked key KID away at once. A retired vault key goes only after `idp keys reseal`."""
    if not at_once:
        raise click.UsageError("What this key signed will be refused from now on: say --now if that is meant.")
    settings = configuration.load()
    with _recording(settings):
        done = custody.retire(
            settings.keys_dir,
            kid=kid,
            now=clock.now(),
            still_sealed=_holds_something(settings, kid),
            actor=operator(),
            origin=Origin.local("cli"),
        )
    _tell(done, as_json=as_json)


@keys.command("reseal")
@_AS_JSON
@with_appcontext
def reseal(*, as_json: bool) -> None:
    """Bring everything that is sealed under the active vault key, so that the retired one can go."""
    counts = resealing.reseal()
    if as_json:
        click.echo(json.dumps(counts, indent=2))
        return
    for name, count in counts.items():
        click.echo(f"{name}: {count}")


def _listed(settings: Settings) -> tuple[KeyFile, ...]:
    try:
        return rotation.listed(settings.keys_dir)
    except KeysUnusable as error:
        raise click.ClickException("\n".join(error.problems)) from None


def _holds_something(settings: Settings, kid: str) -> bool:
    """Whether a vault key still opens something, after everything was resealed once more."""
    file = next((file for file in _listed(settings) if file.kid == kid), None)
    if file is None or file.use is not Use.VAULT or file.state is not State.RETIRED:
        return False
    if rules.recently_sealing(file, now=clock.now()):
        return True
    return _sealed_with(kid) > 0


@with_appcontext
def _sealed_with(kid: str) -> int:
    resealing.reseal()
    return resealing.sealed_with(kid)


@contextmanager
def _recording(settings: Settings) -> Iterator[None]:
    """The database for the audit, without the rest of the application: that will not start while keys are missing."""
    app = Flask("credence")
    database.attach(app, url=settings.database_url)
    try:
        with app.app_context():
            try:
                yield
            finally:
                database.db.engine.dispose()
    except KeysUnusable as error:
        raise click.ClickException("\n".join(error.problems)) from None
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"No key was moved, since it could not be recorded ({type(error).__name__}). Run `idp db upgrade` first?"
        ) from None


def _tell(done: Rotated | Refused, *, as_json: bool) -> None:
    if isinstance(done, Refused):
        raise click.ClickException(REASONS.get(str(done.reason), str(done.reason)))
    moved = {name: kids for name, kids in asdict(done).items() if kids}
    if as_json:
        click.echo(json.dumps(moved, indent=2))
        return
    for name, kids in moved.items():
        click.echo(f"{name}: {', '.join(kids)}")


def _shown(file: KeyFile) -> dict[str, str | None]:
    moments = {"created_at": file.created_at, "active_since": file.active_since, "retired_at": file.retired_at}
    return {
        "use": file.use,
        "state": file.state,
        "alg": file.alg,
        "kid": file.kid,
        **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
    }
