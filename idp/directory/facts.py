"""Reads directory rows into frozen dataclasses; every statement here runs on an index."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from idp.directory.models import Engagement, Practice, Provider, ProviderWord, TradingPartner
from idp.directory.rules import (
    DirectoryFilter,
    EngagementFacts,
    PartnerFacts,
    PracticeFacts,
    ProviderFacts,
    ProviderStatus,
)
from idp.foundation.database import Rows
from idp.foundation.prepared import prepared
from idp.vocabulary.identifiers import TinType

provider: Final[Table] = Provider.__table__  # type: ignore[assignment]
practice: Final[Table] = Practice.__table__  # type: ignore[assignment]
partner: Final[Table] = TradingPartner.__table__  # type: ignore[assignment]
engagement: Final[Table] = Engagement.__table__  # type: ignore[assignment]
word: Final[Table] = ProviderWord.__table__  # type: ignore[assignment]

PROVIDERS: Final = select(
    provider.c.id, provider.c.registry, provider.c.provider_id, provider.c.npi, provider.c.provider_type,
    provider.c.legal_name, provider.c.practice_id, practice.c.tin_last4, practice.c.tin_type, provider.c.status,
    provider.c.effective_date, provider.c.end_date, provider.c.state, provider.c.programs, provider.c.tin_changed_at,
    provider.c.npi_deactivated_on,
).join_from(provider, practice, practice.c.id == provider.c.practice_id)  # fmt: skip
_PRACTICE_COLUMNS: Final = (
    practice.c.id, practice.c.name, practice.c.tin_last4, practice.c.tin_type, practice.c.tin_sealed,
    practice.c.retired_at, practice.c.passes_on,
)  # fmt: skip
_PROVIDER_BY_ID: Final = prepared(PROVIDERS.where(provider.c.id == bindparam("identity")))
_PRACTICE_BY_ID: Final = prepared(select(*_PRACTICE_COLUMNS).where(practice.c.id == bindparam("identity")))
_BOTH_BY_ID: Final = prepared(
    PROVIDERS.add_columns(practice.c.name, practice.c.tin_sealed, practice.c.retired_at, practice.c.passes_on).where(
        provider.c.id == bindparam("identity")
    )
)
"""Tokens and UserInfo ask these: built once."""
_PARTNERS: Final = select(
    partner.c.id, partner.c.registry, partner.c.trading_partner_id, partner.c.name, partner.c.zip_code,
    partner.c.kind, partner.c.status,
)  # fmt: skip


def in_force_on(on: date | ColumnElement[date], *, row: FromClause = provider) -> ColumnElement[bool]:
    """`ProviderFacts.in_force` as a condition on `provider`, or on another name for it."""
    return and_(
        row.c.effective_date <= on,
        or_(row.c.npi_deactivated_on.is_(None), row.c.npi_deactivated_on > on),
        or_(row.c.end_date > on, and_(row.c.end_date.is_(None), row.c.status == ProviderStatus.ACTIVE.value)),
    )


def has_number_on(on: date | ColumnElement[date]) -> ColumnElement[bool]:
    """`PracticeFacts.has_number` as a condition on `practice`."""
    return and_(practice.c.retired_at.is_(None), or_(practice.c.passes_on.is_(None), practice.c.passes_on > on))


def provider_by_id(tx: Rows, identity: UUID) -> ProviderFacts | None:
    row = tx.execute(_PROVIDER_BY_ID, {"identity": identity}).one_or_none()
    return None if row is None else provider_of(row)


def practice_by_id(tx: Rows, identity: UUID) -> PracticeFacts | None:
    row = tx.execute(_PRACTICE_BY_ID, {"identity": identity}).one_or_none()
    return None if row is None else _practice(row)


def with_practice(tx: Rows, identity: UUID) -> tuple[ProviderFacts, PracticeFacts] | None:
    row = tx.execute(_BOTH_BY_ID, {"identity": identity}).one_or_none()
    return None if row is None else (provider_of(row), practice_of(row, row.practice_id, row.name))


def providers(tx: Rows, *conditions: ColumnElement[bool], limit: int | None = None) -> tuple[ProviderFacts, ...]:
    """Provider records by the payer's number."""
    query = PROVIDERS.where(*conditions).order_by(provider.c.provider_id).limit(limit)
    return tuple(provider_of(row) for row in tx.execute(query))


