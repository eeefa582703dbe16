"""Closing an account by its owner, opening it again, and deleting what is personal when the time for that is over."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.origin import Origin
from idp.subjects.models import Subject
from idp.subjects.rules import Status

REASON = "closed"


def close(tx: Session, *, row: Subject, now: datetime, origin: Origin) -> None:
    """Nobody signs in any more; the raised epoch kills every session, grant and token (D4). `row` is locked.

    User ID and address stay its own: nobody else gets them while it can be opened again.
    """
    row.status, row.disabled_reason, row.closed_at = Status.DISABLED.value, REASON, now
    _changed(row, now=now)
    audit.append(tx, Event.ACCOUNT_CLOSED, now=now, actor=row.id, origin=origin, subject_id=row.id)
    tx.flush()


def open_again(tx: Session, *, row: Subject, now: datetime, origin: Origin) -> None:
    """As it was, signed in nowhere; who calls knows that the time for it is not over. `row` is locked."""
    row.status, row.disabled_reason, row.closed_at = Status.ACTIVE.value, None, None
    _changed(row, now=now)
    audit.append(tx, Event.ACCOUNT_REOPENED, now=now, actor=row.id, origin=origin, subject_id=row.id)
    tx.flush()


def wipe(tx: Session, *, row: Subject, now: datetime, origin: Origin) -> None:
    """Delete who it was. The user ID's canonical form stays, so that nobody is ever taken for its former owner (EN-14)."""
    row.user_id = row.email = row.email_key = row.email_verified_at = None
    row.phone_sealed = row.phone_index = row.phone_verified_at = None
    row.given_name = row.family_name = row.display_name = row.locale = row.zoneinfo = None
    row.profile, row.last_sign_in_at, row.wiped_at = {}, None, now
    _changed(row, now=now)
    audit.append(tx, Event.ACCOUNT_WIPED, now=now, actor="system", origin=origin, subject_id=row.id)
    tx.flush()


def _changed(row: Subject, *, now: datetime) -> None:
    row.epoch += 1
    row.version += 1
    row.updated_at = now
