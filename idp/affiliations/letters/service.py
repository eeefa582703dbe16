"""Printing a batch of letters and making them good, in the order that the room's docstring gives."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from idp.affiliations.letters.content import Printing, contents
from idp.affiliations.letters.files import Files, left_over
from idp.affiliations.letters.rules import (
    Asked,
    Offer,
    Turned,
    ceremony_with_letter,
    number_of,
    offer_for,
    sorted_out,
)
from idp.affiliations.letters.sheet import table
from idp.directory.letters import facts
from idp.directory.letters import service as letters
from idp.directory.letters.rules import Addressee, NewLetter, Span, span_of
from idp.foundation import house
from idp.foundation.database import Rows, new_id, reading, writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.vocabulary.refused import Refused

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who would get a letter, and who not; nothing is made yet."""

    offer: Offer
    span: Span
    going: Sequence[tuple[Asked, Addressee]]
    turned: Sequence[Turned]


@dataclass(frozen=True, slots=True)
class Batch:
    """Letters that are good now, and where they are to read."""

    id: UUID
    replaced: Mapping[str, int] = field(default_factory=dict)
    """Provider ID → how many older letters no longer work."""
    paths: Sequence[Path] = ()


class Unsure(RuntimeError):
    """The database went away while it answered whether the batch is good; the files are kept, under their `.part` names."""


class Unnamed(RuntimeError):
    """The letters are issued, and their files could not be given their names: they stand whole under `.part`."""


def offers(*, now: datetime) -> list[Offer]:
    """The portals with a ceremony that asks for a letter, by client ID."""
    found = []
    for client_id, party in sorted(relying_parties.every(now=now).items()):
        ceremony = ceremony_with_letter({name: each.steps for name, each in party.manifest.enrollment.items()})
        if party.enabled and party.portal is not None and ceremony is not None:
            found.append(Offer(client_id, party.portal.registry, ceremony))
    return found


def chosen(*, portal: str | None, registry: str | None, now: datetime) -> Offer | Refused:
    """The portal that the letters are for."""
    return offer_for(offers(now=now), portal=portal, registry=registry)


def plan(tx: Rows, asked: Sequence[Asked], *, offer: Offer, now: datetime, days: int) -> Plan:
    """Look everybody up; changes nothing."""
    span = span_of(now, days=days)
    numbers = {number for each in asked if (number := number_of(each)) is not None}
    known = facts.addressees(tx, registry=offer.registry, numbers=numbers)
    return Plan(offer, span, *sorted_out(asked, known=known, span=span))


def send(plan: Plan, folder: Path, *, language: str, now: datetime, actor: str, origin: Origin) -> Batch:
    """Print and issue: when this returns both files are whole and every PIN in them is good.

    Raises `OSError`, `TooLong` or `letters.Changed` with nothing issued and nothing kept, `Unnamed` with everything
    issued, `Unsure` when nobody can tell.
    """
    batch = new_id()
    written = [(asked, letters.written(addressee)) for asked, addressee in plan.going]
    day = plan.span.issued_on.isoformat()
    files = Files.of(folder, portal=plan.offer.client_id, day=day, batch=batch)
    files.write(_printed(_printing(plan, language=language, now=now), written))
    try:
        with writing() as tx:
            replaced = letters.issue(
                tx, [letter for _, letter in written], batch=batch, portal=plan.offer.client_id, span=plan.span,
                now=now, actor=actor, origin=origin,
            )  # fmt: skip
    except BaseException as error:
        if not _is_issued(batch, after=error):
            files.discard()
            raise
        replaced = {}
    try:
        files.name()
    except OSError as error:
        raise Unnamed from error
    numbers = {letter.id: letter.addressee.provider_id for _, letter in written}
    return Batch(batch, {numbers[each]: count for each, count in replaced.items()}, files.paths)


def left_behind(folder: Path) -> list[tuple[Path, bool]]:
    """`.part` files of runs that were killed, or still run, and whether their letters are good."""
    found = left_over(folder)
    if not found:
        return []
    with reading() as tx:
        return [(path, facts.count_of_batch(tx, batch) > 0) for path, batch in found]


def _is_issued(batch: UUID, *, after: BaseException) -> bool:
    """Whether a commit that failed took place all the same: the connection may have been lost after it."""
    try:
        with reading() as tx:
            return facts.count_of_batch(tx, batch) > 0
    except Exception:
        _log.exception("cannot tell whether a batch of letters was issued", extra={"reason": type(after).__name__})
        raise Unsure from after


def _printing(plan: Plan, *, language: str, now: datetime) -> Printing:
    settings, offer = house.get(Settings), plan.offer
    party = relying_parties.every(now=now)[offer.client_id]
    return Printing(
        brand=relying_parties.brand_of(party, locale=language),
        url=f"{settings.issuer}/enroll/{offer.client_id}/{offer.ceremony}/",
        span=plan.span,
        language=language,
        zone=ZoneInfo(settings.default_zone),
    )


def _printed(printing: Printing, written: Sequence[tuple[Asked, NewLetter]]) -> dict[str, bytes]:
    from idp.affiliations.letters import page  # typefaces and Pillow are for this command, not for every server

    title = f"{printing.brand.name}, {printing.span.issued_on.isoformat()}"
    pages = page.document(contents(printing, written), title=title, language=printing.language)
    return {"pdf": pages, "csv": table(printing, written)}