def practices(tx: Rows, *conditions: ColumnElement[bool]) -> tuple[PracticeFacts, ...]:
    return tuple(_practice(row) for row in tx.execute(select(*_PRACTICE_COLUMNS).where(*conditions)))


def partners(tx: Rows, *conditions: ColumnElement[bool]) -> tuple[PartnerFacts, ...]:
    return tuple(PartnerFacts(*row) for row in tx.execute(_PARTNERS.where(*conditions)))


def partner_page(
    tx: Session, *, registry: str, text: str, after: tuple[str, str] | None, limit: int
) -> tuple[tuple[PartnerFacts, ...], tuple[str, str] | None]:
    """Trading partners by number or by a part of their name, in the order of names; nothing typed is a wildcard."""
    name: ColumnElement[str] = func.lower(partner.c.name)
    if tx.get_bind().dialect.name == "postgresql":
        name = name.collate("C")
    named = or_(partner.c.trading_partner_id == text.upper(), name.contains(text.lower(), autoescape=True))
    query = _PARTNERS.add_columns(name.label("sorted_by")).where(partner.c.registry == registry, named)
    if after is not None and all(part.isprintable() for part in after):
        query = query.where(tuple_(name, partner.c.trading_partner_id) > tuple_(*after))
    rows = tx.execute(query.order_by(name, partner.c.trading_partner_id).limit(limit + 1)).all()
    page = rows[:limit]
    more = (page[-1].sorted_by, page[-1].trading_partner_id) if len(rows) > limit else None
    return tuple(PartnerFacts(*row[:-1]) for row in page), more


def engagements(
    tx: Rows, *conditions: ColumnElement[bool], on: date, limit: int | None = None
) -> tuple[EngagementFacts, ...]:
    """Engagements that run on the day, of practices that still have a provider in force in the partner's registry."""
    alive = exists().where(
        provider.c.practice_id == engagement.c.practice_id,
        provider.c.registry == partner.c.registry,
        in_force_on(on),
    )
    query = (
        select(
            engagement.c.id, engagement.c.trading_partner_id, engagement.c.source, engagement.c.levels_cap,
            *_PRACTICE_COLUMNS[1:], practice.c.id.label("practice_id"),
        )
        .join_from(engagement, practice, practice.c.id == engagement.c.practice_id)
        .join(partner, partner.c.id == engagement.c.trading_partner_id)
        .where(
            *conditions,
            engagement.c.starts_on <= on,
            or_(engagement.c.ends_on.is_(None), engagement.c.ends_on > on),
            partner.c.status == ProviderStatus.ACTIVE.value,
            has_number_on(on),
            alive,
        )
        .order_by(practice.c.name, practice.c.id)
        .limit(limit)
    )  # fmt: skip
    return tuple(_engagement(row) for row in tx.execute(query))


def later_practice(after: tuple[str, UUID]) -> ColumnElement[bool]:
    """Practices that stand after this name and id in `engagements`."""
    return tuple_(practice.c.name, practice.c.id) > tuple_(literal(after[0]), literal(after[1]))


def found_by_number(*, registry: str, number: str) -> ColumnElement[bool]:
    """Providers with this payer's number or NPI: two look-ups, since an OR of two indexes may be planned as a scan."""
    theirs = provider.alias()
    found = select(theirs.c.id).where(theirs.c.registry == registry)
    by_npi = found.where(theirs.c.npi == number)
    return provider.c.id.in_(found.where(theirs.c.provider_id == number).union_all(by_npi))


