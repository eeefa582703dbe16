"""Whether the person at this page may change what the account hangs on: asked again under its lock."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.rules import is_fresh, to_prove
from idp.foundation.database import reading
from idp.sessions import service as sessions
from idp.sessions.rules import SessionFacts
from idp.subjects.models import Subject
from idp.subjects.rules import Status
from idp.vocabulary.refused import Refused


class Reason(StrEnum):
    """Why not."""

    SESSION_GONE = "session_gone"
    NOT_FRESH = "not_fresh"


def locked(tx: Session, session: SessionFacts, *, fresh: bool = True, now: datetime) -> Subject | Refused:
    """The person's row, locked before the session's; refused for a session that was ended or outdated since (RA-13).

    `fresh`: only after the strongest proof that the person can give, of the last 15 minutes (MF-33).
    """
    row = tx.get(Subject, session.subject_id, with_for_update=True, populate_existing=True)
    if row is None or row.epoch != session.subject_epoch or row.status != Status.ACTIVE.value:
        return Refused(Reason.SESSION_GONE)
    if sessions.hold(tx, session) is None:
        return Refused(Reason.SESSION_GONE)
    return row if not fresh or _is_fresh(tx, session, now=now) else Refused(Reason.NOT_FRESH)


def is_proven(session: SessionFacts, *, now: datetime) -> bool:
    """Whether the page need not send them to prove it first."""
    with reading() as tx:
        return _is_fresh(tx, session, now=now)


def _is_fresh(tx: Session, session: SessionFacts, *, now: datetime) -> bool:
    return is_fresh(session, held=to_prove(factors.held(tx, subject_id=session.subject_id)), now=now)
