"""Closing an account for good in favour of another one of the same person."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.origin import Origin
from idp.subjects import legacy
from idp.subjects.legacy import OldLogin
from idp.subjects.models import LegacyLogin, Subject
from idp.subjects.rules import EVERYWHERE, Status

REASON = "merged"


def close(tx: Session, *, gone: Subject, into: Subject, now: datetime, origin: Origin) -> None:
    """`gone` is never signed in to again; its logins lead to `into`, its address is free. Both rows are locked.

    Its raised epoch kills every session, grant and token of it (D4). `into` keeps its id, hence every `sub`.
    """
    user_id, key = gone.user_id, gone.user_id_key
    gone.status, gone.disabled_reason, gone.merged_into = Status.DISABLED.value, REASON, into.id
    gone.user_id_key = gone.email_key = None
    for row in (gone, into):
        row.version += 1
        row.updated_at = now
    gone.epoch += 1
    tx.flush()  # user IDs are unique, and the next lines give it away
    tx.execute(update(LegacyLogin).where(LegacyLogin.subject_id == gone.id).values(subject_id=into.id))
    if user_id and key and into.user_id is None:
        into.user_id, into.user_id_key = user_id, key
        tx.flush()
    elif user_id and key:
        old = OldLogin(EVERYWHERE, key, user_id, gone.email)
        legacy.add(tx, old, subject_id=into.id, actor=into.id, now=now, origin=origin)
    for row, details in ((into, {"gone": gone.id}), (gone, {"into": into.id})):
        audit.append(
            tx,
            Event.ACCOUNT_MERGED,
            now=now,
            actor=into.id,
            origin=origin,
            subject_id=row.id,
            details=details,
        )