def found_by_tin(*, registry: str, tin: bytes) -> ColumnElement[bool]:
    """Providers whose own TIN this is, or whose practice holds it now (MODEL §2); `tin` is its blind index."""
    theirs = provider.alias()
    own = select(theirs.c.id).where(theirs.c.registry == registry, theirs.c.tin_index == tin)
    return provider.c.id.in_(own.union_all(members(registry=registry, tin=tin)))


def members(*, registry: str, tin: bytes) -> Select[Any]:
    """The ids of the records of the practice that holds this TIN now."""
    theirs, its = provider.alias(), practice.alias()
    holders = select(its.c.id).where(its.c.tin_index == tin, its.c.retired_at.is_(None))
    return select(theirs.c.id).where(theirs.c.practice_id.in_(holders), theirs.c.registry == registry)


def served(within: DirectoryFilter, *, row: FromClause = provider) -> tuple[ColumnElement[bool], ...]:
    """`rules.serves` as conditions on `provider`, or on another name for it."""
    programs, states = within.programs, within.states
    return (
        *(() if programs is None else (row.c.programs.in_(sorted(programs)),)),
        *(() if states is None else (row.c.state.in_(sorted(states)),)),
    )


def search_page(
    tx: Session, *conditions: ColumnElement[bool], after: tuple[str, str] | None, limit: int
) -> tuple[tuple[ProviderFacts, ...], tuple[str, str] | None]:
    """One page in the order of names, and the key of the next page where there is one."""
    query: Select[Any] = PROVIDERS.add_columns(provider.c.name_key).where(*conditions)
    if after is not None:
        name, number = after
        query = query.where(
            or_(
                provider.c.name_key > name,
                and_(provider.c.name_key == name, provider.c.provider_id > number),
            )
        )
    rows: Sequence[Row[Any]] = tx.execute(
        query.order_by(provider.c.name_key, provider.c.provider_id).limit(limit + 1)
    ).all()
    page = rows[:limit]
    more = (page[-1].name_key, page[-1].provider_id) if len(rows) > limit else None
    return tuple(provider_of(row) for row in page), more


def exists_in_force(tx: Session, *, practice_id: UUID, registry: str, on: date) -> bool:
    query = select(provider.c.id).where(
        provider.c.practice_id == practice_id, provider.c.registry == registry, in_force_on(on)
    )
    passed = exists().where(practice.c.id == practice_id, practice.c.passes_on <= on)
    query = query.where(~passed)
    return tx.execute(query.limit(1)).first() is not None


def provider_of(row: Any) -> ProviderFacts:
    return ProviderFacts(
        id=row.id,
        registry=row.registry,
        provider_id=row.provider_id,
        npi=row.npi,
        provider_type=row.provider_type,
        name=row.legal_name,
        practice_id=row.practice_id,
        tin_last4=row.tin_last4,
        tin_type=TinType(row.tin_type),
        status=row.status,
        effective_date=row.effective_date,
        end_date=row.end_date,
        state=row.state,
        programs=row.programs,
        tin_changed_at=row.tin_changed_at,
        npi_deactivated_on=row.npi_deactivated_on,
    )


def _practice(row: Any) -> PracticeFacts:
    return practice_of(row, row.id, row.name)


def practice_of(row: Any, identity: UUID, name: str) -> PracticeFacts:
    tin_type = TinType(row.tin_type)
    return PracticeFacts(identity, name, row.tin_last4, tin_type, row.tin_sealed, row.retired_at, row.passes_on)


def _engagement(row: Any) -> EngagementFacts:
    practice_facts = practice_of(row, row.practice_id, row.name)
    cap = None if row.levels_cap is None else tuple(row.levels_cap)
    return EngagementFacts(row.id, row.trading_partner_id, practice_facts, row.source, cap)
