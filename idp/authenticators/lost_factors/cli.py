"""`idp people reset-mfa`: an administrator starts the recovery of somebody who lost every factor, or vouches for it."""

import json
from typing import Final

import click
from flask.cli import with_appcontext

from idp.authenticators.lost_factors import facts, service
from idp.authenticators.lost_factors.rules import LONGEST_NOTE, Reason, Recovery, Starter
from idp.authenticators.lost_factors.service import By
from idp.authenticators.lost_factors.words import REASONS
from idp.foundation import clock
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.subjects import service as subjects
from idp.subjects.rules import login_key
from idp.vocabulary.refused import Refused

_ORIGIN: Final = Origin.local("cli")
ADMINISTRATOR: Final = "system"


@click.group()
def people() -> None:
    """People and their accounts."""


@people.command("reset-mfa")
@click.argument("login")
@click.option(
    "--reason", required=True, help=f"Kept in the audit; with --confirm what was seen. At most {LONGEST_NOTE}."
)
@click.option("--confirm", is_flag=True, help="Say that the evidence of enrollment was seen; the wait stays.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def reset_mfa(login: str, *, reason: str, confirm: bool, as_json: bool) -> None:
    """Start the recovery of LOGIN (user ID, e-mail or subject id), who lost every second factor.

    Their stored address is told at once and can stop it. Nothing is removed before the waiting time is over, the link
    mailed then was opened, and the evidence of their enrollment was brought, or confirmed here. Exit code 1: refused.
    """
    outcome = _act(login, reason=reason, confirm=confirm)
    if isinstance(outcome, Refused):
        sentence = str(REASONS[Reason(outcome.reason)])
        click.echo(json.dumps({"refused": outcome.reason.value}) if as_json else sentence, err=not as_json)
        raise click.exceptions.Exit(1)
    told = {
        "subject_id": outcome.subject_id,
        "opens_at": outcome.opens_at.isoformat(),
        "expires_at": outcome.expires_at.isoformat(),
        "confirmed": confirm,
    }
    click.echo(
        json.dumps(told) if as_json else f"{outcome.subject_id}  open from {outcome.opens_at:%Y-%m-%d %H:%M} UTC"
    )


def _act(login: str, *, reason: str, confirm: bool) -> Recovery | Refused:
    now = clock.now()
    with writing() as tx:
        subject = subjects.find_by_login(tx, key=login_key(login)) or subjects.by_id(tx, subject_id=login)
        if subject is None:
            return Refused(Reason.NOT_ACTIVE)
        by = By(Starter.ADMINISTRATOR, ADMINISTRATOR, now, _ORIGIN, note=reason)
        if not confirm:
            return service.start(tx, subject_id=subject.id, by=by)
        recovery = facts.under_way(tx, subject_id=subject.id, now=now)
        if recovery is None:
            return Refused(Reason.NOT_UNDER_WAY)
        return service.confirm(tx, recovery_id=recovery.id, staff_id="", note=reason, by=by)
