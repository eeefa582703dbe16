"""Reading a person's row into `SubjectFacts`."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.subjects.models import Subject
from idp.subjects.rules import LOGIN_MAX, Status, SubjectFacts

_table = Subject.__table__


def by_login(tx: Session, *, key: str) -> SubjectFacts | None:
    """The person with this login key; one indexed look-up whether or not there is one (SI-02)."""
    column = Subject.email_key if "@" in key else Subject.user_id_key
    return _read(tx, column == key[:LOGIN_MAX])


def by_id(tx: Session, *, subject_id: str) -> SubjectFacts | None:
    """The person with this id, whatever their state."""
    return _read(tx, Subject.id == subject_id)


def _read(tx: Session, condition: object) -> SubjectFacts | None:
    row = tx.execute(select(_table).where(condition)).one_or_none()  # type: ignore[arg-type]
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
