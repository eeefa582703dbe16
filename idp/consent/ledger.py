"""The ledger of agreements: who accepted which words, when and from where (C10); read in pages, oldest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Table, select
from sqlalchemy.orm import Session

from idp.consent.models import AgreementAcceptance
from idp.subjects.models import Subject

PAGE: Final = 1000
COLUMNS: Final = (
    "accepted_at", "portal", "kind", "version", "text_digest", "subject", "user_id", "email", "name", "address",
)  # fmt: skip
_acceptance: Table = AgreementAcceptance.__table__  # type: ignore[assignment]
_person: Table = Subject.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acceptances: of one portal, since a moment, or all there are."""

    portal: str | None = None
    since: datetime | None = None


def entries(tx: Session, wanted: Wanted) -> Iterator[dict[str, str]]:
    """Every acceptance, one page in memory at a time; `subject` is the account that holds it now."""
    query = (
        select(
            _acceptance,
            _person.c.user_id,
            _person.c.email,
            _person.c.given_name,
            _person.c.family_name,
            _person.c.display_name,
        )
        .join(_person, _person.c.id == _acceptance.c.subject_id)
        .order_by(_acceptance.c.id)
        .limit(PAGE)
    )
    if wanted.portal is not None:
        query = query.where(_acceptance.c.client_id == wanted.portal)
    if wanted.since is not None:
        query = query.where(_acceptance.c.accepted_at >= wanted.since)
    last: UUID | None = None
    while rows := tx.execute(query if last is None else query.where(_acceptance.c.id > last)).all():
        yield from map(_entry, rows)
        last = rows[-1].id


def _entry(row: Row[Any]) -> dict[str, str]:
    full = " ".join(part for part in (row.given_name, row.family_name) if part)
    return {
        "accepted_at": row.accepted_at.isoformat(),
        "portal": row.client_id,
        "kind": row.kind,
        "version": row.version,
        "text_digest": row.text_digest,
        "subject": row.subject_id,
        "user_id": row.user_id or "",
        "email": row.email or "",
        "name": row.display_name or full,
        "address": row.address,
    }
