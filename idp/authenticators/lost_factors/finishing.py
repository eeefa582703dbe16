"""The link that opens a recovery, and its end: every factor goes, and all that was signed in with them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, delete, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.alerts import links as alerts
from idp.authenticators.factors import budgets
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.lost_factors import facts, rules
from idp.authenticators.lost_factors.facts import table
from idp.authenticators.lost_factors.rules import Outcome, Reason, Recovery
from idp.authenticators.remembered_devices import service as devices
from idp.foundation import artefacts
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import Rows, reading, writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.sessions import service as sessions
from idp.sessions.rules import Ended
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import Status
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

_factors: Table = HeldFactor.__table__  # type: ignore[assignment]


def look_at_link(token: str, *, now: datetime) -> Recovery | Refused:
    """What a link is good for; uses nothing up (RC-09)."""
    with reading() as tx:
        found = artefacts.peek(tx, kind=Kind.FACTOR_RECOVERY, digest=digest_of(token), now=now)
        return _opened(tx, found, now=now)


def stop_is_good(token: str, *, now: datetime) -> bool:
    """Whether the link of the first mail still stops something."""
    with reading() as tx:
        found = artefacts.peek(tx, kind=Kind.FACTOR_RECOVERY_STOP, digest=digest_of(token), now=now)
        return isinstance(found, Redeemed) and (
            facts.under_way(tx, subject_id=found.subject_id or "", now=now) is not None
        )


def use_link(token: str, *, browser_digest: bytes, now: datetime, origin: Origin) -> Recovery | Refused:
    """The mailbox is proven, once, and the recovery goes on in this browser alone."""
    with writing() as tx:
        used = artefacts.redeem(tx, kind=Kind.FACTOR_RECOVERY, digest=digest_of(token), now=now)
        recovery = _opened(tx, used, now=now)
        if isinstance(recovery, Refused):
            return recovery
        here = {"mailbox_at": now, "browser_digest": browser_digest}
        tx.execute(update(table).where(table.c.id == recovery.id).values(**here))
        audit.append(
            tx,
            Event.MAILBOX_PROVEN,
            now=now,
            actor=recovery.subject_id,
            origin=origin,
            subject_id=recovery.subject_id,
            client_id=recovery.client_id,
            details={"for": "factor_recovery"},
        )
        return recovery


def remove_factors(
    tx: Session, recovery: Recovery, *, evidence: Evidence, target_id: UUID | None, now: datetime, origin: Origin
) -> Refused | None:
    """Take every factor away; sessions, grants, devices and recovery codes are dead; the next sign-in sets one up.

    The caller locked the recovery and judged the evidence. The password stays: it is asked before anything is set up.
    """
    row = tx.get(Subject, recovery.subject_id, with_for_update=True, populate_existing=True)
    subject = subjects.by_id(tx, subject_id=recovery.subject_id)
    if row is None or subject is None or subject.status is not Status.ACTIVE:
        return Refused(Reason.NOT_ACTIVE)
    kinds = [each.kind.value for each in factors.held(tx, subject_id=subject.id)]
    row.epoch += 1
    row.version += 1
    row.updated_at = now
    row.factor_owed_at = now
    tx.flush()  # what follows reads by statement
    tx.execute(delete(_factors).where(_factors.c.subject_id == subject.id))
    for kind in (Kind.RECOVERY_CODE, Kind.FACTOR_RECOVERY, Kind.FACTOR_RECOVERY_STOP):
        artefacts.void(tx, now=now, kind=kind, subject_id=subject.id)
    devices.forget_all(tx, subject_id=subject.id, now=now, origin=origin)
    budgets.forgive(tx, account=subject.id, now=now)
    sessions.end_sessions_of(tx, subject_id=subject.id, reason=Ended.FACTORS_REMOVED, now=now, origin=origin)
    ended = {"ended_at": now, "outcome": Outcome.REMOVED.value}
    tx.execute(update(table).where(table.c.id == recovery.id).values(**ended))
    audit.append(
        tx,
        Event.FACTORS_LOST,
        now=now,
        actor=subject.id,
        origin=origin,
        subject_id=subject.id,
        client_id=recovery.client_id,
        target_id=target_id,
        details={"kinds": kinds, "evidence": evidence.value, "started_by": recovery.started_by.value},
    )
    url, link = alerts.link_for(tx, subject, now=now)
    party = relying_parties.find(recovery.client_id) if recovery.client_id else None
    notices.notify(tx, notice="factors_lost", subject=subject, party=party, context={"url": url}, now=now, link=link)
    return None


def _opened(tx: Rows, found: Redeemed | Refused, *, now: datetime) -> Recovery | Refused:
    if isinstance(found, Refused):
        return Refused(Reason.DEAD_LINK)
    recovery = facts.under_way(tx, subject_id=found.subject_id or "", now=now)
    subject = subjects.by_id(tx, subject_id=found.subject_id or "")
    live = recovery is not None and rules.standing(recovery, now=now) is rules.Standing.OPEN
    if recovery is None or subject is None or not live or subject.status is not Status.ACTIVE:
        return Refused(Reason.DEAD_LINK)
    return recovery
