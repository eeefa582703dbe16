"""Reading a person's row into `SubjectFacts`."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Row, ScalarSelect, bindparam, func, literal, select
from sqlalchemy.orm import Session

from idp.foundation.database import Rows
from idp.foundation.prepared import prepared
from idp.subjects.models import LegacyLogin, Subject
from idp.subjects.rules import EVERYWHERE, LOGIN_MAX, Status, SubjectFacts

Stored = Subject | Row[Any]
"""A person's row, by the ORM or by Core."""
_table = Subject.__table__
_legacy = LegacyLogin.__table__
_BY_ID: Final = prepared(select(_table).where(_table.c.id == bindparam("subject_id")))
_LOCK: Final = prepared(_BY_ID.with_for_update(key_share=True))
_BY_EMAIL: Final = prepared(select(_table).where(_table.c.email_key == bindparam("key")))


def _whose(portal: ColumnElement[str]) -> ScalarSelect[str]:
    old = select(_legacy.c.subject_id).where(_legacy.c.portal == portal, _legacy.c.login_key == bindparam("key"))
    return old.scalar_subquery()


_OWN: Final = _table.alias()
_BY_USER_ID: Final = prepared(
    select(_table).where(
        _table.c.id
        == func.coalesce(
            _whose(bindparam("portal")),
            select(_OWN.c.id).where(_OWN.c.user_id_key == bindparam("key")).scalar_subquery(),
            _whose(literal(EVERYWHERE)),
        )
    )
)


def by_login(tx: Session, *, key: str, portal: str | None = None) -> SubjectFacts | None:
    """The person with this login key; one indexed look-up whether or not there is one (SI-02).

    At a portal its own old user IDs are read first, then the user IDs of the house: so two people with equal old
    user IDs of two portals are each found at theirs, and neither at the other's.
    """
    if "@" in key:
        return _facts(tx.execute(_BY_EMAIL, {"key": key[:LOGIN_MAX]}).one_or_none())
    return _facts(tx.execute(_BY_USER_ID, {"key": key[:LOGIN_MAX], "portal": portal or EVERYWHERE}).one_or_none())


def of_row(row: Stored) -> SubjectFacts:
    """What a row tells that this transaction has read already."""
    facts = _facts(row)
    assert facts is not None
    return facts


def locked(tx: Session, *, subject_id: str) -> Row[Any] | None:
    """The person's row, locked until the transaction ends; what refers to them may be written meanwhile."""
    tx.flush()
    return tx.execute(_LOCK, {"subject_id": subject_id}).one_or_none()


def by_id(tx: Rows, *, subject_id: str) -> SubjectFacts | None:
    """The person with this id, whatever their state."""
    return _facts(tx.execute(_BY_ID, {"subject_id": subject_id}).one_or_none())


def _facts(row: Stored | None) -> SubjectFacts | None:
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
        merged_into=row.merged_into,
        closed_at=row.closed_at,
        wiped_at=row.wiped_at,
        phone_sealed=row.phone_sealed,
        phone_verified_at=row.phone_verified_at,
        profile=row.profile or {},
    )
