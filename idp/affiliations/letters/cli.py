"""`idp pin-letters`: letters with a PIN, for providers who are to set up an account."""

import io
import json
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
from flask.cli import with_appcontext

from idp.affiliations.letters import service, words
from idp.affiliations.letters.content import TooLong
from idp.affiliations.letters.files import PART
from idp.affiliations.letters.rules import ADDRESS_COLUMNS, PORTAL_COLUMNS, Asked, NoPortal, Offer, Turned
from idp.affiliations.letters.service import Batch, Plan
from idp.directory.imports.files import BadFile, Lines
from idp.directory.letters.rules import DEFAULT_DAYS, MOST_DAYS
from idp.directory.letters.service import Changed
from idp.foundation import clock
from idp.foundation.database import reading
from idp.foundation.i18n import LANGUAGES
from idp.foundation.origin import Origin
from idp.vocabulary.refused import Refused

MOST: Final = 500
"""Of one batch, which is one transaction."""
LARGEST: Final = 1024 * 1024


class Unusable(click.ClickException):
    """One line on standard error, exit code 2."""

    exit_code = 2


@click.group("pin-letters")
def pin_letters() -> None:
    """Letters with a PIN, by which a provider sets up its account."""


@pin_letters.command()
@click.option(
    "--provider", "providers", multiple=True, metavar="ID", help="A provider's ID; may be said several times."
)
@click.option(
    "--csv", "listed", metavar="FILE", help="A list: provider_id, or provider_id,street,city. `-`: standard input."
)
@click.option("--registry", help="Whose providers, such as heartland. Default: the portal's.")
@click.option(
    "--portal", metavar="CLIENT_ID", help="Where the PINs are good. Default: the only portal that asks for one."
)
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=DEFAULT_DAYS, show_default=True, help="How long.")
@click.option(
    "--language", type=click.Choice(sorted(LANGUAGES)), default="en", show_default=True, help="Of the letters."
)
@click.option("--out", "folder", type=click.Path(path_type=Path, file_okay=False), help="Where the files go.")
@click.option("--dry-run", is_flag=True, help="Say who would get a letter; nothing is made.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def issue(
    *,
    providers: tuple[str, ...],
    listed: str | None,
    registry: str | None,
    portal: str | None,
    days: int,
    language: str,
    folder: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Print a batch of letters: a PDF with one a page, and a CSV for a print house, readable by you alone.

    The PINs stand in those two files and nowhere else. A new letter ends the provider's older ones. A list may have
    columns street and city, since the directory knows ZIP codes only. Exit code 0: everybody gets a letter; 1: some do
    not, and why is printed; 2: nothing was issued.
    """
    asked = _asked(providers, listed)
    if folder is None and not dry_run:
        raise click.UsageError("Say where the files go: --out FOLDER.")
    now = clock.now()
    offer = _portal(service.chosen(portal=portal, registry=registry, now=now))
    with reading() as tx:
        plan = service.plan(tx, asked, offer=offer, now=now, days=days)
    batch = None
    if folder is not None and not dry_run:
        _warn(folder)
        if plan.going:
            batch = _send(plan, folder, language=language)
    _tell(plan, batch, dry_run=dry_run, as_json=as_json)
    click.get_current_context().exit(1 if plan.turned else 0)


def _send(plan: Plan, folder: Path, *, language: str) -> Batch:
    try:
        return service.send(
            plan, folder, language=language, now=clock.now(), actor="system", origin=Origin.local("cli")
        )
    except Changed:
        raise Unusable("a provider left the roster meanwhile: nothing was issued; run this again") from None
    except TooLong:
        raise Unusable("the portal's name or help line is too long for a letter of one page") from None
    except service.Unsure:
        raise Unusable(
            f"the database went away: whether the letters in {folder} are good is not known; their files end in {PART},"
            " and the next run there says it"
        ) from None
    except service.Unnamed:
        raise Unusable(
            f"the letters are issued, but their files in {folder} still end in {PART}: rename them"
        ) from None
    except OSError as error:
        raise Unusable(f"{folder}: {error.strerror}; nothing was issued") from None


def _asked(providers: tuple[str, ...], listed: str | None) -> list[Asked]:
    if bool(providers) == (listed is not None):
        raise click.UsageError("Say for whom: --provider ID, or --csv FILE.")
    if listed is None:
        return [Asked(position, number) for position, number in enumerate(providers, start=1)]
    try:
        if listed == "-":
            return _read(sys.stdin.buffer, "standard input")
        with Path(listed).open("rb") as stream:
            return _read(stream, Path(listed).name)
    except BadFile as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"{listed}: {error.strerror}") from None


def _read(stream: BinaryIO, name: str) -> list[Asked]:
    content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unusable(f"{name}: larger than a list of {MOST} letters can be")
    columns = ADDRESS_COLUMNS if b"," in content.split(b"\n", 1)[0] else PORTAL_COLUMNS
    asked: list[Asked] = []
    for line in Lines(io.BytesIO(content), name=name, columns=columns):
        cells = line.cells or dict.fromkeys(columns, "")
        asked.append(Asked(line.number, cells["provider_id"], cells.get("street", ""), cells.get("city", "")))
    if not 0 < len(asked) <= MOST:
        raise Unusable(f"{name}: a batch has 1 to {MOST} letters, this list has {len(asked)}")
    return asked


def _portal(found: Offer | Refused) -> Offer:
    if isinstance(found, Offer):
        return found
    said = words.NO_PORTAL[NoPortal(found.reason)]
    if found.reason is NoPortal.SEVERAL:
        said = f"{said} {', '.join(offer.client_id for offer in service.offers(now=clock.now()))}."
    raise click.UsageError(said)


def _warn(folder: Path) -> None:
    """A run that was killed, or that still runs: the only case in which somebody must look after the files."""
    for path, is_issued in service.left_behind(folder):
        if is_issued:
            what = f"its PINs are good; give it the name {path.name.removesuffix(PART)} and send the letters"
        else:
            what = "its PINs are good for nothing; delete it, unless another run is at work here"
        click.echo(f"{path}: left by a run that was stopped; {what}.", err=True)


def _tell(plan: Plan, batch: Batch | None, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_members(plan, batch, dry_run=dry_run)))
        return
    what = "Would issue" if dry_run else "Issued"
    count = len(plan.going)
    click.echo(f"{what}: {count} {'letter' if count == 1 else 'letters'} for {plan.offer.client_id}")
    if count:
        click.echo(f"  each PIN works once, through {plan.span.expires_on.isoformat()} (UTC)")
    for number, replaced in (batch.replaced if batch else {}).items():
        if replaced:
            click.echo(f"  {number}: an older letter was open; its PIN no longer works")
    for turned in plan.turned:
        click.echo(f"  refused: {_where(turned)}: {words.UNSENDABLE[turned.reason]}")
    for path in batch.paths if batch else ():
        click.echo(f"{path}")
    if batch:
        click.echo("These files hold the PINs, and nothing else does. Delete them when the letters are sent.")


def _where(turned: Turned) -> str:
    return f"line {turned.line}" + (f", {turned.provider_id}" if turned.provider_id else "")


def _members(plan: Plan, batch: Batch | None, *, dry_run: bool) -> dict[str, Any]:
    replaced = batch.replaced if batch else {}
    letters = [found.provider_id for _, found in plan.going]
    return {
        "portal": plan.offer.client_id,
        "registry": plan.offer.registry,
        "dry_run": dry_run,
        "batch": str(batch.id) if batch else None,
        "issued_on": plan.span.issued_on.isoformat(),
        "expires_on": plan.span.expires_on.isoformat(),
        "expires_at": plan.span.ends_at.isoformat(),
        "letters": [{"provider_id": number, "replaced": replaced.get(number, 0)} for number in letters],
        "refused": [
            {
                "line": turned.line,
                "provider_id": turned.provider_id,
                "reason": turned.reason.value,
                "explanation": words.UNSENDABLE[turned.reason],
            }
            for turned in plan.turned
        ],
        "files": [str(path) for path in batch.paths] if batch else [],
    }
