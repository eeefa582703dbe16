"""What a review proves: who had which access, what a manager said of it and when, what became of it; as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import Place
from idp.affiliations.reviews import facts
from idp.affiliations.reviews.models import AccessReview
from idp.audit.rules import formula_safe
from idp.subjects import service as subjects

COLUMNS: Final = (
    "review", "portal", "target", "tin", "name", "user_id", "email", "levels_before", "levels_kept", "said_by", "said_at",
    "outcome",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the review."""

    name: str
    user_id: str
    email: str
    before: tuple[str, ...]
    kept: tuple[str, ...] | None
    said_by: str
    said_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A review with everybody in it."""

    review: UUID
    portal: str
    target: str
    opened_at: datetime
    due_at: datetime
    confirmed_at: datetime | None
    confirmed_by: str
    closed_at: datetime | None
    rows: tuple[Row, ...]


def evidence_of(tx: Session, place: Place, row: AccessReview) -> Evidence:
    """Everything, as it stands; of a review that is open, only those of whom something was said."""
    names: dict[str, str] = {}

    def name(subject_id: str | None) -> str:
        if subject_id is None:
            return ""
        if subject_id not in names:
            subject = subjects.by_id(tx, subject_id=subject_id)
            names[subject_id] = subject.name if subject is not None else subject_id
        return names[subject_id]

    rows = tuple(
        Row(
            subject.display_name or " ".join(part for part in (subject.given_name, subject.family_name) if part),
            subject.user_id or "",
            subject.email or "",
            tuple(item.levels_before),
            None if item.levels_kept is None else tuple(item.levels_kept),
            name(item.said_by),
            item.said_at,
            item.outcome or "",
        )
        for item, subject in facts.items(tx, row.id)
    )
    return Evidence(
        row.id, place.party.client_id, place.target.name, row.opened_at, row.due_at, row.confirmed_at,
        name(row.confirmed_by), row.closed_at, tuple(sorted(rows, key=lambda each: (each.name.casefold(), each.email))),
    )  # fmt: skip


def as_csv(found: Evidence, *, tin: str) -> Iterator[str]:
    """A row a person, safe to open in a spreadsheet (ST-13)."""
    yield _line(COLUMNS)
    for each in found.rows:
        kept = "" if each.kept is None else ";".join(each.kept) or "none"
        at = each.said_at.isoformat() if each.said_at else ""
        about = (str(found.review), found.portal, found.target, tin, each.name, each.user_id, each.email)
        yield _line((*about, ";".join(each.before), kept, each.said_by, at, each.outcome))


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([formula_safe(cell) for cell in cells])
    return text.getvalue()
