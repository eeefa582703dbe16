"""Directory rows as the console shows them: records in every state, their letters and their history."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session

from idp.affiliations.listing import Key as ListKey
from idp.console.directory.forms import LookUpForm
from idp.directory import facts as directory
from idp.directory import service
from idp.directory.looking_up import service as looking_up
from idp.directory.looking_up.facts import Change, RosterRecord
from idp.directory.looking_up.service import EveryRecord
from idp.directory.models import PinLetter, Provider
from idp.directory.rules import EngagementFacts, PartnerFacts, PracticeFacts, ProviderFacts
from idp.directory.search.rules import NpiFacts
from idp.directory.search.service import search_npi, search_providers
from idp.vocabulary.identifiers import Malformed, Tin

SHOWN: Final = 25
MOST_PROVIDERS: Final = 100
_LEAST: Final = 3
"""Letters of a trading partner's name: fewer lead to most of them."""


Key = tuple[str, str]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """One page of a list, and where the next begins."""

    rows: tuple[Row, ...] = ()
    after: Key | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What one text leads to."""

    providers: Listed[ProviderFacts] = Listed()
    of_tin: Listed[RosterRecord] = Listed()
    partners: Listed[PartnerFacts] = Listed()
    npis: Listed[NpiFacts] = Listed()
    meant: tuple[str, ...] | None = None
    practice: PracticeFacts | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A PIN letter's dates; of its PIN nothing."""

    issued_on: date
    expires_on: date
    used_on: date | None
    voided_at: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """What happened, the latest first, and before which event the next page begins."""

    changes: tuple[Change, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class ProviderRecord:
    """One record of the roster with what hangs on it."""

    provider: ProviderFacts
    zip_codes: tuple[str, ...]
    updated_at: datetime
    practice: PracticeFacts | None
    every: EveryRecord
    letters: tuple[Letter, ...]
    more: str
    """After which letter the next page begins; empty: there is none."""
    history: History


@dataclass(frozen=True, slots=True)
class PracticeRecord:
    """All that shares one TIN, in every registry."""

    practice: PracticeFacts
    providers: tuple[ProviderFacts, ...]
    more: str
    """After which record the next page begins; empty: there is none."""
    history: History


def search(tx: Session, registry: str, asked: LookUpForm, *, now: datetime) -> Found:
    """Of a payer: records by number, NPI or name, trading partners by number or name, a whole TIN's practice and records.
    Of the country: what its registers say of an NPI, or of a name.
    """
    text, within = asked.text.strip(), asked.within
    if asked.kind == "npi":
        state = asked.state.upper() or None
        named = search_npi(tx, text, _place(asked, "records"), SHOWN, state=state)
        return Found(npis=Listed(named.records, named.after), meant=named.meant)
    found = Found()
    if asked.of in ("", "records"):
        page = search_providers(
            tx, registry, text, _place(asked, "records"), SHOWN, now=now, within=within, even_ended=True
        )
        found = replace(found, providers=Listed(page.providers, page.after), meant=page.meant)
    if asked.of in ("", "of_tin"):
        records = looking_up.by_tin(
            tx, text, registry=registry, within=within, after=_place(asked, "of_tin"), limit=SHOWN + 1
        )
        found = replace(found, of_tin=_of_tin(records), practice=practice_by_tin(tx, text))
    if asked.of in ("", "partners") and len(text) >= _LEAST:
        place = _place(asked, "partners")
        partners = directory.partner_page(tx, registry=registry, text=text, after=place, limit=SHOWN)
        found = replace(found, partners=Listed(*partners))
    return found


def practice_by_tin(tx: Session, text: str) -> PracticeFacts | None:
    """The practice of a whole TIN, with or without its dash."""
    tin = _tin(text)
    return None if tin is None else service.practice_by_tin(tx, tin)


def looks_for_tin(asked: LookUpForm) -> bool:
    """Whether the text is looked for among TINs too, which the audit is told of whatever it finds."""
    return asked.kind == "roster" and asked.of in ("", "of_tin") and _tin(asked.text) is not None


def _tin(text: str) -> Tin | None:
    try:
        return Tin.parse(text.strip().replace("-", ""))
    except Malformed:
        return None


def every_record(tx: Session, npi: str, *, after: str = "") -> EveryRecord | None:
    """All that any file says of an NPI, whether or not a roster names it; payers' records a page at a time."""
    number, _, registry = after.partition(" ")
    found = looking_up.every_record(tx, npi, after=(registry, number) if after else None, limit=MOST_PROVIDERS)
    return found if found.npi or found.roster else None


def provider(tx: Session, identity: UUID, *, before: int | None, after: str = "") -> ProviderRecord | None:
    """One record, in force or not."""
    found = service.provider(tx, identity)
    row = tx.get(Provider, identity)
    if found is None or row is None:
        return None
    query = select(PinLetter).where(PinLetter.provider_id == identity)
    if place := _day_and_id(after):
        query = query.where(tuple_(PinLetter.issued_on, PinLetter.id) < tuple_(*(literal(part) for part in place)))
    letters = tx.scalars(query.order_by(PinLetter.issued_on.desc(), PinLetter.id.desc()).limit(SHOWN + 1)).all()
    last = letters[SHOWN - 1] if len(letters) > SHOWN else None
    return ProviderRecord(
        provider=found,
        zip_codes=tuple(row.zip_codes),
        updated_at=row.updated_at,
        practice=service.practice(tx, found.practice_id),
        every=looking_up.every_record(tx, found.npi, limit=MOST_PROVIDERS),
        letters=tuple(
            Letter(each.issued_on, each.expires_on, each.used_on, each.voided_at) for each in letters[:SHOWN]
        ),
        more="" if last is None else f"{last.issued_on.isoformat()}{last.id.hex}",
        history=history(tx, identity, before),
    )


def practice(tx: Session, identity: UUID, *, before: int | None, after: str = "") -> PracticeRecord | None:
    """One practice, its records in every registry and state, by registry and number."""
    found = service.practice(tx, identity)
    if found is None:
        return None
    table = directory.provider
    query = directory.PROVIDERS.where(table.c.practice_id == identity)
    if after:
        number, _, registry = after.partition(" ")
        query = query.where(tuple_(table.c.registry, table.c.provider_id) > tuple_(literal(registry), literal(number)))
    rows = tx.execute(query.order_by(table.c.registry, table.c.provider_id).limit(MOST_PROVIDERS + 1)).all()
    shown = tuple(directory.provider_of(row) for row in rows[:MOST_PROVIDERS])
    more = f"{shown[-1].provider_id} {shown[-1].registry}" if len(rows) > MOST_PROVIDERS else ""
    return PracticeRecord(found, shown, more, history(tx, identity, before))


def partner(
    tx: Session, identity: UUID, *, now: datetime, after: str = ""
) -> tuple[PartnerFacts, tuple[EngagementFacts, ...], str] | None:
    """One trading partner and the practices that it works for now, by name; after which the next page begins."""
    found = service.trading_partner(tx, identity)
    if found is None:
        return None
    place = ListKey.unpack(after)
    key = None if place is None else (place.name, place.affiliation_id)
    rows = service.engagements(tx, identity, now, after=key, limit=MOST_PROVIDERS + 1)
    last = rows[MOST_PROVIDERS - 1].practice if len(rows) > MOST_PROVIDERS else None
    return found, rows[:MOST_PROVIDERS], "" if last is None else ListKey(last.name, last.id).pack()


def _day_and_id(text: str) -> tuple[date, UUID] | None:
    try:
        return date.fromisoformat(text[:10]), UUID(hex=text[10:])
    except ValueError:
        return None


def history(tx: Session, identity: UUID | str, before: int | None) -> History:
    """A page of what happened to a record, a practice or an NPI."""
    rows = looking_up.history(tx, identity, before=before, limit=SHOWN + 1)
    return History(rows[:SHOWN], rows[SHOWN - 1].sequence if len(rows) > SHOWN else None)


def _of_tin(rows: tuple[RosterRecord, ...]) -> Listed[RosterRecord]:
    page = rows[:SHOWN]
    last = page[-1].provider if len(rows) > SHOWN else None
    return Listed(page, None if last is None else (last.registry, last.provider_id))


def _place(asked: LookUpForm, name: str) -> Key | None:
    return asked.after if asked.of == name else None
