"""Everything single-use lives here: codes, refresh families, resets, activations, PINs, `jti`, challenges (SECURITY D1).

`issue` puts one in, `redeem` takes it out by one conditional statement in the transaction of its effect. No other
module reads the table. A secret is kept as SHA-256 (256-bit secrets) or HMAC (short codes): never itself.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.foundation.artefact_table import Artefact as Artefact
from idp.foundation.artefact_table import Kind as Kind
from idp.foundation.artefact_table import Reason as Reason
from idp.foundation.database import Rows, new_id
from idp.foundation.prepared import prepared
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

SECRET_BYTES: Final = 32
_table: Table = Artefact.__table__  # type: ignore[assignment]
_HAS_TRIES_LEFT: Final = or_(_table.c.attempts_left.is_(None), _table.c.attempts_left > 0)
_is_kind = _table.c.kind == bindparam("of_kind")
_is_it, _is_member = _table.c.digest == bindparam("of_digest"), _table.c.id == bindparam("identity")
_lives = _table.c.expires_at > bindparam("now")
_INSERT: Final = prepared(insert(_table))
_KNOWN: Final = prepared(select(_table.c.id).where(_is_kind, _is_it, _lives))
"""Asked for every token that comes: built once, since building costs more than running it."""
_REDEEM: Final = prepared(
    update(_table)
    .where(
        _is_kind,
        _is_it,
        _lives,
        _table.c.used_at.is_(None),
        _HAS_TRIES_LEFT,
        _table.c.bound_to.is_not_distinct_from(bindparam("bound", type_=_table.c.bound_to.type)),
    )
    .values(used_at=bindparam("now"))
    .returning(_table.c.id, _table.c.subject_id, _table.c.family, _table.c.payload, _table.c.created_at)
)
_TURN: Final = prepared(
    update(_table)
    .where(_is_kind, _is_member, _lives, _table.c.number == bindparam("at_number"))
    .values(number=_table.c.number + 1, used_at=bindparam("now"), expires_at=bindparam("until"))
    .returning(_table.c.id, _table.c.subject_id, _table.c.family, _table.c.payload, _table.c.created_at)
)
_FAMILY: Final = prepared(
    select(_table.c.number, _table.c.used_at, _table.c.expires_at, _table.c.payload).where(_is_kind, _is_member)
)


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a redeemed artefact carried."""

    id: UUID
    subject_id: str | None
    family: UUID | None
    payload: Mapping[str, Any]
    created_at: datetime
    number: int = 0


