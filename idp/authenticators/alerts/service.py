"""Noticing, telling, and *this wasn't me*."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, bindparam, case, select
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.alerts import links, rules
from idp.authenticators.alerts.rules import Reason, Seen
from idp.authenticators.factors import removing
from idp.authenticators.lost_factors import service as lost_factors
from idp.authenticators.lost_factors.rules import Outcome
from idp.authenticators.password import setting as passwords
from idp.authenticators.remembered_devices import service as devices
from idp.foundation import artefacts, limiter
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import Rows, reading, writing
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.foundation.prepared import prepared
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.sessions import service as sessions
from idp.sessions.browsers import browser_name
from idp.sessions.models import BrowserSession
from idp.sessions.rules import Ended
from idp.subjects import closing, contact
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import Status, SubjectFacts, can_open_again
from idp.vocabulary.refused import Refused

_FAILURES: Final = Budget(
    name="factor_failures_told",
    limit=rules.TELL_AFTER,
    window=timedelta(days=1),
    lock_first=timedelta(days=1),
    lock_max=timedelta(days=1),
)
"""Counts failures to the one that is told; then a day's silence, so that nobody floods a mailbox."""
_sessions = BrowserSession.__table__
_BEFORE: Final = prepared(
    select(_sessions.c.browser_digest, _sessions.c.user_agent, _sessions.c.address)
    .where(_sessions.c.subject_id == bindparam("subject"), _sessions.c.created_at > bindparam("since"))
    .order_by(
        case(
            (_sessions.c.browser_digest == bindparam("browser"), 0),
            (and_(_sessions.c.user_agent == bindparam("agent"), _sessions.c.address == bindparam("at")), 0),
            else_=1,
        )
    )
    .limit(1)
)
"""The one that decides: a sign-in that was like this one if there is any, else whichever."""


def sign_in_seen(
    tx: Session,
    *,
    subject_id: str,
    party: RelyingParty | None,
    browser_digest: bytes,
    now: datetime,
    origin: Origin,
) -> None:
    """Tell a person of a sign-in from a browser that they were not seen with; call it before the session is made."""
    here = Seen(browser_digest, origin.user_agent[:256], origin.address[:45])
    if rules.is_new(here, before=_before(tx, here, subject_id=subject_id, now=now)):
        _tell(tx, "new_sign_in", subject_id=subject_id, party=party, now=now, origin=origin)


def factor_failed(tx: Session, *, subject_id: str, party: RelyingParty | None, now: datetime, origin: Origin) -> None:
    """Count a wrong second factor after a right password, and tell at the third (MF-04)."""
    if limiter.reserve(tx, budget=_FAILURES, key=subject_id, now=now) == rules.TELL_AFTER:
        _tell(tx, "factor_failed", subject_id=subject_id, party=party, now=now, origin=origin)


def look_at_link(token: str, *, now: datetime) -> SubjectFacts | Refused:
    """Whose link it is, while it is good; uses nothing up (RC-09)."""
    with reading() as tx:
        found = artefacts.peek(tx, kind=Kind.SIGN_IN_ALERT, digest=digest_of(token), now=now)
        return found if isinstance(found, Refused) else _whose(tx, found, now=now)


def not_me(token: str, *, now: datetime, origin: Origin) -> SubjectFacts | Refused:
    """End everything that is signed in and make the password useless: only a reset by mail leads in again.

    What proves people and was made since goes too: a passkey needs no password. An address and a telephone that were
    changed since are put back first, so that the reset goes to who had the mailbox before (RC-15). Links older than
    this one stay good: who changed the address has later ones only.
    """
    with writing() as tx:
        used = artefacts.redeem(tx, kind=Kind.SIGN_IN_ALERT, digest=digest_of(token), now=now)
        if isinstance(used, Refused):
            return Refused(Reason.DEAD_LINK)
        row = tx.get(Subject, used.subject_id or "", with_for_update=True, populate_existing=True)
        subject = _whose(tx, used, now=now)
        if row is None or isinstance(subject, Refused):
            return Refused(Reason.DEAD_LINK)
        if subject.closed_at is not None:
            closing.open_again(tx, row=row, now=now, origin=origin)
        return disown(tx, row, since=used.created_at, now=now, origin=origin)


def disown(tx: Session, row: Subject, *, since: datetime, now: datetime, origin: Origin) -> SubjectFacts:
    """What *this wasn't me* does, by the mailed link or on the phone that was asked; `row` is locked."""
    put_back = contact.restore(tx, row=row, since=since, now=now, origin=origin)
    subject = subjects.by_id(tx, subject_id=row.id)
    assert subject is not None, "the row is locked"
    removing.remove_since(tx, subject=subject, since=since, now=now, origin=origin)
    lost_factors.end_by_owner(tx, subject_id=row.id, now=now, origin=origin, outcome=Outcome.DISOWNED)
    passwords.make_useless(tx, subject=row, now=now)
    sessions.end_sessions_of(tx, subject_id=row.id, reason=Ended.BY_OWNER, now=now, origin=origin)
    devices.forget_all(tx, subject_id=row.id, now=now, origin=origin)
    artefacts.void(tx, now=now, kind=Kind.SIGN_IN_ALERT, subject_id=row.id, since=since)
    audit.append(tx, Event.DISOWNED, now=now, actor=row.id, origin=origin, subject_id=row.id)
    _tell_lost(tx, put_back.lost, subject=subject, now=now)
    return subject


def _before(tx: Rows, here: Seen, *, subject_id: str, now: datetime) -> list[Seen]:
    looks = {"browser": here.browser_digest, "agent": here.user_agent, "at": here.address}
    rows = tx.execute(_BEFORE, {"subject": subject_id, "since": now - rules.REMEMBERED_FOR, **looks})
    return [Seen(bytes(row.browser_digest), row.user_agent, row.address) for row in rows]


def _tell(
    tx: Session, notice: str, *, subject_id: str, party: RelyingParty | None, now: datetime, origin: Origin
) -> None:
    subject = subjects.by_id(tx, subject_id=subject_id)
    if subject is None or subject.email is None:
        return
    url, link = links.link_for(tx, subject, now=now)
    context = {"url": url, "browser": browser_name(origin.user_agent), "address": origin.address}
    notices.notify(tx, notice=notice, subject=subject, party=party, context=context, now=now, link=link)


def _tell_lost(tx: Session, lost: Collection[str], *, subject: SubjectFacts, now: datetime) -> None:
    """Who had the account at another address meanwhile is told; there is nothing that they could undo."""
    for email in lost:
        notices.notify_address(
            tx,
            notice="contact_restored",
            email=email,
            name=subject.name,
            locale=subject.locale,
            zoneinfo=subject.zoneinfo,
            party=None,
            context={},
            now=now,
        )


def _whose(tx: Rows, found: Redeemed, *, now: datetime) -> SubjectFacts | Refused:
    """A person disabled since is shut out by others; everybody else may still say so, of a closed account too."""
    subject = subjects.by_id(tx, subject_id=found.subject_id or "")
    if subject is None or (subject.status is Status.DISABLED and not can_open_again(subject, now=now)):
        return Refused(Reason.DEAD_LINK)
    return subject
