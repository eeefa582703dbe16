"""`idp people`: administrators make people, shut them out and let them in again."""

import json
import sys
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from idp.authenticators.password import people as service
from idp.authenticators.password.rules import DEFAULT_POLICY
from idp.authenticators.password.setting import Unfit
from idp.authenticators.password.words import SETTING, rule_list
from idp.foundation import clock
from idp.foundation.origin import Origin
from idp.subjects.rules import NewSubject, SubjectFacts, phone_number
from idp.subjects.words import REASONS
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_ORIGIN: Final = Origin.local("cli")


def _zone(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    try:
        return value if value is None else ZoneInfo(value).key
    except (ValueError, OSError, KeyError):
        raise click.BadParameter("a time zone of the IANA list, such as America/Chicago") from None


@click.group()
def people() -> None:
    """People and their accounts."""


@people.command()
@click.option("--user-id", help="What the person signs in with; 3 to 64 letters, digits, dots, dashes, underscores.")
@click.option("--email", help="E-mail address.")
@click.option("--given-name", help="First name.")
@click.option("--family-name", help="Last name.")
@click.option("--phone", help="Telephone number.")
@click.option("--locale", type=click.Choice(["en", "es"]), default="en", show_default=True, help="Language.")
@click.option("--zone", "zoneinfo", callback=_zone, help="Time zone, such as America/Chicago.")
@click.option("--unproven", is_flag=True, help="The mailbox is not proven: the person cannot sign in until it is.")
@click.option("--temporary", is_flag=True, help="The password must be changed at the first sign-in, within 7 days.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def create(*, unproven: bool, temporary: bool, password_stdin: bool, as_json: bool, **given: Any) -> None:
    """Make a person with a password. Exit code 1: refused, and why."""
    if given["phone"] is not None:
        given["phone"] = phone_number(given["phone"])
        if isinstance(given["phone"], Refused):
            _refuse(given["phone"], as_json=as_json)
    plain = Secret(sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask_password())
    new = NewSubject(email_proven=not unproven, **given)
    made = service.create(new, plain=plain, temporary=temporary, now=clock.now(), origin=_ORIGIN)
    _tell(made, as_json=as_json)


@people.command()
@click.argument("login")
@click.option("--reason", required=True, help="Kept with the account and in the audit.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def disable(login: str, *, reason: str, as_json: bool) -> None:
    """Shut out the person with user ID, e-mail or subject id LOGIN; sessions and tokens end at once."""
    _tell(service.disable(login, reason=reason, now=clock.now(), origin=_ORIGIN), as_json=as_json)


@people.command()
@click.argument("login")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def enable(login: str, *, as_json: bool) -> None:
    """Let the disabled person LOGIN in again."""
    _tell(service.enable(login, now=clock.now(), origin=_ORIGIN), as_json=as_json)


def _ask_password() -> str:
    text: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return text


def _tell(outcome: SubjectFacts | Refused, *, as_json: bool) -> None:
    if isinstance(outcome, Refused):
        _refuse(outcome, as_json=as_json)
    told = {"id": outcome.id, "user_id": outcome.user_id, "email": outcome.email, "status": outcome.status.value}
    click.echo(json.dumps(told) if as_json else f"{outcome.id}  {outcome.user_id or outcome.email}  {outcome.status}")


def _refuse(refused: Refused, *, as_json: bool) -> NoReturn:
    """One line (or object) that says why; exit code 1."""
    words: Any = {**REASONS, **SETTING}
    sentence = str(words.get(refused.reason, refused.reason.value))
    if isinstance(refused, Unfit):
        broken = [str(rule.text) for rule in rule_list(DEFAULT_POLICY, broken=refused.rules) if not rule.met]
        sentence = f"The password does not meet these rules: {'; '.join(broken)}."
    click.echo(json.dumps({"refused": refused.reason.value}) if as_json else sentence, err=not as_json)
    raise click.exceptions.Exit(1)
