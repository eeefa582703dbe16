"""`idp relying-parties`: from manifests to registered clients; their secrets; off and on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from flask.cli import with_appcontext

from idp.foundation import clock
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.manifests import service
from idp.manifests.rules import Change, Kind
from idp.manifests.service import Outcome, Plan, Unfit
from idp.relying_parties import service as clients
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_ACTOR: Final = "system"
_FOLDER: Final = click.Path(path_type=Path, file_okay=False, exists=True)
_SIGNS: Final = {Kind.ADDED: "+", Kind.CHANGED: "~", Kind.UNCHANGED: "=", Kind.DISABLED: "-"}
_SENTENCES: Final = {
    clients.Reason.UNKNOWN: "there is no such client",
    clients.Reason.KEEPS_NO_SECRET: "this client proves itself without a secret of ours",
    clients.Reason.ALREADY_SO: "it is so already",
}


class Unusable(click.ClickException):
    """One line on standard error, exit code 2."""

    exit_code = 2


@click.group("relying-parties")
def relying_parties() -> None:
    """Portals and partner apps, as their manifests say."""


@relying_parties.command()
@click.argument("directory", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@with_appcontext
def plan(directory: Path, *, as_json: bool) -> None:
    """Show what applying DIRECTORY would change; change nothing."""
    planned = _planned(directory, as_json)
    if as_json:
        click.echo(json.dumps({"changes": _changes(planned.changes), "needs_secret": planned.needs_secret}))
        return
    show(planned.changes)
    for client_id in planned.needs_secret:
        click.echo(f"  {client_id} will be given a secret")


@relying_parties.command()
@click.argument("directory", type=_FOLDER)
@click.option("--yes", is_flag=True, help="Do not ask before disabling clients whose manifest is gone.")
@click.option("--secrets-out", type=_FOLDER, help="Write new secrets to <client_id>.secret here (mode 0600).")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON (asks nothing; see --yes).")
@with_appcontext
def apply(directory: Path, *, yes: bool, secrets_out: Path | None, as_json: bool) -> None:
    """Register what DIRECTORY says, all of it or nothing; a second run changes nothing.

    New secrets are shown once, here or in --secrets-out, and kept as digests only.
    """
    planned = _planned(directory, as_json)
    if not as_json:
        show(planned.changes)
    gone = [change.client_id for change in planned.changes if change.kind is Kind.DISABLED]
    if gone and not yes:
        if as_json:
            raise Unusable(f"no manifest names {', '.join(gone)}; --yes disables them")
        click.confirm(f"Disable {', '.join(gone)}? All that was issued to them ends", abort=True)
    made = {client_id: clients.new_secret() for client_id in planned.needs_secret} if secrets_out else {}
    written = [_write(secrets_out, client_id, secret) for client_id, secret in made.items() if secrets_out]
    try:
        outcome = service.apply(
            directory,
            now=clock.now(),
            origin=Origin.local("cli"),
            actor=_ACTOR,
            secrets=made,
            disable_missing=bool(gone),
        )
        if isinstance(outcome, Unfit):
            refuse(outcome, as_json)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    _report(outcome, written, as_json)


@relying_parties.command("rotate-secret")
@click.argument("client_id")
@click.option("--secrets-out", type=_FOLDER, help="Write it to <client_id>.secret here (mode 0600), replacing one.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def rotate_secret(client_id: str, *, secrets_out: Path | None, as_json: bool) -> None:
    """Give CLIENT_ID a new secret; the former one works 24 hours longer."""
    with writing() as tx:
        secret = clients.add_secret(tx, client_id=client_id, now=clock.now(), actor=_ACTOR, origin=Origin.local("cli"))
        if isinstance(secret, Refused):
            raise Unusable(f"{client_id}: {_SENTENCES[clients.Reason(secret.reason)]}")
        written = None if secrets_out is None else _write(secrets_out, client_id, secret, replace=True)
    _tell_secrets({client_id: secret} if written is None else {}, [written] if written else [], as_json)


@relying_parties.command()
@click.argument("client_id")
@with_appcontext
def disable(client_id: str) -> None:
    """Switch CLIENT_ID off; everything issued to it ends at once."""
    with writing() as tx:
        refused = clients.disable(tx, client_id=client_id, now=clock.now(), actor=_ACTOR, origin=Origin.local("cli"))
    _switched(client_id, refused, "disabled")


@relying_parties.command()
@click.argument("client_id")
@with_appcontext
def enable(client_id: str) -> None:
    """Switch CLIENT_ID on again; what was issued before stays dead."""
    with writing() as tx:
        refused = clients.enable(tx, client_id=client_id, now=clock.now(), actor=_ACTOR, origin=Origin.local("cli"))
    _switched(client_id, refused, "enabled")


@relying_parties.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@with_appcontext
def list_(*, as_json: bool) -> None:
    """Every client: name, whether it is on, how it proves itself."""
    rows = [
        {
            "client_id": party.client_id,
            "name": party.manifest.name,
            "kind": "partner" if party.portal is None else "portal",
            "enabled": party.enabled,
            "authentication": party.registration.token_endpoint_auth_method,
            "secrets": len(party.secret_digests),
        }
        for party in clients.every(now=clock.now()).values()
    ]
    if as_json:
        click.echo(json.dumps({"clients": rows}))
        return
    for row in rows:
        state = "on " if row["enabled"] else "off"
        click.echo(f"{state}  {row['client_id']:<26} {row['kind']:<8} {row['authentication']:<20} {row['name']}")


def _planned(directory: Path, as_json: bool) -> Plan:
    planned = service.plan(directory, now=clock.now())
    if isinstance(planned, Unfit):
        refuse(planned, as_json)
    return planned


def refuse(unfit: Unfit, as_json: bool) -> NoReturn:
    """Every reason on its line, then exit code 2: nothing was changed."""
    for violation in () if as_json else unfit.violations:
        click.echo(str(violation), err=True)
    if as_json:
        rows = [
            {"file": each.file, "line": each.line, "key": each.key, "reason": each.reason} for each in unfit.violations
        ]
        click.echo(json.dumps({"violations": rows}))
    raise Unusable(f"{len(unfit.violations)} reasons not to apply these manifests; nothing was changed")


def show(changes: tuple[Change, ...], *, after: str = ": all that was issued to it ends") -> None:
    """What would change, line by line; `after` says what an end means."""
    for change in changes:
        asleep = ", switched off and stays so (enable wakes it)" if change.asleep else ""
        click.echo(f"{_SIGNS[change.kind]} {change.client_id}: {change.kind}{asleep}")
        for each in change.differences:
            click.echo(f"    {each.key}: {each.before or '(nothing)'} → {each.after or '(nothing)'}")
        if change.ends is not None:
            click.echo(f"    {change.ends}{after}")


def _changes(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    return [
        {
            "client_id": change.client_id,
            "kind": change.kind.value,
            "asleep": change.asleep,
            "ends": change.ends,
            "differences": [
                {"key": each.key, "before": each.before, "after": each.after} for each in change.differences
            ],
        }
        for change in changes
    ]


def _report(outcome: Outcome, written: list[Path], as_json: bool) -> None:
    if as_json:
        shown = {client_id: secret.reveal() for client_id, secret in outcome.secrets.items()}
        names = [path.name for path in written]
        click.echo(json.dumps({"changes": _changes(outcome.changes), "secrets": shown, "written": names}))
        return
    changed = sum(change.kind is not Kind.UNCHANGED for change in outcome.changes)
    click.echo(f"Applied: {changed} changed, {len(outcome.changes) - changed} unchanged.")
    _tell_secrets(outcome.secrets, written, as_json)


def _tell_secrets(secrets: Mapping[str, Secret], written: list[Path], as_json: bool) -> None:
    if as_json:
        shown = {client_id: secret.reveal() for client_id, secret in secrets.items()}
        click.echo(json.dumps({"secrets": shown, "written": [path.name for path in written]}))
        return
    for client_id, secret in secrets.items():
        click.echo(f"Secret of {client_id}, shown this once: {secret.reveal()}")
    for path in written:
        click.echo(f"Secret written to {path}")


def _write(folder: Path, client_id: str, secret: Secret, *, replace: bool = False) -> Path:
    """The secret in a file that only its owner reads; never over one that is there unless told so."""
    path = folder / f"{client_id}.secret"
    fresh = path.with_suffix(".secret.new")
    if path.exists() and not replace:
        raise Unusable(f"{path.name} is there already; move it away first")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_text(secret.reveal() + "\n", encoding="ascii")
    fresh.replace(path)
    return path


def _switched(client_id: str, refused: Refused | None, what: str) -> None:
    if refused is not None:
        raise Unusable(f"{client_id}: {_SENTENCES[clients.Reason(refused.reason)]}")
    click.echo(f"{client_id} is {what}.")
