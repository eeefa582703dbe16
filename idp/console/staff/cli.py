"""`idp staff`: the operator gives the first roles, sees them all, and takes any."""

import json
from typing import Any

import click
from flask.cli import with_appcontext

from idp.console.staff import facts, service
from idp.console.staff.rules import Reason
from idp.console.staff.service import By
from idp.console.staff.words import REASONS
from idp.foundation import clock
from idp.foundation.database import reading
from idp.foundation.origin import Origin, operator
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffRole

_ROLE = click.Choice([role.value for role in StaffRole])
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group()
def staff() -> None:
    """The payer's staff and their roles in the console."""


@staff.command()
@click.argument("login")
@click.argument("role", type=_ROLE)
@_AS_JSON
@with_appcontext
def grant(login: str, role: str, *, as_json: bool) -> None:
    """Give the person LOGIN the role ROLE: for the first two administrators, who then do it in the console."""
    _tell(service.bootstrap(_operator(), login=login, role=StaffRole(role)), role, as_json=as_json)


@staff.command()
@click.argument("login")
@click.argument("role", type=_ROLE)
@_AS_JSON
@with_appcontext
def revoke(login: str, role: str, *, as_json: bool) -> None:
    """Take the role ROLE from the person LOGIN; it is gone at their next request."""
    _tell(service.take_by_operator(_operator(), login=login, role=StaffRole(role)), role, as_json=as_json)


@staff.command("list")
@_AS_JSON
@with_appcontext
def list_(*, as_json: bool) -> None:
    """Who holds which role, and who gave it."""
    with reading() as tx:
        found = facts.holders(tx)
    if as_json:
        click.echo(json.dumps([_members(holder) for holder in found]))
        return
    for holder in found:
        since = f"since {holder.given_at:%Y-%m-%d %H:%M} UTC"
        click.echo(f"{holder.role:<14} {holder.login:<32} {since}  by {holder.confirmed_by or holder.proposed_by}")
    if not found:
        click.echo("Nobody has a staff role yet.")


def _members(holder: facts.Holder) -> dict[str, Any]:
    return {
        "subject_id": holder.subject_id,
        "login": holder.login,
        "role": holder.role.value,
        "given_at": holder.given_at.isoformat(),
        "proposed_by": holder.proposed_by,
        "confirmed_by": holder.confirmed_by,
        "active": holder.active,
    }


def _operator() -> By:
    return By(None, operator(), Origin.local("cli"), clock.now())


def _tell(outcome: SubjectFacts | Refused, role: str, *, as_json: bool) -> None:
    if isinstance(outcome, Refused):
        sentence = str(REASONS[Reason(outcome.reason)])
        click.echo(json.dumps({"refused": outcome.reason.value}) if as_json else sentence, err=not as_json)
        raise click.exceptions.Exit(1)
    told = {"subject_id": outcome.id, "role": role}
    click.echo(json.dumps(told) if as_json else f"{outcome.id}  {outcome.user_id or outcome.email}  {role}")
