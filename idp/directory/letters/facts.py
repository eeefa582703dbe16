"""Reads addressees and the letters sent to them."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from idp.directory.facts import provider
from idp.directory.letters.rules import Addressee
from idp.directory.models import PinLetter
from idp.foundation import artefacts
from idp.foundation.database import Rows

letter: Final[Table] = PinLetter.__table__  # type: ignore[assignment]
_CHUNK: Final = 500
_ADDRESSEES: Final = select(
    provider.c.id, provider.c.provider_id, provider.c.legal_name, provider.c.zip_codes, provider.c.state,
    provider.c.status, provider.c.effective_date, provider.c.end_date,
)  # fmt: skip


def addressees(tx: Rows, *, registry: str, numbers: Collection[str]) -> dict[str, Addressee]:
    """Records by the payer's number, in force or not."""
    found: dict[str, Addressee] = {}
    for part in _parts(sorted(numbers)):
        query = _ADDRESSEES.where(provider.c.registry == registry, provider.c.provider_id.in_(part))
        found |= {row.provider_id: _addressee(row) for row in tx.execute(query)}
    return found


def locked(tx: Session, ids: Collection[UUID]) -> dict[UUID, Addressee]:
    """The same records with their rows locked, always in one order: two batches at once wait for each other."""
    found: dict[UUID, Addressee] = {}
    for part in _parts(sorted(ids)):
        query = _ADDRESSEES.where(provider.c.id.in_(part)).order_by(provider.c.id).with_for_update(key_share=True)
        found |= {row.id: _addressee(row) for row in tx.execute(query)}
    return found


def open_letters(tx: Session, provider_id: UUID, *, before: date | None = None) -> list[Any]:
    """A provider's letters that are not voided, known to be used or past their days; with `before`, older ones only."""
    conditions = [letter.c.provider_id == provider_id, letter.c.voided_at.is_(None), letter.c.used_on.is_(None)]
    if before is not None:
        conditions.append(letter.c.issued_on < before)
    return list(tx.execute(select(letter.c.id, letter.c.artefact_id).where(*conditions)))


def newest_day(tx: Session, provider_id: UUID) -> date | None:
    """When the newest of a provider's letters was issued, whatever became of it."""
    query = select(func.max(letter.c.issued_on)).where(letter.c.provider_id == provider_id)
    return tx.execute(query).scalar()


def is_alive(tx: Rows, artefact_id: UUID, *, now: datetime) -> bool:
    """Whether a letter's PIN would still be taken."""
    state = artefacts.family_of(tx, kind=artefacts.Kind.PIN_LETTER, identity=artefact_id)
    return state is not None and state.rotated_at is None and state.expires_at > now


def count_of_batch(tx: Rows, batch: UUID) -> int:
    """How many letters of one batch were issued: all of them, or none."""
    return len(tx.execute(select(letter.c.id).where(letter.c.batch_id == batch)).all())


def _parts(wanted: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(wanted), _CHUNK):
        yield wanted[start : start + _CHUNK]


def _addressee(row: Any) -> Addressee:
    return Addressee(
        row.id, row.provider_id, row.legal_name, tuple(row.zip_codes), row.state, row.status, row.effective_date,
        row.end_date,
    )  # fmt: skip
