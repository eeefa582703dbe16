"""What was done with one person's access and said about it, as registrars and auditors read it (E9; MODEL §7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import Line, history
from idp.affiliations.managers.facts import point_at
from idp.console.registrar import facts
from idp.federation import links
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Commented:
    """A page of one person's history at a target, the latest first; `status` is the stored one."""

    affiliation_id: UUID
    name: str
    status: AffiliationStatus
    account_manager: bool
    registry: str
    kind: TargetKind
    target_id: UUID
    target_name: str
    lines: tuple[Line, ...]
    authors: Mapping[str, str]
    older: int | None
    """Before which line the next page begins."""


def commented(tx: Session, affiliation_id: UUID, *, before: int | None, now: datetime) -> Commented | None:
    """The person's history, whatever the target; the row fence is open when it returns."""
    row = facts.find(tx, affiliation_id)
    subject = subjects.by_id(tx, subject_id=row.subject_id) if row is not None else None
    if row is None or subject is None:
        return None
    kind = TargetKind(row.target_kind)
    target = point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)
    lines = history(tx, row.id, limit=A_PAGE + 1, before=before)
    shown = lines[:A_PAGE]
    return Commented(
        affiliation_id=row.id,
        name=subject.name,
        status=AffiliationStatus(row.status),
        account_manager=row.account_manager,
        registry=row.registry_name,
        kind=kind,
        target_id=row.target_id,
        target_name=target.name if target is not None else "",
        lines=shown,
        authors={line.author: _author(tx, line.author) for line in shown},
        older=shown[-1].number if len(lines) > A_PAGE else None,
    )


def _author(tx: Session, author: str) -> str:
    if author.startswith("connection:"):
        return links.name_of(tx, author.partition(":")[2])
    subject = subjects.by_id(tx, subject_id=author.removeprefix("staff:"))
    return subject.name if subject is not None else ""
