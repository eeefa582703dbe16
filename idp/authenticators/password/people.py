"""Making a person with a password, and shutting one out: what `idp people` and the demo do."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from idp.authenticators.password import setting
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.password.models import PasswordCredential
from idp.authenticators.password.rules import DEFAULT_POLICY
from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.sessions import service as sessions
from idp.sessions.rules import Ended
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import NewSubject, Reason, SubjectFacts, login_key
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

TEMPORARY_FOR: Final = timedelta(days=7)
"""Life of a password that somebody else chose (MODEL §9)."""
ADMINISTRATOR: Final = "system"


def create(
    new: NewSubject, *, plain: Secret, temporary: bool, checked: bool = True, now: datetime, origin: Origin
) -> SubjectFacts | Refused:
    """Make a person who can sign in with `plain`; a temporary one must be changed at the first sign-in.

    `checked=False` is for passwords that are known anyway: the demo's.
    """
    broken = setting.unfit(plain, policy=DEFAULT_POLICY, subject=new) if checked else None
    if broken is not None:
        return broken
    digest = house.get(Kdf).digest(plain)
    if isinstance(digest, Refused):
        return digest
    with writing() as tx:
        made = subjects.create(tx, new=new, actor=ADMINISTRATOR, now=now, origin=origin)
        if isinstance(made, Refused):
            return made
        row = tx.get(Subject, made.id, with_for_update=True)
        assert row is not None
        until = TEMPORARY_FOR if temporary else None
        setting.store(tx, subject=row, digest=digest, plain=plain, now=now, temporary_for=until)
        return made


def keep_imported(tx: Session, *, subject_id: str, digest: str, now: datetime) -> None:
    """Give somebody without a password the one that came from another system; `Kdf.adopt` made the digest."""
    row = PasswordCredential(subject_id=subject_id, digest=digest, satisfies=[], must_change=False, changed_at=now)
    tx.add(row)
    tx.flush()  # facts are read by statement


def drop_password(tx: Session, *, subject_id: str) -> None:
    """Delete the password of an account that nobody signs in to any more."""
    tx.execute(delete(PasswordCredential).where(PasswordCredential.subject_id == subject_id))


def disable(login: str, *, reason: str, now: datetime, origin: Origin) -> SubjectFacts | Refused:
    """Shut a person out at once, and let every portal they are signed in at know (SI-21, UI-04)."""
    found = _find(login)
    if isinstance(found, Refused):
        return found
    with writing() as tx:
        done = subjects.disable(tx, subject_id=found.id, reason=reason, actor=ADMINISTRATOR, now=now, origin=origin)
        if not isinstance(done, Refused):
            sessions.end_sessions_of(tx, subject_id=found.id, reason=Ended.EPOCH, now=now, origin=origin)
        return done


def enable(login: str, *, now: datetime, origin: Origin) -> SubjectFacts | Refused:
    """Let a person in again; sessions and tokens that were ended stay so."""
    found = _find(login)
    if isinstance(found, Refused):
        return found
    with writing() as tx:
        return subjects.enable(tx, subject_id=found.id, actor=ADMINISTRATOR, now=now, origin=origin)


def _find(login: str) -> SubjectFacts | Refused:
    """By user ID, e-mail, or subject id."""
    with reading() as tx:
        found = subjects.find_by_login(tx, key=login_key(login)) or subjects.by_id(tx, subject_id=login[:64])
    return found if found is not None else Refused(Reason.UNKNOWN)
