"""`idp directory`: the payer's files come in here."""

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import IntegrityError, OperationalError

from idp.directory import service, words
from idp.directory.imports import rules
from idp.directory.imports.files import BadFile
from idp.directory.imports.progress import Progress
from idp.directory.imports.rejects import RejectFile
from idp.directory.imports.run import Declined, Report
from idp.directory.imports.service import FORMATS, Confirm, run_import
from idp.directory.rules import NATIONAL
from idp.foundation import clock, house
from idp.foundation.database import reading
from idp.foundation.origin import Origin, operator
from idp.settings import Settings

STANDARD_INPUT: Final = "-"


class Unusable(click.ClickException):
    """One line on standard error, exit code 2."""

    exit_code = 2


class Stopped(Unusable):
    """As a shell says of what Ctrl-C ended."""

    exit_code = 130


@click.group()
def directory() -> None:
    """Providers, practices, trading partners and PIN letters."""


@directory.command("import")
@click.argument("file")
@click.option("--format", "format_name", type=click.Choice(sorted(FORMATS)), required=True, help="What the file is.")
@click.option(
    "--registry",
    help="Whose file it is, such as ozark. Default: the only registry there is; with fhir nobody's. Not for nppes.",
)
@click.option("--dry-run", is_flag=True, help="Check and count only; nothing is written but --rejects.")
@click.option("--full", is_flag=True, help="The file is complete: what is listed and not in it ends.")
@click.option("--yes", is_flag=True, help="With --full: do not ask; needed above 5 percent.")
@click.option("--rejects", type=click.Path(path_type=Path, dir_okay=False), help="Where refused lines go.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def import_(
    file: str,
    *,
    format_name: str,
    registry: str | None,
    dry_run: bool,
    full: bool,
    yes: bool,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Take in FILE (`-`: standard input). The same file twice changes nothing the second time.

    A run that was killed is resumed by running it again: what is in already is only read. NPPES and FHIR files fill
    the NPI record, by which nobody is matched. Where several payers' FHIR directories come in, --registry keeps each
    apart; else the last one counts, and --full ends what another named.

    Exit code 0: every row was taken; 1: some rows were refused, see the rejects; 2: a name begins as a formula of a
    spreadsheet (it is refused, the other rows are taken), the file could not be read to its end or the rejects not
    be written, nobody said yes, or the command makes no sense; 130: it was stopped.
    """
    if full and not FORMATS[format_name].offers_full:
        raise click.UsageError(f"--full makes no sense with {format_name}.")
    name = "standard input" if file == STANDARD_INPUT else Path(file).name
    kept = RejectFile(rejects or _default_rejects(file), words=words.FAULTS)
    confirm = _confirm(yes=yes, dry_run=dry_run, asks=file != STANDARD_INPUT and sys.stdin.isatty()) if full else None
    with _one_line(name, kept), ExitStack() as stack:
        stream = _open(file, stack)
        if _is_same(kept.path, stream):
            raise click.UsageError("--rejects names the file that is read: it would be lost.")
        registry = _registry(registry, format_name=format_name)
        writes_rejects = rejects is not None or not dry_run
        if writes_rejects:
            stack.enter_context(kept)
        progress = Progress(stream, size=_size(stream), tell=lambda line: click.echo(line, err=True))
        report = run_import(
            stream,
            name=name,
            format_name=format_name,
            registry=registry,
            now=clock.now(),
            actor=operator(),
            origin=Origin.local("cli"),
            dry_run=dry_run,
            full=confirm,
            keep_reject=kept.keep if writes_rejects else lambda _reject: None,
            progress=progress,
        )
    _tell(report, kept, as_json=as_json)
    click.get_current_context().exit(_exit_code(report, name))


@contextmanager
def _one_line(name: str, kept: RejectFile) -> Iterator[None]:
    """Whatever stops an import is told in one line: of a full disk or a broken one too, with the file's name."""
    try:
        yield
    except BadFile as error:
        raise Unusable(str(error)) from None
    except Declined as error:
        raise Unusable(f"{error} Refused rows are in {kept.path}." if kept.written else str(error)) from None
    except KeyboardInterrupt:
        raise Stopped(f"{name}: stopped; what is in stays, run this one again") from None
    except IntegrityError:
        raise Unusable(f"{name}: another import changed the same rows meanwhile; run this one again") from None
    except OperationalError:
        raise Unusable(f"{name}: the database was busy or away; what is in stays, run this one again") from None
    except OSError as error:
        where, what = error.filename or name, error.strerror or error
        raise Unusable(f"{where}: {what}; what is in stays, run this one again") from None


def _default_rejects(file: str) -> Path:
    name = "stdin" if file == STANDARD_INPUT else Path(file).name
    return house.get(Settings).data_dir / f"{name}.rejects.csv"


def _open(file: str, stack: ExitStack) -> BinaryIO:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(file).open("rb"))
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from None


