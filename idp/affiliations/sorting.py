"""The order of a target's people: by last name, first name or user ID, kept on each affiliation, so that a page of 100,000 is read and no more."""

from typing import Any

from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Mapper

from idp.affiliations.models import Affiliation
from idp.affiliations.searching.rules import folded
from idp.subjects.models import Subject

LONGEST = 160
_NAMES = (Subject.family_name, Subject.given_name, Subject.display_name, Subject.user_id)


def key_of(family: str | None, given: str | None, display: str | None, user_id: str | None) -> str:
    """Last name, then first; without case and marks, the same on every database."""
    text = " ".join(part for part in (family or display, given) if part) or user_id or ""
    return folded(text)[:LONGEST]


def keys_of(family: str | None, given: str | None, display: str | None, user_id: str | None) -> dict[str, str]:
    """A row's place in each order that lists have (D6), by the column that keeps it."""
    return {
        "sort_key": key_of(family, given, display, user_id),
        "first_key": folded(given or "")[:LONGEST],
        "login_key": folded(user_id or "")[:LONGEST],
    }


@event.listens_for(Affiliation, "before_insert")
def _fill(_mapper: Mapper[Any], connection: Connection, row: Affiliation) -> None:
    """Whoever makes a row, it has its place in the order."""
    names = connection.execute(select(*_NAMES).where(Subject.id == row.subject_id)).one_or_none()
    for column, key in keys_of(*(names or (None,) * len(_NAMES))).items():
        setattr(row, column, key)
