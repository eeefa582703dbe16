"""What a person changes about their own account; each is one transaction with its audit event."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.account import facts
from idp.account.rules import LANGUAGES, Names, Reason, is_zone
from idp.authenticators.password import facts as passwords
from idp.authenticators.password import setting
from idp.consent import service as consents
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.relying_parties.manifest import PasswordPolicy
from idp.sessions import service as sessions
from idp.sessions.rules import Ended, SessionFacts
from idp.subjects import profile
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused


def who(session: SessionFacts) -> SubjectFacts | None:
    """The person signed in."""
    with reading() as tx:
        return subjects.by_id(tx, subject_id=session.subject_id)


def find_session(session: SessionFacts, *, session_id: UUID, now: datetime) -> facts.OwnSession | Refused:
    """One of the person's own live sessions; a foreign one is as unknown as none (SE-04)."""
    with reading() as tx:
        every = facts.own_sessions(tx, subject_id=session.subject_id, this=session.id, now=now)
    return next((one for one in every if one.id == session_id), Refused(Reason.UNKNOWN))


def end_one(session: SessionFacts, *, session_id: UUID, now: datetime, origin: Origin) -> bool:
    """End one of the person's own sessions; `False` for any other id."""
    with writing() as tx:
        return sessions.end_session(
            tx, session_id=session_id, subject_id=session.subject_id, reason=Ended.BY_OWNER, now=now, origin=origin
        )


def end_others(session: SessionFacts, *, now: datetime, origin: Origin) -> int:
    """End every session of the person but this one; says how many."""
    with writing() as tx:
        return sessions.end_sessions_of(
            tx,
            subject_id=session.subject_id,
            except_session=session.id,
            reason=Ended.BY_OWNER,
            now=now,
            origin=origin,
        )


def find_app(session: SessionFacts, *, client_id: str, now: datetime) -> facts.OwnApp | Refused:
    """One app that the person let in."""
    with reading() as tx:
        every = facts.own_apps(tx, subject_id=session.subject_id, now=now)
    return next((app for app in every if app.party.client_id == client_id), Refused(Reason.UNKNOWN))


def revoke_app(session: SessionFacts, *, client_id: str, now: datetime, origin: Origin) -> bool:
    """Take back what an app was allowed; its tokens die with it. `False` where there was nothing."""
    with writing() as tx:
        return consents.revoke(tx, subject_id=session.subject_id, client_id=client_id, now=now, origin=origin)


def set_language(session: SessionFacts, *, locale: str, zoneinfo: str, now: datetime, origin: Origin) -> Refused | None:
    """Keep the language and time zone of pages and mails."""
    if locale not in LANGUAGES:
        return Refused(Reason.BAD_LANGUAGE)
    if not is_zone(zoneinfo):
        return Refused(Reason.BAD_ZONE)
    with writing() as tx:
        profile.change(tx, subject_id=session.subject_id, now=now, origin=origin, locale=locale, zoneinfo=zoneinfo)
    return None


def set_names(session: SessionFacts, names: Names, *, now: datetime, origin: Origin) -> Refused | None:
    """Keep another name, unless somebody gave the person access by the present one."""
    good = names.checked()
    if isinstance(good, Refused):
        return good
    with writing() as tx:
        if sessions.hold(tx, session) is None or facts.name_is_bound_to(tx, subject_id=session.subject_id, now=now):
            return Refused(Reason.NAME_LOCKED)
        profile.change(tx, subject_id=session.subject_id, now=now, origin=origin, **good)
    return None


def password_page(tx: Session, session: SessionFacts, *, now: datetime) -> tuple[PasswordPolicy, datetime | None]:
    """What a new password must be, and when the present one was set."""
    policy = setting.policy_asked(tx, subject_id=session.subject_id, client_id=None, now=now)
    credential = passwords.credential_of(tx, subject_id=session.subject_id)
    return policy, credential.changed_at if credential else None