def digest_of(secret: str) -> bytes:
    """SHA-256 of a high-entropy secret; compare digests, never secrets."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def short_digest(code: str, *, pepper: bytes, context: str) -> bytes:
    """HMAC-SHA-256 of a short code (PIN, one-time code) under a key of `keys/index`, bound to `context`."""
    return hmac.digest(pepper, f"{context}\x00{code}".encode("utf-8", "surrogatepass"), "sha256")


def issue(
    tx: Session,
    *,
    kind: Kind,
    now: datetime,
    lifetime: timedelta,
    subject_id: str | None = None,
    family: UUID | None = None,
    bound_to: str | None = None,
    payload: Mapping[str, Any] | None = None,
    digest: bytes | None = None,
    attempts: int | None = None,
) -> tuple[Secret, UUID]:
    """Store a new artefact and return its secret (256 bits, base64url) and row id.

    With `digest` the caller made the secret (a PIN, a foreign `jti`); the returned secret is then empty.
    """
    secret = "" if digest is not None else secrets.token_urlsafe(SECRET_BYTES)
    identity = new_id()
    row = {
        "id": identity,
        "kind": kind.value,
        "digest": digest if digest is not None else digest_of(secret),
        "family": family,
        "subject_id": subject_id,
        "bound_to": bound_to,
        "payload": dict(payload or {}),
        "number": 0,
        "attempts_left": attempts,
        "created_at": now,
        "expires_at": now + lifetime,
    }
    tx.execute(_INSERT, row)
    return Secret(secret), identity


def redeem(tx: Session, *, kind: Kind, digest: bytes, now: datetime, bound_to: str | None = None) -> Redeemed | Refused:
    """Use an artefact up: exactly one caller wins, whatever runs beside it.

    A wrong `bound_to` leaves it usable by its owner (TK-02). `Refused(REPLAYED)` means that it was used before:
    the caller revokes the family.
    """
    row = tx.execute(_REDEEM, {"of_kind": kind.value, "of_digest": digest, "now": now, "bound": bound_to}).one_or_none()
    if row is not None:
        return Redeemed(row.id, row.subject_id, row.family, row.payload, row.created_at)
    return _why_not(tx, kind=kind, digest=digest, bound_to=bound_to)


def peek(tx: Rows, *, kind: Kind, digest: bytes, now: datetime, bound_to: str | None = None) -> Redeemed | Refused:
    """What `redeem` would give, without using it up: for the page behind a mailed link (a GET changes nothing)."""
    row = tx.execute(
        select(_table).where(
            _table.c.kind == kind.value,
            _table.c.digest == digest,
            _table.c.used_at.is_(None),
            _table.c.expires_at > now,
            _HAS_TRIES_LEFT,
            _table.c.bound_to == bound_to if bound_to is not None else _table.c.bound_to.is_(None),
        )
    ).one_or_none()
    if row is not None:
        return Redeemed(row.id, row.subject_id, row.family, row.payload, row.created_at, row.number)
    return _why_not(tx, kind=kind, digest=digest, bound_to=bound_to)


def record_once(
    tx: Session, *, kind: Kind, value: str, now: datetime, lifetime: timedelta, subject_id: str | None = None
) -> bool:
    """Remember a foreign one-time value (`jti` of an assertion, a revoked token): `False` if it was known already."""
    try:
        with tx.begin_nested():
            issue(tx, kind=kind, now=now, lifetime=lifetime, subject_id=subject_id, digest=digest_of(value))
    except IntegrityError:
        return False
    return True


def known(tx: Rows, *, kind: Kind, value: str, now: datetime) -> bool:
    """Whether `record_once` has remembered this value and it has not expired."""
    asked = {"of_kind": kind.value, "of_digest": digest_of(value), "now": now}
    return tx.execute(_KNOWN, asked).first() is not None


def advance(
    tx: Session, *, kind: Kind, identity: UUID, number: int, now: datetime, expires_at: datetime
) -> Redeemed | Refused:
    """Rotate a refresh family from `number` to `number + 1`; exactly one caller wins (TK-26, RA-02).

    `used_at` keeps the moment of the last rotation, for a client's grace; `Refused(REPLAYED)` carries on to the
    caller, who compares `number` with `peek_family`.
    """
    turn = {"of_kind": kind.value, "identity": identity, "at_number": number, "now": now, "until": expires_at}
    row = tx.execute(_TURN, turn).one_or_none()
    if row is not None:
        return Redeemed(row.id, row.subject_id, row.family, row.payload, row.created_at, number + 1)
    found = tx.execute(_FAMILY, {"of_kind": kind.value, "identity": identity}).one_or_none()
    if found is None:
        return Refused(Reason.UNKNOWN)
    return Refused(Reason.REPLAYED if found.number > number else Reason.EXPIRED)


@dataclass(frozen=True, slots=True)
class Family:
    """State of a refresh family."""

    number: int
    rotated_at: datetime | None
    expires_at: datetime
    payload: Mapping[str, Any]


def family_of(tx: Rows, *, kind: Kind, identity: UUID) -> Family | None:
    """Where a family stands now, expired or not."""
    row = tx.execute(_FAMILY, {"of_kind": kind.value, "identity": identity}).one_or_none()
    return None if row is None else Family(row.number, row.used_at, row.expires_at, row.payload)


def void(
    tx: Session,
    *,
    now: datetime,
    kind: Kind | None = None,
    family: UUID | None = None,
    subject_id: str | None = None,
    identity: UUID | None = None,
    since: datetime | None = None,
) -> int:
    """Make unused artefacts (of a family, a subject or one row, made `since`) unusable; says how many."""
    if family is None and subject_id is None and identity is None:
        raise ValueError("void needs a family, a subject or a row")
    conditions = [_table.c.expires_at > now]
    conditions += [_table.c.kind == kind.value] if kind else []
    conditions += [_table.c.family == family] if family else []
    conditions += [_table.c.subject_id == subject_id] if subject_id else []
    conditions += [_table.c.id == identity] if identity else []
    conditions += [_table.c.created_at >= since] if since else []
    return tx.execute(update(_table).where(and_(*conditions)).values(expires_at=now)).rowcount  # type: ignore[attr-defined, no-any-return]


def hold_family(tx: Session, *, kind: Kind, family: UUID) -> None:
    """Lock every artefact of a family in one order, for who uses one up and voids the others: two never deadlock."""
    every = select(_table.c.id).where(_table.c.kind == kind.value, _table.c.family == family)
    tx.execute(every.order_by(_table.c.id).with_for_update()).all()


def void_everything(tx: Session, *, now: datetime) -> int:
    """Make all that is unused unusable, after a restore: what was used since the copy looks unused again (R-33).

    Remembered foreign values (`jti`) stay: they exist to be refused. PIN letters go too: the payer sends new ones.
    """
    remembered = (Kind.ASSERTION_JTI.value, Kind.REVOKED_JTI.value, Kind.UPSTREAM_ONCE.value)
    unused = and_(_table.c.expires_at > now, _table.c.kind.not_in(remembered))
    return tx.execute(update(_table).where(unused).values(expires_at=now)).rowcount  # type: ignore[attr-defined, no-any-return]


def fail_attempt(tx: Session, *, identity: UUID) -> int:
    """Count one wrong try against an artefact that allows few; returns how many are left (0: it is dead)."""
    left = tx.execute(
        update(_table)
        .where(_table.c.id == identity, _HAS_TRIES_LEFT)
        .values(attempts_left=_table.c.attempts_left - 1)
        .returning(_table.c.attempts_left)
    ).scalar_one_or_none()
    return left or 0


def purge(tx: Session, *, before: datetime, batch: int = 1000) -> int:
    """Delete a small batch of artefacts that expired before `before`; says how many went."""
    doomed = select(_table.c.id).where(_table.c.expires_at < before).order_by(_table.c.expires_at).limit(batch)
    return tx.execute(delete(_table).where(_table.c.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]


def _why_not(tx: Rows, *, kind: Kind, digest: bytes, bound_to: str | None) -> Refused:
    row = tx.execute(
        select(_table.c.used_at, _table.c.bound_to, _table.c.attempts_left).where(
            _table.c.kind == kind.value, _table.c.digest == digest
        )
    ).one_or_none()
    if row is None or row.bound_to != bound_to:
        return Refused(Reason.UNKNOWN)
    if row.used_at is not None:
        return Refused(Reason.REPLAYED)
    return Refused(Reason.EXHAUSTED if row.attempts_left == 0 else Reason.EXPIRED)


def count_open(tx: Rows, *, kind: Kind, subject_id: str, now: datetime) -> int:
    """How many of a kind a subject could still redeem."""
    unused = (_table.c.used_at.is_(None), _table.c.expires_at > now, _HAS_TRIES_LEFT)
    theirs = (_table.c.subject_id == subject_id, _table.c.kind == kind.value)
    return tx.execute(select(func.count()).where(*theirs, *unused)).scalar_one()


def family_of_digest(tx: Session, *, kind: Kind, digest: bytes) -> UUID | None:
    """The family to revoke when a replay was noticed."""
    return tx.execute(select(_table.c.family).where(_table.c.kind == kind.value, _table.c.digest == digest)).scalar()


def lives(tx: Rows, *, kind: Kind, family: UUID, now: datetime) -> bool:
    """Whether an unused artefact of the family is still good."""
    good = (
        _table.c.kind == kind.value,
        _table.c.family == family,
        _table.c.used_at.is_(None),
        _table.c.expires_at > now,
    )
    return tx.execute(select(_table.c.id).where(*good).limit(1)).first() is not None


def start_life(tx: Session, *, identity: UUID, now: datetime, expires_at: datetime) -> bool:
    """Let an artefact that is still good live until `expires_at`: a mailed link's life starts at sending (ruling 22).

    `False`, changing nothing, when it was used, voided or has expired.
    """
    alive = (_table.c.id == identity, _table.c.used_at.is_(None), _table.c.expires_at > now)
    return tx.execute(update(_table).where(*alive).values(expires_at=expires_at)).rowcount == 1  # type: ignore[attr-defined, no-any-return]
