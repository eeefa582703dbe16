"""What a person says about themselves and may say anew: language, time zone, names."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.origin import Origin
from idp.subjects.models import Subject


def change(tx: Session, *, subject_id: str, now: datetime, origin: Origin, **said: str | None) -> None:
    """Write what was said; the record tells which fields, never their content (AU-06)."""
    tx.execute(
        update(Subject).where(Subject.id == subject_id).values(version=Subject.version + 1, updated_at=now, **said)
    )
    audit.append(
        tx,
        Event.PROFILE_CHANGED,
        now=now,
        actor=subject_id,
        origin=origin,
        subject_id=subject_id,
        details={"fields": sorted(said)},
    )