def _is_same(path: Path, stream: BinaryIO) -> bool:
    """Whether the rejects would take the place of what is read, under whatever name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except OSError:
        return False


def _size(stream: BinaryIO) -> int | None:
    """Of a file; standard input may be without end."""
    try:
        found = os.fstat(stream.fileno())
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _registry(name: str | None, *, format_name: str) -> str:
    kind = FORMATS[format_name]
    if name is not None and not kind.of_registries:
        raise click.UsageError(f"{format_name} is nobody's own file: leave --registry out.")
    if name is None and kind.national:
        return NATIONAL
    if name is not None:
        try:
            return rules.registry(name)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    with reading() as tx:
        known = service.registries(tx)
    if len(known) != 1:
        which = f"one of {', '.join(known)}" if known else "a name such as ozark"
        raise click.UsageError(f"Say which registry: --registry {which}.")
    return known[0]


def _confirm(*, yes: bool, dry_run: bool, asks: bool) -> Confirm:
    def confirm(leaving: int, listed: int, nameless: int) -> bool:
        what = f"{leaving} of {listed} listed are not in the file and would end."
        if nameless:
            what += f" Refused lines that may name one of them, for nobody can tell whom they name: {nameless}."
        if yes or dry_run:
            click.echo(what, err=True)
            return True
        if rules.needs_yes(leaving=leaving, listed=listed, nameless=nameless) or not asks:
            raise Declined(f"{what} Nothing has ended; the rows that were taken stay. Say --yes to end them.")
        try:
            return click.confirm(f"{what} End them?", err=True)
        except click.Abort:
            raise KeyboardInterrupt from None

    return confirm


def _exit_code(report: Report, name: str) -> int:
    """A formula in somebody's name is no slip of the pen: one line says where the first stands."""
    if report.formula is None:
        return 1 if report.rejected else 0
    where = f"{name}, line {report.formula.line}{f' ({report.formula.place})' if report.formula.place else ''}"
    many = report.reasons[rules.Fault.FORMULA.value]
    click.echo(f"Error: {where}: a name begins as a spreadsheet's formula; refused for that: {many}", err=True)
    return 2


def _tell(report: Report, kept: RejectFile, *, as_json: bool) -> None:
    if as_json:
        rejects = {"rejects": str(kept.path)} if kept.written else {}
        click.echo(json.dumps({**report.as_dict(), **rejects}))
        return
    heading = "Would change" if report.dry_run else "Imported"
    whose = "" if report.registry == NATIONAL else f" of {report.registry}"
    click.echo(f"{heading}: {report.format}{whose}, {report.read} rows")
    for label in ("added", "changed", "unchanged", "ended", "rejected"):
        click.echo(f"  {label:<10} {getattr(report, label):>8}")
    for note, count in sorted(report.notes.items()):
        click.echo(f"  {note.replace('_', ' ')}: {count}")
    for reason, count in report.reasons.most_common():
        click.echo(f"  refused {count:>6}: {words.FAULTS[rules.Fault(reason)]}")
    if kept.written:
        click.echo(f"Refused rows are in {kept.path}")
