"""Verified upstream answers: waiting for their person's word, then beside the session that rests on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from idp.federation.models import UpstreamArrival
from idp.federation.rules import UpstreamIdentity
from idp.foundation import house, vault
from idp.foundation.database import Rows, new_id
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.secret import Secret

_table: Table = UpstreamArrival.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One answer as kept."""

    id: UUID
    identity: UpstreamIdentity
    session_id: UUID | None
    hint: Secret | None = field(repr=False)


def keep(tx: Session, *, txn: UUID, identity: UpstreamIdentity, hint: Secret | None, now: datetime) -> UUID:
    """Keep an answer for its transaction; what came before it there, and led to no session, is forgotten."""
    tx.execute(delete(_table).where(_table.c.txn == txn, _table.c.session_id.is_(None)))
    keys, row_id = house.get(Keyring).vault, new_id()
    sealed = None if hint is None else vault.seal(hint.reveal().encode(), keys=keys, context=_hint_context(row_id))
    tx.execute(
        insert(_table).values(
            id=row_id,
            txn=txn,
            connection=identity.connection,
            issuer=identity.issuer,
            subject=identity.subject,
            sid=identity.session,
            identity_sealed=vault.seal(orjson.dumps(_written(identity)), keys=keys, context=_context(row_id)),
            hint_sealed=sealed,
            created_at=now,
        )
    )
    return row_id


def waiting(tx: Rows, *, txn: UUID) -> Arrived | None:
    """What arrived in this transaction and has no session yet."""
    row = tx.execute(select(_table).where(_table.c.txn == txn, _table.c.session_id.is_(None))).one_or_none()
    return None if row is None else _arrived(row)


def of_session(tx: Rows, *, session_id: UUID) -> Arrived | None:
    """The upstream sign-in that a session rests on; the latest of several."""
    rows = tx.execute(select(_table).where(_table.c.session_id == session_id).order_by(_table.c.created_at.desc()))
    row = rows.first()
    return None if row is None else _arrived(row)


def joined(tx: Session, *, txn: UUID, session_id: UUID) -> None:
    """The session was made: it rests on what arrived."""
    tx.execute(update(_table).where(_table.c.txn == txn, _table.c.session_id.is_(None)).values(session_id=session_id))


def drop(tx: Session, *, txn: UUID) -> None:
    """Its person does not want it."""
    tx.execute(delete(_table).where(_table.c.txn == txn, _table.c.session_id.is_(None)))


def sessions_resting_on(
    tx: Rows, *, connection: str, issuer: str, subject: str | None, sid: str | None
) -> tuple[tuple[UUID, str], ...]:
    """`(session, upstream subject)` of what an upstream sign-out names: one session by `sid`, else all of a person's."""
    found = select(_table.c.session_id, _table.c.subject).where(
        _table.c.connection == connection, _table.c.issuer == issuer, _table.c.session_id.is_not(None)
    )
    if subject is not None:
        found = found.where(_table.c.subject == subject)
    if sid is not None:
        found = found.where(_table.c.sid == sid)
    if subject is None and sid is None:
        return ()
    return tuple((row.session_id, row.subject) for row in tx.execute(found))


def purge(tx: Session, *, before: datetime, batch: int = 1000) -> int:
    """Delete a small batch of what arrived before `before`: no session lives that long."""
    doomed = select(_table.c.id).where(_table.c.created_at < before).limit(batch)
    return tx.execute(delete(_table).where(_table.c.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]


def _arrived(row: Any) -> Arrived:
    keys = house.get(Keyring).vault
    read: Mapping[str, Any] = orjson.loads(
        vault.unseal(bytes(row.identity_sealed), keys=keys, context=_context(row.id))
    )
    hint = None
    if row.hint_sealed is not None:
        hint = Secret(vault.unseal(bytes(row.hint_sealed), keys=keys, context=_hint_context(row.id)).decode())
    return Arrived(row.id, _read(row, read), row.session_id, hint)


def _written(identity: UpstreamIdentity) -> dict[str, Any]:
    at = identity.authenticated_at
    return {
        "email": identity.email,
        "email_verified": identity.email_verified,
        "given_name": identity.given_name,
        "family_name": identity.family_name,
        "acr": identity.acr,
        "amr": list(identity.amr),
        "authenticated_at": None if at is None else at.isoformat(),
        "claims": {name: list(values) for name, values in identity.claims.items()},
    }


def _read(row: Any, read: Mapping[str, Any]) -> UpstreamIdentity:
    at = read["authenticated_at"]
    return UpstreamIdentity(
        connection=row.connection,
        issuer=row.issuer,
        subject=row.subject,
        email=read["email"],
        email_verified=read["email_verified"],
        given_name=read["given_name"],
        family_name=read["family_name"],
        acr=None if read["acr"] is None else Acr(read["acr"]),
        amr=tuple(Amr(value) for value in read["amr"]),
        authenticated_at=None if at is None else datetime.fromisoformat(at),
        claims={name: tuple(values) for name, values in read["claims"].items()},
        session=row.sid,
    )


def _context(row_id: UUID) -> str:
    return f"upstream_arrival.identity_sealed:{row_id}"


def _hint_context(row_id: UUID) -> str:
    return f"upstream_arrival.hint_sealed:{row_id}"


resealing.register("upstream_arrival.identity", resealing.of_column(UpstreamArrival.identity_sealed, context=_context))
resealing.register("upstream_arrival.hint", resealing.of_column(UpstreamArrival.hint_sealed, context=_hint_context))
