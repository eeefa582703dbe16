"""`idp people import`: the users of a portal's old table come in here."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import IntegrityError

from idp.directory.cli import STANDARD_INPUT, Unusable
from idp.directory.imports.files import BadFile
from idp.directory.imports.rejects import RejectFile
from idp.foundation import clock, house
from idp.foundation.origin import Origin
from idp.provisioning.people import words
from idp.provisioning.people.reading import Report
from idp.provisioning.people.rules import Fault
from idp.provisioning.people.service import run_import
from idp.settings import Settings

_ADMINISTRATOR: Final = "system"


@click.group()
def people() -> None:
    """People and their accounts."""


@people.command("import")
@click.argument("file")
@click.option(
    "--mailboxes-proven",
    is_flag=True,
    help="You answer for it that the portal had proof of every mailbox that the file marks as proven.",
)
@click.option("--dry-run", is_flag=True, help="Check and count only; nothing is written.")
@click.option("--rejects", type=click.Path(path_type=Path, dir_okay=False), help="Where refused lines go.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def import_(file: str, *, mailboxes_proven: bool, dry_run: bool, rejects: Path | None, as_json: bool) -> None:
    """Take in the users of a portal's old table from FILE (`-`: standard input); docs/operations.md names the columns.

    The same file twice changes nothing the second time. Exit code 0: every row was taken; 1: some rows were refused,
    see the rejects; 2: the file could not be read to its end, and nothing was written.
    """
    name = "standard input" if file == STANDARD_INPUT else Path(file).name
    stem = "stdin" if file == STANDARD_INPUT else Path(file).name
    kept = RejectFile(rejects or house.get(Settings).data_dir / f"{stem}.rejects.csv", words=words.FAULTS)
    with ExitStack() as stack:
        stream = _open(file, stack)
        stack.enter_context(kept)
        try:
            report = run_import(
                stream,
                name=name,
                answered=mailboxes_proven,
                now=clock.now(),
                actor=_ADMINISTRATOR,
                origin=Origin.local("cli"),
                dry_run=dry_run,
                keep_reject=kept.keep,
            )
        except BadFile as error:
            raise Unusable(str(error)) from None
        except IntegrityError:
            raise Unusable(f"{name}: somebody changed the same people meanwhile; run this one again") from None
    _tell(report, kept, as_json=as_json)
    click.get_current_context().exit(1 if report.rejected else 0)


def _open(file: str, stack: ExitStack) -> BinaryIO:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(file).open("rb"))
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from None


def _tell(report: Report, kept: RejectFile, *, as_json: bool) -> None:
    if as_json:
        rejects = {"rejects": str(kept.path)} if kept.written else {}
        click.echo(json.dumps({**report.as_dict(), **rejects}))
        return
    click.echo(f"{'Would change' if report.dry_run else 'Imported'}: {report.read} rows")
    for label in ("added", "changed", "unchanged", "rejected"):
        click.echo(f"  {label:<10} {getattr(report, label):>8}")
    for note, count in sorted(report.notes.items()):
        click.echo(f"  {note.replace('_', ' ')}: {count}")
    for reason, count in report.reasons.most_common():
        click.echo(f"  refused {count:>6}: {words.FAULTS[Fault(reason)]}")
    if kept.written:
        click.echo(f"Refused rows are in {kept.path}")
