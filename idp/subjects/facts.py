"""Reading a person's row into `SubjectFacts`."""

from typing import Any, Final

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from idp.foundation.database import Rows
from idp.subjects.models import Subject
from idp.subjects.rules import LOGIN_MAX, Status, SubjectFacts

_table = Subject.__table__
_BY_ID: Final = select(_table).where(_table.c.id == bindparam("subject_id"))


def by_login(tx: Session, *, key: str) -> SubjectFacts | None:
    """The person with this login key; one indexed look-up whether or not there is one (SI-02)."""
    column = Subject.email_key if "@" in key else Subject.user_id_key
    return _facts(tx.execute(select(_table).where(column == key[:LOGIN_MAX])).one_or_none())


def by_id(tx: Rows, *, subject_id: str) -> SubjectFacts | None:
    """The person with this id, whatever their state."""
    return _facts(tx.execute(_BY_ID, {"subject_id": subject_id}).one_or_none())


def _facts(row: Row[Any] | None) -> SubjectFacts | None:
    if row is None:
        return None
    return SubjectFacts(
        id=row.id,
        status=Status(row.status),
        epoch=row.epoch,
        version=row.version,
        user_id=row.user_id,
        email=row.email,
        email_verified_at=row.email_verified_at,
        given_name=row.given_name,
        family_name=row.family_name,
        display_name=row.display_name,
        locale=row.locale,
        zoneinfo=row.zoneinfo,
        updated_at=row.updated_at,
        created_at=row.created_at,
        last_sign_in_at=row.last_sign_in_at,
        phone_sealed=row.phone_sealed,
        phone_verified_at=row.phone_verified_at,
        profile=row.profile or {},
    )
