"""Reading what a person holds: one indexed query for all kinds."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, select

from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.factors.rules import Held
from idp.foundation.database import Rows
from idp.foundation.prepared import prepared
from idp.vocabulary.assurance import Acr, Amr, Factor

_table = HeldFactor.__table__
_OF_SUBJECT: Final = prepared(
    select(_table).where(_table.c.subject_id == bindparam("subject_id")).order_by(_table.c.created_at, _table.c.id)
)


def held(tx: Rows, *, subject_id: str) -> tuple[Held, ...]:
    """The person's factors, oldest first."""
    return tuple(_held(row) for row in tx.execute(_OF_SUBJECT, {"subject_id": subject_id}))


def one(tx: Rows, *, subject_id: str, factor_id: UUID) -> Held | None:
    """One factor of this very person; a foreign one is as unknown as none."""
    return next((each for each in held(tx, subject_id=subject_id) if each.id == factor_id), None)


def _held(row: Row[Any]) -> Held:
    return Held(
        id=row.id,
        kind=Factor(row.kind),
        name=row.name,
        gives=frozenset(Acr(value) for value in row.gives),
        amr=tuple(Amr(value) for value in row.amr),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        stopped=row.stopped_at is not None,
    )
