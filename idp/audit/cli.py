"""`idp audit`: proving that the chain is whole, and taking events out."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
from flask.cli import with_appcontext

from idp.audit import service
from idp.audit.exported import read_heads, write_heads
from idp.audit.rules import BadRow, Entry, Link, formula_safe
from idp.foundation import clock
from idp.foundation.database import reading

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_COLUMNS: Final = (
    "stream", "sequence", "at", "type", "outcome", "actor", "subject_id", "client_id", "target_kind", "target_id",
    "details", "address", "session_digest", "request_id", "hash",
)  # fmt: skip


@click.group()
def audit() -> None:
    """Who did what, for whom, and the proof that nobody changed it."""


@audit.command()
@click.option("--against", type=_FILE, help="Heads exported earlier: finds a cut tail or an old copy put back.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def verify(*, against: Path | None, as_json: bool) -> None:
    """Check every event; exit code 1 and the first bad row of each stream when one is not as it was written."""
    exported = _exported(against)
    with reading() as tx:
        bad = service.verify(tx, against=exported)
    if as_json:
        click.echo(json.dumps({"ok": not bad, "bad": [_bad(row) for row in bad]}))
    else:
        for row in bad:
            click.echo(f"stream {row.stream}, event {row.sequence}: {row.fault.value.replace('_', ' ')}")
        click.echo("The audit is not as it was written." if bad else "Every event is as it was written.")
    if bad:
        raise SystemExit(1)


def _exported(path: Path | None) -> list[Link]:
    if path is None:
        return []
    try:
        return read_heads(path)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path} cannot be used: {error}") from error


def _bad(row: BadRow) -> dict[str, Any]:
    return {"stream": row.stream, "sequence": row.sequence, "fault": row.fault.value}


@audit.command()
@click.option("--heads", type=_FILE, help="Only add the present heads to this file.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only events of this day (UTC).")
@click.option("--subject", help="Only events about this person.")
@click.option("--target", help="Only events about this practice, provider or trading partner.")
@click.option("--csv", "as_csv", is_flag=True, help="A table that no spreadsheet takes for formulas.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one event a line; the default.")
@with_appcontext
def export(
    *, heads: Path | None, day: datetime | None, subject: str | None, target: str | None, as_csv: bool, as_json: bool
) -> None:
    """Print events, stream by stream in their order."""
    if as_csv and as_json:
        raise click.UsageError("--csv or --json, not both")
    with reading() as tx:
        if heads is not None:
            present: list[Link] = service.heads(tx)
            write_heads(heads, present, now=clock.now())
            return
        since = day.replace(tzinfo=UTC) if day else None
        until = since + timedelta(days=1) if since else None
        found = service.export(tx, since=since, until=until, subject_id=subject, target_id=target)
        for line in _csv(found) if as_csv else map(_line, found):
            click.echo(line)


def _members(entry: Entry) -> dict[str, Any]:
    content, link = entry.content, entry.link
    named = {name: getattr(content, name) for name in _COLUMNS if hasattr(content, name)}
    return {
        "stream": link.stream,
        "sequence": link.sequence,
        **named,
        "at": content.at.isoformat(),
        "hash": link.hash.hex(),
    }


def _line(entry: Entry) -> str:
    return json.dumps(_members(entry), ensure_ascii=False, sort_keys=True)


def _csv(entries: Iterator[Entry]) -> Iterator[str]:
    yield ",".join(_COLUMNS)
    for entry in entries:
        members = _members(entry)
        members["details"] = json.dumps(members["details"], ensure_ascii=False, sort_keys=True)
        line = io.StringIO()
        cells = ["" if members[name] is None else formula_safe(str(members[name])) for name in _COLUMNS]
        csv.writer(line, lineterminator="").writerow(cells)
        yield line.getvalue()
