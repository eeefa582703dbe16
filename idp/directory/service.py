"""What the rooms above ask the directory; each call is one indexed look-up (DESIGN §8)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from idp.directory import facts
from idp.directory.models import ImportRun, Practice, Provider
from idp.directory.rules import (
    EVERY_RECORD,
    NATIONAL,
    DirectoryFilter,
    EngagementFacts,
    PartnerFacts,
    PracticeFacts,
    ProviderFacts,
    ProviderType,
    serves,
)
from idp.directory.search.rules import Page
from idp.directory.search.service import search_npi, search_providers
from idp.foundation import house
from idp.foundation.database import Rows
from idp.foundation.vault import SealingKeys, blind_index, seal, unseal
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.vocabulary.identifiers import Malformed, Tin, TradingPartnerId

TIN_CONTEXT: Final = "practice.tin"
"""One context for providers' and practices' TINs, so that either finds the other."""


def provider(tx: Rows, identity: UUID) -> ProviderFacts | None:
    """One provider record, in force or not: the caller asks `in_force(on)`."""
    return facts.provider_by_id(tx, identity)


def provider_with_practice(tx: Rows, identity: UUID) -> tuple[ProviderFacts, PracticeFacts] | None:
    """A provider record and the practice that it belongs to, by one statement: asked for every token."""
    return facts.with_practice(tx, identity)


def providers(tx: Session, ids: list[UUID] | tuple[UUID, ...]) -> dict[UUID, ProviderFacts]:
    """Several provider records at once, by id."""
    return {found.id: found for found in facts.providers(tx, facts.provider.c.id.in_(ids))} if ids else {}


def provider_by_number(tx: Rows, *, registry: str, provider_id: str) -> ProviderFacts | None:
    """The record with the payer's number, in force or not."""
    table = facts.provider
    found = facts.providers(tx, table.c.registry == registry, table.c.provider_id == provider_id, limit=1)
    return next(iter(found), None)


def providers_of_practice(
    tx: Rows, *, practice_id: UUID, registry: str, now: datetime, limit: int | None = 200
) -> tuple[ProviderFacts, ...]:
    """Its provider records in force now, by number. To learn whether there are more, ask for one more."""
    return facts.providers(tx, *_of_practice(practice_id=practice_id, registry=registry, now=now), limit=limit)


def group_records(tx: Session, *, practice_id: UUID, registry: str, now: datetime) -> tuple[ProviderFacts, ...]:
    """The TIN's own group records in force now; a token takes `provider_id` from the only one (MODEL §1)."""
    return facts.providers(
        tx,
        *_of_practice(practice_id=practice_id, registry=registry, now=now),
        facts.provider.c.provider_type == ProviderType.GROUP.value,
    )


def practice(tx: Rows, identity: UUID) -> PracticeFacts | None:
    """One practice, retired or not."""
    return facts.practice_by_id(tx, identity)


def practices(tx: Session, ids: list[UUID] | tuple[UUID, ...]) -> dict[UUID, PracticeFacts]:
    """Several practices at once, by id."""
    return {found.id: found for found in facts.practices(tx, facts.practice.c.id.in_(ids))} if ids else {}


def practice_by_tin(tx: Rows, tin: str) -> PracticeFacts | None:
    """The practice that holds this number now; text that is no TIN finds none."""
    try:
        index = tin_index(Tin.parse(tin), key=house.get(Keyring).index)
    except Malformed:
        return None
    table = facts.practice
    return next(iter(facts.practices(tx, table.c.tin_index == index, table.c.retired_at.is_(None))), None)


def practice_in_force(tx: Session, *, practice_id: UUID, registry: str, now: datetime) -> bool:
    """Whether the practice has a provider in force in that registry; without one an affiliation reads `suspended`."""
    return facts.exists_in_force(tx, practice_id=practice_id, registry=registry, on=now.date())


