"""What a person is told about their tokens."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.relying_parties.rules import RelyingParty
from idp.sessions.notices import notify
from idp.subjects import service as subjects


def tell_reuse(tx: Session, *, subject_id: str, party: RelyingParty, now: datetime) -> None:
    """A used refresh token came again: its owner hears of it (TK-26, AU-10)."""
    subject = subjects.by_id(tx, subject_id=subject_id)
    if subject is not None:
        context = {"application": party.manifest.name}
        notify(tx, notice="refresh_reused", subject=subject, party=party, context=context, now=now)
