"""`idp agreements`: the ledger of what people accepted."""

import csv
import io
import json
from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from idp.consent import ledger
from idp.consent.ledger import COLUMNS, Wanted
from idp.directory.rules import formula_safe
from idp.foundation.database import reading
from idp.relying_parties import service as relying_parties


@click.group()
def agreements() -> None:
    """Terms, provider agreements and banners that people accepted."""


@agreements.command()
@click.option("--portal", help="Only of this portal (client_id).")
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="Only from this moment on (UTC).")
@click.option("--json", "as_json", is_flag=True, help="JSON, one acceptance a line, instead of CSV.")
@with_appcontext
def export(*, portal: str | None, since: datetime | None, as_json: bool) -> None:
    """Print who accepted which text and version, when and from which address, with the SHA-256 of its English words.

    The table is one that no spreadsheet takes for formulas. Exit code 2: there is no such portal.
    """
    if portal is not None and relying_parties.find(portal) is None:
        raise click.UsageError(f"There is no portal {portal}.")
    wanted = Wanted(portal, since.replace(tzinfo=UTC) if since else None)
    if not as_json:
        click.echo(_line(COLUMNS))
    with reading() as tx:
        for entry in ledger.entries(tx, wanted):
            click.echo(json.dumps(entry, ensure_ascii=False) if as_json else _line(tuple(entry[c] for c in COLUMNS)))


def _line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([formula_safe(cell) for cell in cells])
    return line.getvalue()
