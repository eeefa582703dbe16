"""Closing an account, and opening it again by the mailed link."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from idp.account import facts as account
from idp.account import standing
from idp.account.closing import facts, guards, rules
from idp.account.closing.rules import Depends, Reason
from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.remembered_devices import service as devices
from idp.consent import grants
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import Rows, reading, writing
from idp.foundation.origin import Origin
from idp.messaging.rules import Link
from idp.sessions import notices
from idp.sessions import service as sessions
from idp.sessions.rules import Ended, SessionFacts
from idp.settings import Settings
from idp.subjects import closing, contact
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts, can_open_again
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

PATH: Final = "/account/reopen"
_ENDS: Final = (
    Kind.PASSWORD_RESET,
    Kind.EMAIL_CHANGE,
    Kind.PHONE_CHANGE,
    Kind.ACCOUNT_MERGE,
    Kind.ONE_TIME_CODE,
    Kind.ACCOUNT_REOPENING,
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the page says before anything is done."""

    access: int
    sessions: int
    devices: int
    apps: int
    depends: tuple[Depends, ...]
    is_staff: bool


def look(session: SessionFacts, *, now: datetime) -> Outlook:
    """What would end, and what keeps the account open; changes nothing."""
    with reading() as tx:
        mine, row = session.subject_id, tx.get(Subject, session.subject_id)
        return Outlook(
            access=len(account.own_access(tx, subject_id=mine, now=now)),
            sessions=len(account.own_sessions(tx, subject_id=mine, this=session.id, now=now)),
            devices=len(devices.listed(tx, subject=row, now=now)) if row is not None else 0,
            apps=len(account.own_apps(tx, subject_id=mine, now=now)),
            depends=facts.depending(tx, subject_id=mine, now=now),
            is_staff=guards.is_staff(tx, subject_id=mine),
        )


def close(session: SessionFacts, *, typed: str, now: datetime, origin: Origin) -> SubjectFacts | Refused:
    """End everything at once, and mail the way back to every address that may be the owner's."""
    with writing() as tx:
        depends = facts.depending(tx, subject_id=session.subject_id, now=now, locked=True)
        row = standing.locked(tx, session, now=now)
        if isinstance(row, Refused):
            return row
        subject = subjects.by_id(tx, subject_id=row.id)
        assert subject is not None
        staff = guards.is_staff(tx, subject_id=row.id)
        refused = rules.why_not(subject, typed=typed, depends=depends, is_staff=staff)
        if refused is not None:
            _audit_refusal(tx, Event.ACCOUNT_CLOSED, row.id, refused, now=now, origin=origin)
            return refused
        _end_everything(tx, row, now=now, origin=origin)
        _mail(tx, subject, now=now)
        return subject


def look_at_link(token: str, *, now: datetime) -> SubjectFacts | Refused:
    """Whose account the link opens; uses nothing up (RC-09)."""
    with reading() as tx:
        return _whose(tx, artefacts.peek(tx, kind=Kind.ACCOUNT_REOPENING, digest=digest_of(token), now=now), now=now)


def open_again(token: str, *, now: datetime, origin: Origin) -> SubjectFacts | Refused:
    """Make the account what it was, once; nobody is signed in by it, and what ended stays ended."""
    with writing() as tx:
        seen = _whose(tx, artefacts.peek(tx, kind=Kind.ACCOUNT_REOPENING, digest=digest_of(token), now=now), now=now)
        if isinstance(seen, Refused):
            return seen
        row = tx.get(Subject, seen.id, with_for_update=True, populate_existing=True)
        used = artefacts.redeem(tx, kind=Kind.ACCOUNT_REOPENING, digest=digest_of(token), now=now)
        seen = _whose(tx, used, now=now)
        if row is None or isinstance(seen, Refused):
            return Refused(Reason.DEAD_LINK)
        closing.open_again(tx, row=row, now=now, origin=origin)
        artefacts.void(tx, now=now, kind=Kind.ACCOUNT_REOPENING, subject_id=row.id)
        notices.notify(tx, notice="account_reopened", subject=seen, party=None, context={}, now=now)
        return seen


def _end_everything(tx: Session, row: Subject, *, now: datetime, origin: Origin) -> None:
    sessions.end_sessions_of(tx, subject_id=row.id, reason=Ended.CLOSED, now=now, origin=origin)
    devices.forget_all(tx, subject_id=row.id, now=now, origin=origin)
    grants.revoke_all(tx, subject_id=row.id, reason=Ended.CLOSED.value, now=now)
    for kind in _ENDS:
        artefacts.void(tx, now=now, kind=kind, subject_id=row.id)
    closing.close(tx, row=row, now=now, origin=origin)


def _mail(tx: Session, subject: SubjectFacts, *, now: datetime) -> None:
    """To the address, and to a former one that may still be put back: who took the account has the newer (RC-15)."""
    former = contact.former_emails(tx, subject_id=subject.id, now=now)
    for email in dict.fromkeys(each for each in (subject.email, *former) if each is not None):
        secret, identity = artefacts.issue(
            tx, kind=Kind.ACCOUNT_REOPENING, now=now, lifetime=rules.LINK_FOR, subject_id=subject.id
        )
        url = Secret(f"{house.get(Settings).issuer}{PATH}?token={secret.reveal()}")
        notices.notify_address(
            tx,
            notice="account_closed",
            email=email,
            name=subject.name,
            locale=subject.locale,
            zoneinfo=subject.zoneinfo,
            party=None,
            context={"url": url},
            now=now,
            link=Link(identity, rules.LINK_FOR),
        )


def _whose(tx: Rows, found: Redeemed | Refused, *, now: datetime) -> SubjectFacts | Refused:
    subject = None if isinstance(found, Refused) else subjects.by_id(tx, subject_id=found.subject_id or "")
    if subject is None or not can_open_again(subject, now=now):
        return Refused(Reason.DEAD_LINK)
    return subject


def _audit_refusal(
    tx: Session, event: Event, subject_id: str, refused: Refused, *, now: datetime, origin: Origin
) -> None:
    outcome = refused.reason.value
    audit.append(tx, event, now=now, actor=subject_id, origin=origin, outcome=outcome, subject_id=subject_id)
