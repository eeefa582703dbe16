"""Reading phones and requests."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, Table, select

from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.push.models import PushPhone, PushRequest
from idp.authenticators.push.rules import Asked, Outcome, Phone
from idp.foundation.database import Rows

_phone: Table = PushPhone.__table__  # type: ignore[assignment]
_factor: Table = HeldFactor.__table__  # type: ignore[assignment]
_request: Table = PushRequest.__table__  # type: ignore[assignment]
_PHONES: Final[Select[Any]] = select(_phone, _factor.c.subject_id, _factor.c.name).join(
    _factor, _factor.c.id == _phone.c.factor_id
)
_LOOKED_AT: Final = 5


def by_thumbprint(tx: Rows, *, thumbprint: str) -> Phone | None:
    """The phone that names itself so."""
    row = tx.execute(_PHONES.where(_phone.c.thumbprint == thumbprint)).one_or_none()
    return None if row is None else _read(row)


def phones_of(tx: Rows, *, subject_id: str) -> tuple[Phone, ...]:
    """A person's working phones."""
    mine = _PHONES.where(_factor.c.subject_id == subject_id, _factor.c.stopped_at.is_(None))
    return tuple(_read(row) for row in tx.execute(mine.order_by(_factor.c.created_at, _factor.c.id)))


def recent(tx: Rows, *, subject_id: str) -> tuple[Asked, ...]:
    """A person's newest requests, newest first."""
    newest = select(_request).where(_request.c.subject_id == subject_id)
    rows = tx.execute(newest.order_by(_request.c.created_at.desc(), _request.c.id.desc()).limit(_LOOKED_AT))
    return tuple(asked_of(row) for row in rows)


def of_sign_in(tx: Rows, *, txn: UUID, subject_id: str) -> Asked | None:
    """The newest request of this sign-in, if one was made for this person."""
    return next((each for each in recent(tx, subject_id=subject_id) if each.txn == txn), None)


def by_id(tx: Rows, *, request_id: UUID) -> Asked | None:
    """One request."""
    row = tx.execute(select(_request).where(_request.c.id == request_id)).one_or_none()
    return None if row is None else asked_of(row)


def asked_of(row: Row[Any]) -> Asked:
    """A row of `push_request` as a value."""
    return Asked(
        id=row.id,
        subject_id=row.subject_id,
        txn=row.txn,
        number=row.number,
        client_id=row.client_id,
        browser=row.browser,
        address=row.address,
        created_at=row.created_at,
        expires_at=row.expires_at,
        outcome=Outcome(row.outcome) if row.outcome else None,
        factor_id=row.factor_id,
    )


def _read(row: Row[Any]) -> Phone:
    return Phone(
        factor_id=row.factor_id,
        subject_id=row.subject_id,
        name=row.name,
        thumbprint=row.thumbprint,
        x=row.x,
        y=row.y,
        last_call=row.last_call,
        is_subscribed=row.subscription_sealed is not None,
        push_kid=row.push_kid,
    )
