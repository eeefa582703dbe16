"""Reads the records that a claim may mean: one statement on an index, the same for a hit, a miss and nonsense (EN-04)."""

from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, case, cast
from sqlalchemy.orm import Session

from idp.directory import facts
from idp.directory.facts import in_force_on, practice, provider
from idp.directory.matching.rules import Candidate, Wanted
from idp.directory.rules import PartnerFacts

CLAIM_RECORDS: Final = 25
"""Of a practice's records, so many that meet the claim are told."""
_NOBODYS: Final = "-"
_CANDIDATES: Final = facts.PROVIDERS.add_columns(
    provider.c.first_name, provider.c.last_name, provider.c.zip_codes, provider.c.tin_index.label("own_tin"),
    practice.c.tin_index.label("group_tin"), practice.c.name.label("practice_name"), practice.c.tin_sealed,
    practice.c.retired_at,
    practice.c.passes_on,
)  # fmt: skip


def found_by(finder: str, wanted: Wanted | None, *, registry: str, tin: bytes) -> ColumnElement[bool]:
    """Records with the number that is asked; a claim that nobody can mean looks for nobody, at the same cost."""
    if finder in ("provider_id", "npi"):
        number: str | None = getattr(wanted, finder, None)
        return (provider.c.registry == registry) & (provider.c[finder] == (number or _NOBODYS))
    return facts.found_by_tin(registry=registry, tin=tin)


def candidates(tx: Session, condition: ColumnElement[bool]) -> tuple[Candidate, ...]:
    """The records by the payer's number, sorted here: to sort as it reads, SQLite would walk the whole registry."""
    found = _read(tx, _CANDIDATES.where(condition))
    return tuple(sorted(found, key=lambda each: each.provider.provider_id))


def of_practice(tx: Session, wanted: Wanted | None, *, registry: str, tin: bytes, on: date) -> tuple[Candidate, ...]:
    """Records of the practice with this TIN, those first that are in force and have the ZIP code; never too many."""
    zip5 = wanted.zip_code.zip5 if wanted and wanted.zip_code else _NOBODYS
    has_zip = cast(provider.c.zip_codes, Text).like(f'%"{zip5}%')
    meets = in_force_on(on) & has_zip
    query = _CANDIDATES.where(provider.c.id.in_(facts.members(registry=registry, tin=tin)))
    return _read(tx, query.order_by(case((meets, 0), else_=1), provider.c.provider_id).limit(CLAIM_RECORDS))


def trading_partner(tx: Session, number: str | None, *, registry: str) -> PartnerFacts | None:
    """The partner with the payer's number, on the roster or not."""
    table = facts.partner
    condition = (table.c.registry == registry) & (table.c.trading_partner_id == (number or _NOBODYS))
    return next(iter(facts.partners(tx, condition)), None)


def _read(tx: Session, query: Select[Any]) -> tuple[Candidate, ...]:
    return tuple(_candidate(row) for row in tx.execute(query))


def _candidate(row: Any) -> Candidate:
    return Candidate(
        provider=facts.provider_of(row),
        practice=facts.practice_of(row, row.practice_id, row.practice_name),
        first_name=row.first_name,
        last_name=row.last_name,
        own_tin=bytes(row.own_tin),
        group_tin=bytes(row.group_tin),
        zip_codes=tuple(row.zip_codes),
    )
