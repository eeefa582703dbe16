"""Remembering a browser, recognising it, forgetting it; each in the transaction of its caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Table, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.alerts import links as alerts
from idp.authenticators.remembered_devices import rules
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.authenticators.remembered_devices.rules import Device, Recognised, Which, recognised
from idp.foundation import epochs, house
from idp.foundation.artefacts import digest_of
from idp.foundation.database import new_id
from idp.foundation.origin import Origin
from idp.sessions import notices
from idp.sessions import remembered as sessions
from idp.sessions.rules import NewDevice
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.facts import Stored
from idp.subjects.models import Subject
from idp.vocabulary.secret import Secret

SHOWN: Final = 100
_table: Table = RememberedDevice.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A person's device among the cookies sent: its row as locked, and the value that led to it."""

    device: Device
    digest: bytes
    value: Secret
    which: Which


@dataclass(frozen=True, slots=True)
class Found:
    """A device that counts now; `device` is `None` when another tab was given its new cookie a moment ago."""

    remembered_at: datetime
    cookie: NewDevice | None


def remember(
    tx: Session, *, subject: Stored, sent: Sequence[Secret], now: datetime, origin: Origin
) -> NewDevice | None:
    """Remember this browser for `subject`, whose factor was right just now; an older row of theirs here gives way."""
    lifetime = house.get(Settings).remember_device
    if not lifetime:
        return None
    former = _mine(tx, subject_id=subject.id, sent=sent)
    if former is not None:
        tx.execute(delete(_table).where(_table.c.id == former.device.id))
    identity = new_id()
    value = rules.new_value(identity)
    row = {
        "id": identity,
        "subject_id": subject.id,
        "digest": digest_of(value.reveal()),
        "rotated_at": now,
        "remembered_at": now,
        "last_used_at": now,
        "expires_at": now + lifetime,
        "subject_epoch": subject.epoch,
        "system_epoch": epochs.current(tx),
        "user_agent": origin.user_agent[:256],
        "address": origin.address[:45],
    }
    tx.execute(insert(_table).values(**row))
    _audit(tx, Event.DEVICE_REMEMBERED, subject_id=subject.id, device=row["id"], now=now, origin=origin)
    return NewDevice(value, former.value if former is not None else None, now + lifetime)


def known(tx: Session, *, subject_id: str, sent: Sequence[Secret], now: datetime) -> UUID | None:
    """The person's live device in this browser, if any; changes nothing, costs the same for nobody's account."""
    found = _mine(tx, subject_id=subject_id, sent=sent)
    if found is None:
        return None
    epoch = tx.execute(select(Subject.epoch).where(Subject.id == subject_id)).scalar()
    state = recognised(
        found.device, which=found.which, subject_epoch=epoch or 0, system_epoch=epochs.current(tx), now=now
    )
    return found.device.id if state in rules.COUNTING else None


def recognise(
    tx: Session, *, subject: Stored, sent: Sequence[Secret], at_most: timedelta, now: datetime, origin: Origin
) -> Found | None:
    """The device that spares `subject` the factor, its cookie renewed by one statement; `None`: the factor is asked.

    `at_most` is how long ago it may have been remembered where the person wants to go. A copied cookie kills it, and
    its owner is told (RA-12).
    """
    found = _mine(tx, subject_id=subject.id, sent=sent)
    if found is None:
        return None
    device = found.device
    state = recognised(device, which=found.which, subject_epoch=subject.epoch, system_epoch=epochs.current(tx), now=now)
    if state is Recognised.COPIED:
        _copied(tx, device, now=now, origin=origin)
        return None
    if state is Recognised.DEAD or now - device.remembered_at >= at_most:
        return None
    renewed = None if state is Recognised.OTHER_TAB else _renew(tx, found, now=now, origin=origin)
    return Found(device.remembered_at, renewed)


def listed(tx: Session, *, subject: Subject, now: datetime) -> list[Device]:
    """The person's live devices, last used first."""
    system_epoch = epochs.current(tx)
    rows = tx.execute(
        select(_table)
        .where(
            _table.c.subject_id == subject.id,
            _table.c.expires_at > now,
            _table.c.subject_epoch == subject.epoch,
            _table.c.system_epoch == system_epoch,
        )
        .order_by(_table.c.last_used_at.desc())
        .limit(SHOWN)
    )
    return [_device(row) for row in rows]


