"""Practices as the provider master makes them: one per TIN in use, named and typed by its own records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import case, insert, select, update
from sqlalchemy.orm import Session

from idp.directory import facts
from idp.directory.imports.rules import ProviderRow
from idp.directory.imports.run import Run
from idp.directory.rules import ProviderStatus, ProviderType, practice_tin_type
from idp.directory.service import practice_context, seal_tin, tin_index
from idp.foundation.database import new_id
from idp.vocabulary.identifiers import Tin, TinType

_MANY = 500


@dataclass(frozen=True, slots=True)
class Place:
    """The practice of a TIN; `is_new` where this run has made it."""

    id: UUID
    is_new: bool


def resolve(tx: Session, rows: Sequence[ProviderRow], run: Run) -> dict[bytes, Place]:
    """The practice of each row's TIN, made where it is missing; in a dry run a missing one has a passing id."""
    wanted = {tin_index(row.practice_tin, key=run.index): row for row in rows}
    found = {index: Place(row.id, row.created_at >= run.begun) for index, row in _held(tx, wanted).items()}
    found |= {index: Place(run.passing[index], is_new=True) for index in wanted.keys() & run.passing.keys()}
    made = [_new(row, index, run) for index, row in wanted.items() if index not in found]
    if run.dry:
        run.passing.update({row["tin_index"]: row["id"] for row in made})
    elif made:
        tx.execute(insert(facts.practice), made)
    run.report.notes["practices_made"] += len(made)
    return found | {row["tin_index"]: Place(row["id"], is_new=True) for row in made}


def by_index(tx: Session, indexes: Iterable[bytes]) -> dict[bytes, UUID]:
    """The practices that hold these numbers now."""
    return {index: row.id for index, row in _held(tx, indexes).items()}


def _held(tx: Session, indexes: Iterable[bytes]) -> dict[bytes, Any]:
    table = facts.practice
    query = select(table.c.tin_index, table.c.id, table.c.created_at).where(
        table.c.tin_index.in_(list(indexes)), table.c.retired_at.is_(None)
    )
    return {bytes(row.tin_index): row for row in tx.execute(query)}


def settle(tx: Session, ids: Iterable[UUID]) -> None:
    """Name and type these practices by the records that they have now, whatever order these came in.

    The name is that of the first group record, active ones before terminated, else of the first practitioner.
    """
    every = sorted(ids)
    for start in range(0, len(every), _MANY):
        _settle(tx, every[start : start + _MANY])


def _settle(tx: Session, ids: list[UUID]) -> None:
    provider, practice = facts.provider, facts.practice
    rank = case((provider.c.provider_type == ProviderType.GROUP.value, 0), else_=2) + case(
        (provider.c.status == ProviderStatus.ACTIVE.value, 0), else_=1
    )
    query = (
        select(
            practice.c.id, practice.c.name, practice.c.tin_type, provider.c.legal_name,
            provider.c.tin_type.label("own_type"), (provider.c.tin_index == practice.c.tin_index).label("own"),
        )
        .join_from(practice, provider, provider.c.practice_id == practice.c.id)
        .where(practice.c.id.in_(ids))
        .order_by(practice.c.id, rank, provider.c.provider_id, provider.c.registry)
    )  # fmt: skip
    told: dict[UUID, tuple[str, list[TinType]]] = {}
    before: dict[UUID, tuple[str, str]] = {}
    for row in tx.execute(query):
        before[row.id] = (row.name, row.tin_type)
        _name, types = told.setdefault(row.id, (row.legal_name, []))
        if row.own:
            types.append(TinType(row.own_type))
    for identity, (name, types) in told.items():
        kind = practice_tin_type(own_types=types).value
        if before[identity] != (name, kind):
            tx.execute(update(practice).where(practice.c.id == identity).values(name=name, tin_type=kind))


def _new(row: ProviderRow, index: bytes, run: Run) -> dict[str, Any]:
    identity = new_id()
    tin: Tin = row.practice_tin
    kind = TinType.EIN if row.group_tin not in (None, row.tin) else row.tin_type
    return {
        "id": identity,
        "tin_sealed": seal_tin(tin, keys=run.vault, context=practice_context(identity)),
        "tin_index": index,
        "tin_type": kind.value,
        "tin_last4": tin[-4:],
        "name": row.legal_name,
        "created_at": run.now,
    }
