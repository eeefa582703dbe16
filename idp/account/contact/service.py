"""A new e-mail address: asked for with a fresh strong proof, proven at the new mailbox, told to the former one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.account import standing
from idp.account.contact import rules
from idp.account.contact.rules import Reason
from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.alerts import links as alerts
from idp.authenticators.remembered_devices import service as devices
from idp.foundation import artefacts, house, limiter, masks
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import reading, writing
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.messaging.rules import Link
from idp.sessions import notices, step_up
from idp.sessions import service as sessions
from idp.sessions.rules import Ended, SessionFacts
from idp.sessions.service import NewSession
from idp.settings import Settings
from idp.subjects import contact, reserved
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts, email_key
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

PATH: Final = "/account/email/confirm"
_HOUR: Final = timedelta(hours=1)
BY_ACCOUNT: Final = Budget(name="email_change", limit=5, window=_HOUR, lock_first=_HOUR, lock_max=_HOUR)
TO_ADDRESS: Final = Budget(name="email_change_to", limit=3, window=_HOUR, lock_first=_HOUR, lock_max=_HOUR)
"""Nobody's mailbox is filled by changing to it again and again (RX-10)."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that waits for the button: the address that the link proves, and the one that it replaces."""

    email: str
    former: str | None


def ask(session: SessionFacts, *, typed: str, now: datetime, origin: Origin) -> Refused | None:
    """Mail a link to the new address; an address that somebody else has is answered alike, and its owner told (SI-01).

    One change waits at a time: asking again kills the former link.
    """
    with writing() as tx:
        row = standing.locked(tx, session, now=now)
        if isinstance(row, Refused):
            return row
        email = rules.new_email(typed, now_has=row.email, proven=row.email_verified_at is not None)
        refused = email if isinstance(email, Refused) else _count(tx, row.id, email, now=now)
        if refused is None:
            artefacts.void(tx, now=now, kind=Kind.EMAIL_CHANGE, subject_id=row.id)
            holder = _holder(tx, str(email))
            if holder is not None and holder.id != row.id and holder.email_verified_at is not None:
                _tell_holder(tx, holder, now=now)
            else:
                _mail_link(tx, row, str(email), now=now)
        _audit(tx, Event.EMAIL_CHANGE_ASKED, row.id, refused=refused, now=now, origin=origin)
        return refused


def look(session: SessionFacts | None, token: str, *, now: datetime) -> Pending | Refused:
    """What the link's button would do in this browser; uses nothing up (RC-09)."""
    if session is None:
        return Refused(Reason.NOT_SIGNED_IN)
    with reading() as tx:
        found = artefacts.peek(tx, kind=Kind.EMAIL_CHANGE, digest=digest_of(token), now=now)
        subject = subjects.by_id(tx, subject_id=session.subject_id)
        return Refused(Reason.DEAD_LINK) if subject is None else _judged(found, subject)


def confirm(session: SessionFacts | None, token: str, *, now: datetime, origin: Origin) -> NewSession | Refused:
    """Make the address theirs, once: only in a session of the account that asked, so that nobody's click on a
    stranger's link gives their mailbox away (RC-19).

    Reset links sent to the former address are dead (RC-01), remembered devices forgotten, other sessions ended.
    """
    if session is None:
        return Refused(Reason.NOT_SIGNED_IN)
    with writing() as tx:
        row = standing.locked(tx, session, fresh=False, now=now)
        if isinstance(row, Refused):
            return Refused(Reason.NOT_SIGNED_IN)
        before = subjects.by_id(tx, subject_id=row.id)
        assert before is not None
        seen = _judged(artefacts.peek(tx, kind=Kind.EMAIL_CHANGE, digest=digest_of(token), now=now), before)
        if not isinstance(seen, Refused):
            reserved.hold_pending(tx, key=str(email_key(seen.email)))
            used = artefacts.redeem(tx, kind=Kind.EMAIL_CHANGE, digest=digest_of(token), now=now)
            seen = _judged(used, before)
        outcome = seen if isinstance(seen, Refused) else _change(tx, session, row, before, seen, now=now, origin=origin)
        if isinstance(outcome, Refused):
            _audit(tx, Event.EMAIL_CHANGED, row.id, refused=outcome, now=now, origin=origin)
        return outcome


