"""Directory rows as the console shows them: records in every state, their letters and their history."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from idp.directory import facts as directory
from idp.directory import service
from idp.directory.looking_up import service as looking_up
from idp.directory.looking_up.facts import Change
from idp.directory.models import PinLetter, Provider
from idp.directory.rules import EngagementFacts, PartnerFacts, PracticeFacts, ProviderFacts
from idp.directory.search.rules import NpiFacts, Page
from idp.directory.search.service import search_providers
from idp.vocabulary.identifiers import Malformed, Tin

SHOWN: Final = 25
MOST_PROVIDERS: Final = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What one text leads to."""

    providers: Page
    partners: tuple[PartnerFacts, ...]
    practice: PracticeFacts | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A PIN letter's dates; of its PIN nothing."""

    issued_on: date
    expires_on: date
    used_on: date | None
    voided_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProviderRecord:
    """One record of the roster with what hangs on it."""

    provider: ProviderFacts
    zip_codes: tuple[str, ...]
    updated_at: datetime
    practice: PracticeFacts | None
    npi: tuple[NpiFacts, ...]
    letters: tuple[Letter, ...]
    history: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class PracticeRecord:
    """All that shares one TIN, in every registry."""

    practice: PracticeFacts
    providers: tuple[ProviderFacts, ...]
    more: bool
    history: tuple[Change, ...]


def search(tx: Session, registry: str, text: str, *, after: tuple[str, str] | None, now: datetime) -> Found:
    """Providers by number, NPI or name; trading partners by number or name; a practice by its whole TIN."""
    providers = search_providers(tx, registry, text, after, SHOWN, now=now, even_ended=True)
    return Found(providers, _partners(tx, registry, text.strip()), practice_by_tin(tx, text))


def practice_by_tin(tx: Session, text: str) -> PracticeFacts | None:
    """The practice of a whole TIN, with or without its dash."""
    try:
        tin = Tin.parse(text.strip().replace("-", ""))
    except Malformed:
        return None
    return service.practice_by_tin(tx, tin)


def provider(tx: Session, identity: UUID) -> ProviderRecord | None:
    """One record, in force or not."""
    found = service.provider(tx, identity)
    row = tx.get(Provider, identity)
    if found is None or row is None:
        return None
    letters = tx.scalars(
        select(PinLetter).where(PinLetter.provider_id == identity).order_by(PinLetter.issued_on.desc()).limit(SHOWN)
    )
    return ProviderRecord(
        provider=found,
        zip_codes=tuple(row.zip_codes),
        updated_at=row.updated_at,
        practice=service.practice(tx, found.practice_id),
        npi=looking_up.every_record(tx, found.npi).npi,
        letters=tuple(Letter(each.issued_on, each.expires_on, each.used_on, each.voided_at) for each in letters),
        history=looking_up.history(tx, identity, limit=SHOWN),
    )


def practice(tx: Session, identity: UUID) -> PracticeRecord | None:
    """One practice, its records in every registry and state."""
    found = service.practice(tx, identity)
    if found is None:
        return None
    rows = directory.providers(tx, directory.provider.c.practice_id == identity, limit=MOST_PROVIDERS + 1)
    history = looking_up.history(tx, identity, limit=SHOWN)
    return PracticeRecord(found, rows[:MOST_PROVIDERS], len(rows) > MOST_PROVIDERS, history)


def partner(tx: Session, identity: UUID, *, now: datetime) -> tuple[PartnerFacts, tuple[EngagementFacts, ...]] | None:
    """One trading partner and the practices that it works for now."""
    found = service.trading_partner(tx, identity)
    return None if found is None else (found, service.engagements(tx, identity, now, limit=MOST_PROVIDERS))


def _partners(tx: Session, registry: str, text: str) -> tuple[PartnerFacts, ...]:
    table = directory.partner
    if len(text) < 3:
        return ()
    named = func.lower(table.c.name).contains(text.lower(), autoescape=True)
    found = directory.partners(tx, table.c.registry == registry, or_(table.c.trading_partner_id == text.upper(), named))
    return tuple(sorted(found, key=lambda each: each.name.casefold()))[:SHOWN]
