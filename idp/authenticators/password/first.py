"""A first password for whoever signs in without one: by the proof that they have, since there is no current one to type."""

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.rules import Reason as FactorReason
from idp.authenticators.factors.rules import is_fresh, to_prove
from idp.authenticators.password import facts, setting
from idp.authenticators.password.rules import Reason
from idp.authenticators.password.setting import Change
from idp.foundation.database import new_id, reading, writing
from idp.sessions import service as sessions
from idp.sessions.rules import Ended
from idp.sessions.service import NewSession
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused


def lacks(tx: Session, *, subject_id: str) -> bool:
    """Whether a person has no password at all; one that only a reset may replace is one."""
    return facts.credential_of(tx, subject_id=subject_id) is None


def may_set(tx: Session, asked: Change) -> Refused | None:
    """Only where there is none, and after the strongest that the person has, within the last 15 minutes (MODEL §9)."""
    subject_id = asked.session.subject_id
    if not lacks(tx, subject_id=subject_id):
        return Refused(Reason.CHANGED_MEANWHILE)
    held = to_prove(factors.held(tx, subject_id=subject_id))
    return None if is_fresh(asked.session, held=held, now=asked.now) else Refused(FactorReason.NOT_FRESH)


def set_first(asked: Change) -> NewSession | Refused:
    """Set it; other browsers are signed out, this one goes on with a new cookie, and the person is told by mail."""
    with reading() as tx:
        subject = subjects.by_id(tx, subject_id=asked.session.subject_id)
        refused = may_set(tx, asked)
        policy = setting.policy_asked(tx, subject_id=asked.session.subject_id, client_id=None, now=asked.now)
    if refused is not None or subject is None:
        return refused or Refused(Reason.UNKNOWN_LOGIN)
    broken = setting.unfit(asked.new, policy=policy, subject=subject)
    if broken is not None:
        return broken
    prepared = setting.digest_and_policies(asked.new, subject=subject)
    if isinstance(prepared, Refused):
        return prepared
    with writing() as tx:
        return _put(tx, asked, subject, *prepared)


def _put(
    tx: Session, asked: Change, subject: SubjectFacts, digest: str, satisfies: tuple[str, ...]
) -> NewSession | Refused:
    row = tx.get(Subject, subject.id, with_for_update=True)
    if row is None or row.epoch != asked.session.subject_epoch or sessions.hold(tx, asked.session) is None:
        return Refused(Reason.CHANGED_MEANWHILE)
    refused = may_set(tx, asked)
    if refused is not None:
        return refused
    setting.store_prepared(tx, subject=row, digest=digest, satisfies=satisfies, now=asked.now)
    sessions.end_sessions_of(
        tx,
        subject_id=subject.id,
        except_session=asked.session.id,
        reason=Ended.BY_OWNER,
        now=asked.now,
        origin=asked.origin,
    )
    setting.tell_changed(tx, subject=subject, party=None, now=asked.now)
    audit.append(
        tx,
        Event.PASSWORD_CHANGED,
        now=asked.now,
        actor=subject.id,
        origin=asked.origin,
        subject_id=subject.id,
        details={"first": True},
    )
    return sessions.authenticated(
        tx,
        txn=new_id(),
        subject=row,
        acr=sorted(asked.session.acr),
        amr=asked.session.amr,
        proven=asked.session.proven,
        browser_digest=asked.browser_digest,
        now=asked.now,
        origin=asked.origin,
        replacing=asked.session,
    )
