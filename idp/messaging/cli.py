"""`idp messages`: what is still owed, what never left."""

import json
from typing import Any
from uuid import UUID

import click
from flask.cli import with_appcontext

from idp.foundation import clock
from idp.foundation.database import reading, writing
from idp.messaging import service


@click.group()
def messages() -> None:
    """The outbox."""


@messages.command("list")
@click.option("--dead", is_flag=True, help="Those that were given up.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def list_(*, dead: bool, limit: int, as_json: bool) -> None:
    """Messages that have not left yet; nothing of what they say."""
    with reading() as tx:
        rows = [_members(row) for row in service.waiting(tx, dead=dead, limit=limit)]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['notice']}  due {row['due_at']}  tries {row['attempts']}  {row['last_error']}")
    if not rows:
        click.echo("No dead messages." if dead else "Everything has left.")


def _members(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "channel": row.channel,
        "notice": row.notice,
        "created_at": row.created_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "attempts": row.attempts,
        "last_error": row.last_error or "",
    }


@messages.command()
@click.argument("message", type=click.UUID, required=False)
@click.option("--all", "every", is_flag=True, help="All that wait.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def retry(message: UUID | None, *, every: bool, as_json: bool) -> None:
    """Make MESSAGE due at once, for when the mail server is back; exit code 1 when it does not wait.

    A dead message stays dead, since its content is wiped: its person asks anew.
    """
    if (message is None) == (not every):
        raise click.UsageError("name a message, or --all")
    with writing() as tx:
        count = service.retry_now(tx, now=clock.now(), identity=message)
    click.echo(json.dumps({"due": count}) if as_json else f"{count} due now")
    if message is not None and count == 0:
        raise SystemExit(1)
