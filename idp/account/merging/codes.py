"""The second half of the proof of an account that holds factors: a code shown inside it, after a fresh strong proof.

Its password is typed in the surviving account; nobody could prove a passkey of another account there. Who shows the code
has proven the strongest that the account holds, a moment ago, at its own pages.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.account import standing
from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.recovery_codes.rules import canonical, new_code
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.sessions.rules import SessionFacts
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

GOOD_FOR: Final = timedelta(minutes=15)


def make(session: SessionFacts, *, now: datetime, origin: Origin) -> Secret | Refused:
    """A code for this account, shown once; a former one is void."""
    with writing() as tx:
        row = standing.locked(tx, session, now=now)
        if isinstance(row, Refused):
            return row
        artefacts.void(tx, now=now, kind=Kind.MERGE_CODE, subject_id=row.id)
        code = new_code()
        artefacts.issue(
            tx,
            kind=Kind.MERGE_CODE,
            now=now,
            lifetime=GOOD_FOR,
            subject_id=row.id,
            payload={"epoch": row.epoch},
            digest=_digest(canonical(code) or "", subject_id=row.id),
        )
        audit.append(tx, Event.MERGE_CODE_MADE, now=now, actor=row.id, origin=origin, subject_id=row.id)
        return Secret(code)


def take(tx: Session, typed: str, *, other: SubjectFacts, now: datetime) -> bool:
    """Use up the code that was shown in the other account, once."""
    code = canonical(typed)
    if code is None:
        return False
    used = artefacts.redeem(tx, kind=Kind.MERGE_CODE, digest=_digest(code, subject_id=other.id), now=now)
    return not isinstance(used, Refused) and used.payload.get("epoch") == other.epoch


def _digest(code: str, *, subject_id: str) -> bytes:
    return artefacts.short_digest(code, pepper=house.get(Keyring).index, context=f"merge_code:{subject_id}")
