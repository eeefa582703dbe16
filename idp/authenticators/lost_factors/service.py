"""Starting a recovery, stopping it, confirming its evidence; each in the transaction of its caller, each outcome audited."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import facts as factors
from idp.authenticators.lost_factors import facts, rules
from idp.authenticators.lost_factors.facts import table
from idp.authenticators.lost_factors.rules import Outcome, Reason, Recovery, Standing, Starter
from idp.foundation import artefacts, house, limiter
from idp.foundation.artefacts import Kind, digest_of
from idp.foundation.database import new_id
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.messaging.rules import Link
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import likeness
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

STOP_PATH: Final = "/sign-in/lost-factors/stop"
LINK_PATH: Final = "/sign-in/lost-factors/link"
STARTS: Final = Budget(
    name="factor_recovery",
    limit=rules.STARTS_A_WEEK,
    window=timedelta(days=7),
    lock_first=timedelta(days=7),
    lock_max=timedelta(days=7),
)
LINKS: Final = Budget(
    name="factor_recovery_link",
    limit=rules.LINKS_AN_HOUR,
    window=timedelta(hours=1),
    lock_first=timedelta(hours=1),
    lock_max=timedelta(hours=1),
)


@dataclass(frozen=True, slots=True)
class By:
    """Who starts, confirms or refuses a recovery, in whose portal, from where."""

    starter: Starter
    actor: str
    now: datetime
    origin: Origin
    client_id: str | None = None
    vouched_for: UUID | None = None
    """A manager's place, where that manager's word is what the person's access rests on."""
    note: str = ""
    """Why, for the audit."""


def start(tx: Session, *, subject_id: str, by: By) -> Recovery | Refused:
    """Begin to wait, and tell the stored address at once, with a link that stops it (RC-22)."""
    tx.get(Subject, subject_id, with_for_update=True, populate_existing=True)
    subject = subjects.by_id(tx, subject_id=subject_id)
    known = facts.under_way(tx, subject_id=subject_id, now=by.now)
    holds = factors.held(tx, subject_id=subject_id)
    refused = rules.why_not_start(subject, holds=holds, under_way=known, now=by.now)
    if refused is None and isinstance(limiter.reserve(tx, budget=STARTS, key=subject_id, now=by.now), Refused):
        refused = Reason.TOO_MANY
    if refused is None and subject is not None:
        _end(tx, subject_id=subject_id, outcome=Outcome.EXPIRED, now=by.now)
        made = _begun(tx, subject, by)
        _tell_started(tx, subject, made, now=by.now)
    details = {"starter": by.starter.value} | ({"note": by.note[: rules.LONGEST_NOTE]} if by.note else {})
    _audit(tx, Event.FACTOR_RECOVERY_STARTED, by, subject_id=subject_id, outcome=refused, **details)
    return Refused(refused) if refused is not None else made


def stop(tx: Session, *, token: str, now: datetime, origin: Origin) -> SubjectFacts | Refused:
    """The link of the first mail: nothing is removed."""
    used = artefacts.redeem(tx, kind=Kind.FACTOR_RECOVERY_STOP, digest=digest_of(token), now=now)
    subject = None if isinstance(used, Refused) else subjects.by_id(tx, subject_id=used.subject_id or "")
    if subject is None or not _end(tx, subject_id=subject.id, outcome=Outcome.STOPPED, now=now):
        return Refused(Reason.DEAD_LINK)
    _stopped(tx, subject, outcome=Outcome.STOPPED, actor=subject.id, now=now, origin=origin)
    return subject


def end_by_owner(
    tx: Session, *, subject_id: str, now: datetime, origin: Origin, outcome: Outcome = Outcome.PROVEN
) -> None:
    """The person proved a factor, so none was lost, or disowned a sign-in: whatever was begun in their name ends."""
    if _end(tx, subject_id=subject_id, outcome=outcome, now=now):
        subject = subjects.by_id(tx, subject_id=subject_id)
        assert subject is not None
        _stopped(tx, subject, outcome=outcome, actor=subject_id, now=now, origin=origin)


