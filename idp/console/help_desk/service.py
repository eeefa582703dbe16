"""A call from its beginning to what is started by it; every outcome is audited under the staff person's name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.audit.rules import trace_of
from idp.authenticators.lost_factors import service as lost_factors
from idp.authenticators.lost_factors.rules import Starter
from idp.authenticators.recovery import service as recovery
from idp.console.help_desk import facts, rules
from idp.console.help_desk.facts import State
from idp.console.help_desk.models import HelpCase
from idp.console.help_desk.rules import Asked, Case, Reason
from idp.console.staff import facts as staff
from idp.console.staff.service import By
from idp.foundation import house, limiter
from idp.foundation.database import new_id, reading, writing
from idp.foundation.limiter import Budget
from idp.keyring.service import Keyring
from idp.sessions import service as sessions
from idp.sessions.rules import Ended
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts, login_key
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay, StaffRole

OPENED: Final = Budget(
    "help_cases", limit=60, window=timedelta(hours=1), lock_first=timedelta(hours=1), lock_max=timedelta(hours=1)
)
"""People whom one staff person looks up within an hour: a day's work, and no trawl through everybody."""


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that its opener may work on now."""

    id: UUID
    reason: str
    case: Case
    subject: SubjectFacts
    state: State

    @property
    def checked(self) -> bool:
        return self.case.checked_at is not None


def open_case(by: By, *, login: str, reason: str) -> UUID | Refused:
    """Find somebody by their whole user ID or e-mail address; the reason is on record before anything is shown."""
    assert by.subject_id is not None
    with writing() as tx:
        subject = subjects.find_by_login(tx, key=login_key(login))
        refused = _may_open(tx, by, subject, reason=reason)
        key = house.get(Keyring).derive("audit.typed")
        _audit(
            tx,
            Event.HELP_CASE_OPENED,
            by,
            subject,
            refused,
            reason=reason.strip(),
            **({} if subject else {"asked": trace_of(login, key=key)}),
        )
        if refused is not None or subject is None:
            return refused or Refused(Reason.UNKNOWN_PERSON)
        row = HelpCase(
            id=new_id(),
            opened_by=by.subject_id,
            subject_id=subject.id,
            reason=reason.strip(),
            opened_at=by.now,
            checks=0,
        )
        tx.add(row)
        return row.id


def look(by: By, *, case_id: UUID) -> OpenCase | Refused:
    """The case as its page shows it."""
    with reading() as tx:
        return _opened(tx, tx.get(HelpCase, case_id), by)


def check_caller(by: By, *, case_id: UUID, given: Mapping[Asked, str]) -> Refused | None:
    """Hold what the caller says against what we know; says only whether it is enough."""
    with writing() as tx:
        opened, row = _held(tx, case_id, by)
        if isinstance(opened, Refused):
            return opened
        refused = rules.may_check(opened.case)
        right: tuple[Asked, ...] = ()
        if refused is None:
            row.checks += 1
            right, enough = rules.judge(given, facts.answers(tx, opened.subject, now=by.now))
            refused = None if enough else Refused(Reason.WRONG_ANSWERS)
            row.checked_at = by.now if enough else None
        asked = [each.value for each, text in given.items() if text.strip()]
        _audit(tx, Event.CALLER_CHECKED, by, opened.subject, refused, asked=asked, right=[each.value for each in right])
        return refused


def start_recovery(by: By, *, case_id: UUID) -> Refused | None:
    """Mail what *Forgot password* mails, to the stored address, once the caller was checked."""
    with writing() as tx:
        opened, _row = _held(tx, case_id, by)
        if isinstance(opened, Refused):
            return opened
        if not opened.checked:
            refused = Refused(Reason.NOT_CHECKED)
            _audit(tx, Event.PASSWORD_RESET_ASKED, by, opened.subject, refused)
            return refused
        why_not = recovery.start_for(
            tx, subject=opened.subject, actor=by.actor, now=by.now, origin=by.origin, caller_checked=True
        )
        return None if why_not is None else Refused(Reason.NO_MAIL)


def start_factor_recovery(by: By, *, case_id: UUID) -> Refused | None:
    """Begin the wait for somebody who lost every factor, once the caller was checked; nobody here finishes it (RC-22)."""
    with writing() as tx:
        opened, _row = _held(tx, case_id, by)
        if isinstance(opened, Refused):
            return opened
        if not opened.checked:
            refused = Refused(Reason.NOT_CHECKED)
            _audit(tx, Event.FACTOR_RECOVERY_STARTED, by, opened.subject, refused)
            return refused
        starter = lost_factors.By(Starter.HELP_DESK, by.actor, by.now, by.origin)
        made = lost_factors.start(tx, subject_id=opened.subject.id, by=starter)
        return Refused(Reason.NOT_STARTED) if isinstance(made, Refused) else None


def disable(by: By, *, case_id: UUID, reason: str, may: Collection[StaffMay]) -> Refused | None:
    """Shut the person out at once, portals included; needs no credible caller: a stranger may report a theft."""
    assert by.subject_id is not None
    with writing() as tx:
        opened, _row = _held(tx, case_id, by)
        if isinstance(opened, Refused):
            return opened
        person = opened.subject
        refused = rules.may_disable(actor=by.subject_id, subject_id=person.id, may=may, roles=opened.state.roles)
        if refused is None and not reason.strip():
            refused = Refused(Reason.NO_REASON)
        if refused is None and not _still_counts(tx, by, opened.state.roles):
            refused = Refused(Reason.IS_STAFF)
        if refused is not None:
            _audit(tx, Event.SUBJECT_DISABLED, by, person, refused)
            return refused
        tx.get(Subject, person.id, with_for_update=True)
        done = subjects.disable(
            tx, subject_id=person.id, reason=reason.strip(), actor=by.actor, now=by.now, origin=by.origin
        )
        if isinstance(done, Refused):
            return Refused(Reason.UNCHANGED)
        sessions.end_sessions_of(tx, subject_id=person.id, reason=Ended.EPOCH, now=by.now, origin=by.origin)
    return None


def enable(by: By, *, case_id: UUID) -> Refused | None:
    """Let the person in again; what ended stays ended."""
    with writing() as tx:
        opened, _row = _held(tx, case_id, by)
        if isinstance(opened, Refused):
            return opened
        done = subjects.enable(tx, subject_id=opened.subject.id, actor=by.actor, now=by.now, origin=by.origin)
        return Refused(Reason.UNCHANGED) if isinstance(done, Refused) else None


def _still_counts(tx: Session, by: By, roles: Collection[StaffRole]) -> bool:
    """Two administrators who disable each other come one after the other, and who is out by then disables nobody (RA-06)."""
    if StaffRole.ADMINISTRATOR not in roles:
        return True
    staff.administrators(tx, lock=True)
    return by.subject_id in staff.administrators(tx)  # read anew: the lock was waited for


def _may_open(tx: Session, by: By, subject: SubjectFacts | None, *, reason: str) -> Refused | None:
    if not reason.strip():
        return Refused(Reason.NO_REASON)
    if isinstance(limiter.reserve(tx, budget=OPENED, key=by.subject_id or "", now=by.now), Refused):
        return Refused(Reason.TOO_MANY)
    if subject is None:
        return Refused(Reason.UNKNOWN_PERSON)
    return Refused(Reason.SELF) if subject.id == by.subject_id else None


def _held(tx: Session, case_id: UUID, by: By) -> tuple[OpenCase | Refused, HelpCase]:
    row = tx.get(HelpCase, case_id, with_for_update=True)
    return _opened(tx, row, by), row  # type: ignore[return-value]


def _opened(tx: Session, row: HelpCase | None, by: By) -> OpenCase | Refused:
    subject = subjects.by_id(tx, subject_id=row.subject_id) if row is not None else None
    if row is None or subject is None:
        return Refused(Reason.UNKNOWN_PERSON)
    case = Case(row.opened_by, row.subject_id, row.opened_at, row.checks, row.checked_at)
    refused = rules.may_use(case, by=by.subject_id or "", now=by.now)
    if refused is not None:
        return refused
    return OpenCase(row.id, row.reason, case, subject, facts.state(tx, subject, now=by.now))


def _audit(
    tx: Session, event: Event, by: By, subject: SubjectFacts | None, refused: Refused | None, **details: object
) -> None:
    audit.append(
        tx,
        event,
        now=by.now,
        actor=by.actor,
        origin=by.origin,
        outcome="ok" if refused is None else refused.reason.value,
        subject_id=subject.id if subject is not None else None,
        details=details,
    )


def closes_at(case: Case) -> datetime:
    """Until when the case may be worked on."""
    return case.opened_at + rules.CASE_LIFE
