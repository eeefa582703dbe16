"""Another address or telephone for a person; the former one is kept for whoever must undo the change (RC-15).

A former address stays theirs until the change can no longer be undone: nobody else gets it meanwhile (RA-08).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import artefacts, house, vault
from idp.foundation.artefacts import Kind
from idp.foundation.database import Rows, new_id
from idp.foundation.origin import Origin
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.subjects import reserved, service
from idp.subjects.models import FormerContact, Subject
from idp.subjects.rules import Reason, email_key
from idp.vocabulary.refused import Refused

UNDO_FOR: Final = timedelta(days=8)
"""The seven days of the link, and the day that its mail may take to leave (ruling 22)."""
EMAIL, PHONE = "email", "phone"
_former: Table = FormerContact.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back; `lost` are the addresses that the account had meanwhile."""

    kinds: tuple[str, ...]
    lost: tuple[str, ...]


def set_email(tx: Session, *, row: Subject, email: str, now: datetime, origin: Origin) -> Refused | None:
    """Give a person the address that was just proven to be theirs; `row` is locked by the caller.

    Whoever claimed it unproven loses it, and what anybody else began with it is dead (RC-19). The database has the
    last word on whether it is free: it is looked at after the write, so that two writers see one another (RA-08).
    """
    key = email_key(email)
    if isinstance(key, Refused):
        return key
    service.free_unproven_email(tx, email=email, actor=row.id, now=now, origin=origin)
    former = {"email": row.email, "email_key": row.email_key, "verified_at": row.email_verified_at}
    if not _take(tx, row, email=email, key=key, now=now):
        return Refused(Reason.TAKEN)
    if former["email"] is not None:
        _keep(tx, row, EMAIL, now=now, **former)
    artefacts.void(tx, now=now, kind=Kind.PASSWORD_RESET, subject_id=row.id)
    _audit(tx, Event.EMAIL_CHANGED, row, now=now, origin=origin)
    return None


def set_phone(tx: Session, *, row: Subject, phone: str, now: datetime, origin: Origin) -> None:
    """Give a person the telephone that was just proven to be theirs; `row` is locked by the caller."""
    sealed = row.phone_sealed
    identity = new_id()
    if sealed is not None:
        keys = house.get(Keyring).vault
        plain = vault.unseal(sealed, keys=keys, context=service.phone_context(row.id))
        sealed = vault.seal(plain, keys=keys, context=place_of(identity))
    _keep(tx, row, PHONE, now=now, id=identity, phone_sealed=sealed, verified_at=row.phone_verified_at)
    _put_phone(row, phone, verified_at=now, now=now)
    _audit(tx, Event.PHONE_CHANGED, row, now=now, origin=origin)


def restore(tx: Session, *, row: Subject, since: datetime, now: datetime, origin: Origin) -> Restored:
    """Put back what the person had at `since`, as far as it may still be undone; whoever came later loses (RC-15)."""
    rows = tx.scalars(
        select(FormerContact)
        .where(FormerContact.subject_id == row.id, FormerContact.changed_at >= since, FormerContact.until > now)
        .order_by(FormerContact.changed_at, FormerContact.id)
    ).all()
    first = {each.kind: each for each in reversed(rows)}
    lost = [row.email, *(each.email for each in rows)] if EMAIL in first else []
    kinds = [kind for kind in first if _put_back(tx, row, first[kind], now=now)]
    if kinds:
        tx.execute(delete(_former).where(_former.c.id.in_([each.id for each in rows if each.kind in kinds])))
        _audit(tx, Event.CONTACT_RESTORED, row, now=now, origin=origin, what=kinds)
    kept = row.email
    return Restored(tuple(kinds), tuple(dict.fromkeys(each for each in lost if each and each != kept)))


def changed_lately(tx: Rows, *, subject_id: str, now: datetime) -> bool:
    """Whether a change of address may still be undone: until then the account cannot go into another."""
    found = select(_former.c.id).where(*_open(subject_id, now=now), _former.c.kind == EMAIL)
    return tx.execute(found.limit(1)).first() is not None


def former_emails(tx: Rows, *, subject_id: str, now: datetime) -> tuple[str, ...]:
    """Addresses that are still the person's to put back, latest first."""
    found = select(_former.c.email).where(*_open(subject_id, now=now), _former.c.kind == EMAIL)
    return tuple(tx.execute(found.order_by(_former.c.changed_at.desc())).scalars())


def purge(tx: Session, *, now: datetime, batch: int) -> int:
    """Forget a batch of what can no longer be undone."""
    doomed = select(_former.c.id).where(_former.c.until <= now).limit(batch)
    return tx.execute(delete(_former).where(_former.c.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]


def place_of(identity: UUID) -> str:
    """Where a former telephone is sealed for."""
    return f"former_contact.phone_sealed:{identity}"


def _open(subject_id: str, *, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (_former.c.subject_id == subject_id, _former.c.until > now)


def _take(tx: Session, row: Subject, *, email: str, key: str, now: datetime) -> bool:
    """Write the address, unless another account has it or may still get it back."""
    tx.flush()
    try:
        with tx.begin_nested():
            tx.execute(
                update(Subject)
                .where(Subject.id == row.id)
                .values(email=email, email_key=key, email_verified_at=now, version=Subject.version + 1, updated_at=now),
                execution_options={"synchronize_session": False},
            )
            reserved.refuse(tx, key=key, owner=row.id, now=now)
    except (IntegrityError, reserved.Reserved):
        return False
    finally:
        tx.refresh(row)
    return True


def _put_back(tx: Session, row: Subject, former: FormerContact, *, now: datetime) -> bool:
    if former.kind == EMAIL:
        return _take(tx, row, email=former.email or "", key=former.email_key or "", now=now)
    if former.phone_sealed is None:
        row.phone_sealed = row.phone_index = row.phone_verified_at = None
    else:
        plain = vault.unseal(former.phone_sealed, keys=house.get(Keyring).vault, context=place_of(former.id))
        _put_phone(row, plain.decode(), verified_at=former.verified_at, now=now)
    return True


def _put_phone(row: Subject, phone: str, *, verified_at: datetime | None, now: datetime) -> None:
    keyring = house.get(Keyring)
    row.phone_sealed = vault.seal(phone.encode(), keys=keyring.vault, context=service.phone_context(row.id))
    row.phone_index = vault.blind_index(phone, key=keyring.index, context="subject.phone")
    row.phone_verified_at, row.updated_at = verified_at, now
    row.version += 1


def _keep(tx: Session, row: Subject, kind: str, *, now: datetime, **former: object) -> None:
    tx.add(FormerContact(subject_id=row.id, kind=kind, changed_at=now, until=now + UNDO_FOR, **former))
    tx.flush()


def _audit(tx: Session, event: Event, row: Subject, *, now: datetime, origin: Origin, **details: object) -> None:
    audit.append(tx, event, now=now, actor=row.id, origin=origin, subject_id=row.id, details=details or None)


resealing.register("former_contact.phone", resealing.of_column(FormerContact.phone_sealed, context=place_of))