def confirm(tx: Session, *, recovery_id: UUID, staff_id: str, note: str, by: By) -> Recovery | Refused:
    """Payer staff saw the evidence of enrollment; the link to go on is mailed as soon as the wait is over."""
    recovery = _held(tx, recovery_id)
    if recovery is None:
        return Refused(Reason.NOT_UNDER_WAY)
    own, started = (
        bool(staff_id) and likeness.are_one(tx, staff_id, other.removeprefix("staff:"))
        for other in (recovery.subject_id, recovery.started_actor)
    )
    refused = rules.why_not_confirm(recovery, own=own, started=started, note=note, now=by.now)
    if refused is None:
        kept = {"evidence": Evidence.PAYER.value, "evidence_by": by.actor, "told_at": None}
        tx.execute(update(table).where(table.c.id == recovery.id).values(**kept))
    note = note.strip()[: rules.LONGEST_NOTE]
    _audit(tx, Event.FACTOR_RECOVERY_CONFIRMED, by, subject_id=recovery.subject_id, outcome=refused, note=note)
    return recovery if refused is None else Refused(refused)


def refuse(tx: Session, *, recovery_id: UUID, note: str, by: By) -> Recovery | Refused:
    """Payer staff end it: the person could not show what their access rests on."""
    recovery = _held(tx, recovery_id)
    if recovery is None or rules.standing(recovery, now=by.now) is Standing.ENDED:
        return Refused(Reason.NOT_UNDER_WAY)
    if not note.strip():
        return Refused(Reason.NO_NOTE)
    subject = subjects.by_id(tx, subject_id=recovery.subject_id)
    assert subject is not None
    _end(tx, subject_id=subject.id, outcome=Outcome.REFUSED, now=by.now)
    note = note.strip()[: rules.LONGEST_NOTE]
    _stopped(tx, subject, outcome=Outcome.REFUSED, actor=by.actor, now=by.now, origin=by.origin, note=note)
    return recovery


def mail_link(tx: Session, *, subject_id: str, now: datetime) -> Reason | None:
    """Mail the link to go on, the former one is void; only once the wait is over."""
    tx.get(Subject, subject_id, with_for_update=True)
    recovery, subject = (
        facts.under_way(tx, subject_id=subject_id, now=now),
        subjects.by_id(tx, subject_id=subject_id),
    )
    if recovery is None or subject is None:
        return Reason.NOT_UNDER_WAY
    if rules.standing(recovery, now=now) is Standing.WAITING:
        return Reason.STILL_WAITING
    if isinstance(limiter.reserve(tx, budget=LINKS, key=subject_id, now=now), Refused):
        return Reason.TOO_MANY
    _owe_link(tx, recovery, subject, now=now)
    return None


