"""The order of a target's people: by name, kept on each affiliation, so that a page of 100,000 is read and no more."""

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


@event.listens_for(Affiliation, "before_insert")
def _fill(_mapper: Mapper[Any], connection: Connection, row: Affiliation) -> None:
    """Whoever makes a row, it has its place in the order."""
    names = connection.execute(select(*_NAMES).where(Subject.id == row.subject_id)).one_or_none()
    row.sort_key = key_of(*names) if names is not None else ""