def tin_of(practice: PracticeFacts) -> Tin:
    """The number itself. Only what mints a token calls this; pages show `masked_tin`."""
    return Tin(
        unseal(practice.tin_sealed, keys=house.get(Keyring).vault, context=practice_context(practice.id)).decode()
    )


def trading_partner(tx: Rows, identity: UUID) -> PartnerFacts | None:
    """One trading partner, in force or not."""
    return next(iter(facts.partners(tx, facts.partner.c.id == identity)), None)


def trading_partners(tx: Session, ids: list[UUID] | tuple[UUID, ...]) -> dict[UUID, PartnerFacts]:
    """Several trading partners at once, by id."""
    return {found.id: found for found in facts.partners(tx, facts.partner.c.id.in_(ids))} if ids else {}


def trading_partner_by_number(tx: Session, *, registry: str, trading_partner_id: str) -> PartnerFacts | None:
    """The trading partner with the payer's number; text that is no such number finds none."""
    try:
        number = TradingPartnerId.parse(trading_partner_id)
    except Malformed:
        return None
    table = facts.partner
    return next(iter(facts.partners(tx, table.c.registry == registry, table.c.trading_partner_id == number)), None)


def engagements(
    tx: Rows, partner_id: UUID, now: datetime, *, limit: int | None = None, after: tuple[str, UUID] | None = None
) -> tuple[EngagementFacts, ...]:
    """The practices that a trading partner works for now, by name and id, after one of them."""
    conditions = [facts.engagement.c.trading_partner_id == partner_id]
    if after is not None:
        conditions.append(facts.later_practice(after))
    return facts.engagements(tx, *conditions, on=now.date(), limit=limit)


def engagement(tx: Rows, partner_id: UUID, practice_id: UUID, now: datetime) -> EngagementFacts | None:
    """The engagement through which a trading partner may act for a practice now; a manager's before the roster's."""
    table = facts.engagement
    found = facts.engagements(
        tx, table.c.trading_partner_id == partner_id, table.c.practice_id == practice_id, on=now.date()
    )
    return min(found, key=lambda each: each.source, default=None)


def provider_served(
    tx: Rows, identity: UUID, *, registry: str, now: datetime, within: DirectoryFilter = EVERY_RECORD
) -> ProviderFacts | None:
    """A record that a search could have shown: what a browser sends back as its choice is asked here again (B3)."""
    found = facts.provider_by_id(tx, identity)
    if found is None or found.registry != registry or not found.in_force(now.date()):
        return None
    return found if serves(within, found) else None


def registries(tx: Session) -> list[str]:
    """Registries that have had an import, by name."""
    query = select(ImportRun.registry_name).where(ImportRun.registry_name != NATIONAL).distinct()
    return list(tx.execute(query.order_by(ImportRun.registry_name)).scalars())


def tin_index(tin: Tin, *, key: bytes) -> bytes:
    """By what a TIN is found."""
    return blind_index(tin, key=key, context=TIN_CONTEXT)


def seal_tin(tin: Tin, *, keys: SealingKeys, context: str) -> bytes:
    """A TIN as it is kept."""
    return seal(tin.encode(), keys=keys, context=context)


def practice_context(identity: UUID) -> str:
    """Where a practice's sealed TIN stands."""
    return f"practice.tin_sealed:{identity}"


def provider_context(identity: UUID) -> str:
    """Where a provider record's own sealed TIN stands."""
    return f"provider.tin_sealed:{identity}"


def _of_practice(*, practice_id: UUID, registry: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    table = facts.provider
    return table.c.practice_id == practice_id, table.c.registry == registry, facts.in_force_on(now.date())


resealing.register("practice.tin", resealing.of_column(Practice.tin_sealed, context=practice_context))
resealing.register("provider.tin", resealing.of_column(Provider.tin_sealed, context=provider_context))

__all__ = ["Page", "search_npi", "search_providers"]