def tell_open(tx: Session, *, now: datetime) -> int:
    """Mail the link to go on to one whose wait is over, and who was not told; `mail_link` does it when asked."""
    row = tx.execute(
        table.select()
        .where(table.c.ended_at.is_(None), table.c.told_at.is_(None), table.c.opens_at <= now, table.c.expires_at > now)
        .order_by(table.c.opens_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return 0
    subject = subjects.by_id(tx, subject_id=row.subject_id)
    assert subject is not None
    _owe_link(tx, facts.recovery_of(row), subject, now=now)
    return 1


def _begun(tx: Session, subject: SubjectFacts, by: By) -> Recovery:
    opens_at = by.now + house.get(Settings).factor_recovery_wait
    row = {
        "id": new_id(),
        "subject_id": subject.id,
        "client_id": by.client_id,
        "started_by": by.starter.value,
        "started_actor": by.actor[:64],
        "started_at": by.now,
        "opens_at": opens_at,
        "expires_at": opens_at + rules.OPEN_FOR,
        "evidence": Evidence.MANAGER.value if by.vouched_for is not None else None,
        "evidence_by": by.actor[:64] if by.vouched_for is not None else None,
        "vouched_for": by.vouched_for,
    }
    tx.execute(insert(table).values(**row))
    made = facts.under_way(tx, subject_id=subject.id, now=by.now)
    assert made is not None
    return made


def _tell_started(tx: Session, subject: SubjectFacts, made: Recovery, *, now: datetime) -> None:
    lifetime = made.expires_at - now
    url, link = _link(tx, Kind.FACTOR_RECOVERY_STOP, STOP_PATH, subject, lifetime=lifetime, now=now)
    context = {"url": url, "opens_at": made.opens_at, "by": made.started_by.value}
    _notify(tx, "factor_recovery_started", subject, made.client_id, context, now=now, link=link)


def _owe_link(tx: Session, recovery: Recovery, subject: SubjectFacts, *, now: datetime) -> None:
    artefacts.void(tx, now=now, kind=Kind.FACTOR_RECOVERY, subject_id=subject.id)
    url, link = _link(tx, Kind.FACTOR_RECOVERY, LINK_PATH, subject, lifetime=rules.BROWSER_FOR, now=now)
    tx.execute(update(table).where(table.c.id == recovery.id).values(told_at=now))
    context = {"url": url, "until": recovery.expires_at}
    _notify(tx, "factor_recovery_open", subject, recovery.client_id, context, now=now, link=link)


def _link(
    tx: Session, kind: Kind, path: str, subject: SubjectFacts, *, lifetime: timedelta, now: datetime
) -> tuple[Secret, Link]:
    secret, identity = artefacts.issue(tx, kind=kind, now=now, lifetime=lifetime, subject_id=subject.id)
    return Secret(f"{house.get(Settings).issuer}{path}?token={secret.reveal()}"), Link(identity, lifetime)


def _end(tx: Session, *, subject_id: str, outcome: Outcome, now: datetime) -> bool:
    ended = tx.execute(
        update(table)
        .where(table.c.subject_id == subject_id, table.c.ended_at.is_(None))
        .values(ended_at=now, outcome=outcome.value)
    )
    return ended.rowcount > 0  # type: ignore[attr-defined, no-any-return]


def _stopped(
    tx: Session, subject: SubjectFacts, *, outcome: Outcome, actor: str, now: datetime, origin: Origin, note: str = ""
) -> None:
    """Its links die, its person is told, it is on record why."""
    for kind in (Kind.FACTOR_RECOVERY, Kind.FACTOR_RECOVERY_STOP):
        artefacts.void(tx, now=now, kind=kind, subject_id=subject.id)
    _notify(tx, "factor_recovery_stopped", subject, None, {"why": outcome.value}, now=now)
    details = {"why": outcome.value} | ({"note": note} if note else {})
    event = Event.FACTOR_RECOVERY_STOPPED
    audit.append(tx, event, now=now, actor=actor, origin=origin, subject_id=subject.id, details=details)


def _held(tx: Session, recovery_id: UUID) -> Recovery | None:
    row = tx.execute(table.select().where(table.c.id == recovery_id).with_for_update()).one_or_none()
    return None if row is None else facts.recovery_of(row)


def _notify(
    tx: Session,
    notice: str,
    subject: SubjectFacts,
    client_id: str | None,
    context: dict[str, object],
    *,
    now: datetime,
    link: Link | None = None,
) -> None:
    party = relying_parties.find(client_id) if client_id else None
    notices.notify(tx, notice=notice, subject=subject, party=party, context=context, now=now, link=link)


def _audit(tx: Session, event: Event, by: By, *, subject_id: str, outcome: Reason | None, **details: object) -> None:
    audit.append(
        tx,
        event,
        now=by.now,
        actor=by.actor,
        origin=by.origin,
        outcome="ok" if outcome is None else outcome.value,
        subject_id=subject_id,
        client_id=by.client_id,
        details=details,
    )
