"""`idp affiliations`: who can act for a number on a day."""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import click
from flask.cli import with_appcontext

from idp.affiliations.standing import recording, service, words
from idp.foundation import clock
from idp.foundation.database import reading, writing

_DAY: Final = click.DateTime(["%Y-%m-%d"])


@click.group()
def affiliations() -> None:
    """Who may act for whom."""


@affiliations.command("on")
@click.option("--tin", required=True, help="The Tax ID, nine digits; `-` reads it from standing input.")
@click.option("--day", type=_DAY, help="A day of UTC, such as 2026-03-02. Default: today.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def on(*, tin: str, day: datetime | None, as_json: bool) -> None:
    """Say who could act for a Tax ID on a day, granted by whom, on what proof; read from the audit.

    `-` keeps the number out of the shell's history and the list of processes. Exit code 1: no such number is known.
    """
    now = clock.now()
    asked_day = now.astimezone(UTC).date() if day is None else day.date()
    typed = sys.stdin.readline().strip() if tin == "-" else tin
    with reading() as tx:
        asked = service.ask(tx, on=asked_day, now=now, tin=typed)
        if asked is None:
            raise click.ClickException("no practice has or had this Tax ID")
        lines = list(service.everyone(tx, asked))
        names = service.named(tx, lines)
    people = [words.line(each, names=names) for each in lines]
    if as_json:
        click.echo(json.dumps({**words.about(asked), "people": people}, ensure_ascii=False, indent=2))
        return
    for text in _lines(words.about(asked), people):
        click.echo(text)


@affiliations.command("record")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def record(*, as_json: bool) -> None:
    """Begin the records of access that is older than they are; `idp affiliations on` knows it from this day on.

    Run it once after an upgrade from a version without these records; what is recorded already is passed over.
    """
    count, after, more = 0, None, True
    while more:
        with writing() as tx:
            done, after = recording.begin(tx, after=after, now=clock.now())
        count, more = count + done, after is not None
    click.echo(json.dumps({"recorded": count}) if as_json else f"{count} recorded.")


def _lines(about: dict[str, Any], people: Iterable[dict[str, Any]]) -> Iterable[str]:
    owners = ", ".join(each["name"] for each in about["practices"])
    yield f"{about['tin']} ({owners}) on {about['day']}:"
    none = True
    for each in people:
        none = False
        target = each["target"]
        yield f"{each['name']} ({each['user_id'] or each['subject_id']}) for {target['kind']} {target['name']}"
        if each["through"]:
            yield f"  engaged by the {each['through']}, assigned{_by(each['assigned_by']) or ' with all of the staff'}"
        for portal, levels in sorted(each["access"].items()):
            yield f"  {portal}: " + ", ".join(level["level"] + _by(level["granted_by"]) for level in levels)
        for proof in each["proof"]:
            yield f"  {proof['kind']} at {proof['portal']}, {proof['at'][:10]}{_by(proof['by'])}"
        if each["until"]:
            yield f"  until {each['until']}"
    if none:
        yield "nobody."


def _by(who: dict[str, Any] | None) -> str:
    return "" if who is None else f" by {who['name'] or who['id']}"