def forget_one(tx: Session, *, subject_id: str, device_id: UUID, now: datetime, origin: Origin) -> bool:
    """Forget one of the person's own, also in the sessions that it opened; a foreign id is as unknown as none."""
    mine = (_table.c.id == device_id, _table.c.subject_id == subject_id)
    if tx.execute(delete(_table).where(*mine)).rowcount == 0:  # type: ignore[attr-defined]
        return False
    sessions.disbelieve(tx, subject_id=subject_id)
    _audit(tx, Event.DEVICE_FORGOTTEN, subject_id=subject_id, device=device_id, now=now, origin=origin)
    return True


def forget_all(tx: Session, *, subject_id: str, now: datetime, origin: Origin) -> int:
    """Forget every device, also in sessions: by wish, and whenever a factor is added or removed (MF-21)."""
    gone: int = tx.execute(delete(_table).where(_table.c.subject_id == subject_id)).rowcount  # type: ignore[attr-defined]
    sessions.disbelieve(tx, subject_id=subject_id)  # after it: a sign-in that holds a device has its session by then
    if gone:
        _audit(tx, Event.DEVICE_FORGOTTEN, subject_id=subject_id, device="all", now=now, origin=origin)
    return gone


def purge(tx: Session, *, before: datetime, batch: int = 1000) -> int:
    """Delete a small batch of devices that expired before `before`."""
    doomed = select(_table.c.id).where(_table.c.expires_at < before).limit(batch)
    return tx.execute(delete(_table).where(_table.c.id.in_(doomed))).rowcount  # type: ignore[attr-defined, no-any-return]


def _mine(tx: Session, *, subject_id: str, sent: Sequence[Secret]) -> _Sent | None:
    """The person's device among the cookies sent, the value that names it, and what its secret is.

    Values of before there were selectors are found by their digest, until their first use gives them one.
    """
    by_digest = {digest_of(value.reveal()): value for value in sent}
    by_selector = {rules.selector(value): value for value in sent}
    if not by_digest:
        return None
    digests, selectors = list(by_digest), [each for each in by_selector if each is not None]
    row = tx.execute(
        select(_table)
        .where(
            _table.c.subject_id == subject_id,
            or_(_table.c.id.in_(selectors), _table.c.digest.in_(digests), _table.c.former_digest.in_(digests)),
        )
        .order_by(_table.c.last_used_at.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    if (current := by_digest.get(bytes(row.digest))) is not None:
        return _Sent(_device(row), bytes(row.digest), current, Which.CURRENT)
    if row.former_digest is not None and (former := by_digest.get(bytes(row.former_digest))) is not None:
        return _Sent(_device(row), bytes(row.digest), former, Which.FORMER)
    return _Sent(_device(row), bytes(row.digest), by_selector[row.id], Which.OLDER)


def _renew(tx: Session, found: _Sent, *, now: datetime, origin: Origin) -> NewDevice | None:
    """The row is locked; the value that came becomes the former one, also where it was that already."""
    fresh = rules.new_value(found.device.id)
    renewed = tx.execute(
        update(_table)
        .where(_table.c.id == found.device.id, _table.c.digest == found.digest)
        .values(
            digest=digest_of(fresh.reveal()),
            former_digest=digest_of(found.value.reveal()),
            rotated_at=now,
            last_used_at=now,
            user_agent=origin.user_agent[:256],
            address=origin.address[:45],
        )
    )
    return NewDevice(fresh, found.value, found.device.expires_at) if renewed.rowcount == 1 else None  # type: ignore[attr-defined]


def _copied(tx: Session, device: Device, *, now: datetime, origin: Origin) -> None:
    tx.execute(delete(_table).where(_table.c.id == device.id))
    sessions.end(tx, subject_id=device.subject_id, now=now, origin=origin)
    _audit(tx, Event.DEVICE_COPIED, subject_id=device.subject_id, device=device.id, now=now, origin=origin)
    subject = subjects.by_id(tx, subject_id=device.subject_id)
    if subject is not None:
        url, link = alerts.link_for(tx, subject, now=now)
        context = {"url": url}
        notices.notify(tx, notice="device_copied", subject=subject, party=None, context=context, now=now, link=link)


def _audit(tx: Session, event: Event, *, subject_id: str, device: object, now: datetime, origin: Origin) -> None:
    audit.append(
        tx, event, now=now, actor=subject_id, origin=origin, subject_id=subject_id, details={"device": str(device)}
    )


def _device(row: Row[Any]) -> Device:
    return Device(
        id=row.id,
        subject_id=row.subject_id,
        remembered_at=row.remembered_at,
        last_used_at=row.last_used_at,
        rotated_at=row.rotated_at,
        expires_at=row.expires_at,
        subject_epoch=row.subject_epoch,
        system_epoch=row.system_epoch,
        user_agent=row.user_agent,
        address=row.address,
    )