def _change(
    tx: Session,
    session: SessionFacts,
    row: Subject,
    before: SubjectFacts,
    seen: Pending,
    *,
    now: datetime,
    origin: Origin,
) -> NewSession | Refused:
    """The former address is told before anything else: it is where the way back leads to."""
    url, link = alerts.link_for(tx, before, now=now)
    if contact.set_email(tx, row=row, email=seen.email, now=now, origin=origin) is not None:
        artefacts.void(tx, now=now, identity=link.artefact_id)
        return Refused(Reason.ADDRESS_IN_USE)
    told = {"new": masks.email(seen.email), "url": url}
    notices.notify(tx, notice="email_changed", subject=before, party=None, context=told, now=now, link=link)
    after = subjects.by_id(tx, subject_id=row.id)
    assert after is not None
    signs_in_by_it = after.user_id is None
    context = {"url": f"{house.get(Settings).issuer}/account/", "signs_in_by_it": signs_in_by_it}
    notices.notify(tx, notice="email_is_yours", subject=after, party=None, context=context, now=now)
    devices.forget_all(tx, subject_id=row.id, now=now, origin=origin)
    sessions.end_sessions_of(
        tx, subject_id=row.id, except_session=session.id, reason=Ended.BY_OWNER, now=now, origin=origin
    )
    rotated = step_up.lift(tx, session, acr=(), amr=(), proven=(), now=now)
    if isinstance(rotated, Refused):
        raise RuntimeError("a session that is held cannot be gone")
    return rotated


def _judged(found: Redeemed | Refused, subject: SubjectFacts) -> Pending | Refused:
    """A link dies with what it was made for: another password, another address, another account signed in."""
    if isinstance(found, Refused):
        return Refused(Reason.DEAD_LINK)
    if found.subject_id != subject.id:
        return Refused(Reason.OTHER_ACCOUNT)
    if (found.payload.get("epoch"), found.payload.get("former")) != (subject.epoch, subject.email):
        return Refused(Reason.DEAD_LINK)
    return Pending(str(found.payload["email"]), subject.email)


def _count(tx: Session, subject_id: str, email: str, *, now: datetime) -> Refused | None:
    for budget, key in ((BY_ACCOUNT, subject_id), (TO_ADDRESS, str(email_key(email)))):
        if isinstance(limiter.reserve(tx, budget=budget, key=key, now=now), Refused):
            return Refused(Reason.TOO_MANY)
    return None


def _holder(tx: Session, email: str) -> SubjectFacts | None:
    return subjects.find_by_login(tx, key=str(email_key(email)))


def _mail_link(tx: Session, row: Subject, email: str, *, now: datetime) -> None:
    secret, identity = artefacts.issue(
        tx,
        kind=Kind.EMAIL_CHANGE,
        now=now,
        lifetime=rules.PROOF_FOR,
        subject_id=row.id,
        family=reserved.pending_for(str(email_key(email))),
        payload={"email": email, "former": row.email, "epoch": row.epoch},
    )
    notices.notify_address(
        tx,
        notice="confirm_email",
        email=email,
        name="",
        locale=row.locale,
        zoneinfo=row.zoneinfo,
        party=None,
        context={"url": Secret(f"{house.get(Settings).issuer}{PATH}?token={secret.reveal()}")},
        now=now,
        link=Link(identity, rules.PROOF_FOR),
    )


def _tell_holder(tx: Session, holder: SubjectFacts, *, now: datetime) -> None:
    """At the address that we keep, never at the one typed (RC-07)."""
    notices.notify(tx, notice="address_wanted", subject=holder, party=None, context={}, now=now)


def _audit(
    tx: Session, event: Event, subject_id: str, *, refused: Refused | None, now: datetime, origin: Origin
) -> None:
    audit.append(
        tx,
        event,
        now=now,
        actor=subject_id,
        origin=origin,
        outcome=refused.reason.value if refused else "ok",
        subject_id=subject_id,
    )
