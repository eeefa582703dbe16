"""Claims that nobody verified in 30 days: reading says ended, this makes it durable and tells the person (MODEL §9)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations.facts import target_of
from idp.affiliations.models import Affiliation
from idp.affiliations.rules import PENDING_LIFETIME
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus


def end_lapsed(tx: Session, *, now: datetime, batch: int) -> int:
    """End a batch of claims that waited too long; says how many."""
    rows = tx.scalars(
        select(Affiliation)
        .where(
            Affiliation.status == AffiliationStatus.VERIFICATION_PENDING.value,
            Affiliation.created_at <= now - PENDING_LIFETIME,
        )
        .order_by(Affiliation.created_at)
        .limit(batch)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        _end(tx, row, now=now)
    return len(rows)


def _end(tx: Session, row: Affiliation, *, now: datetime) -> None:
    row.status = AffiliationStatus.ENDED.value
    row.ended_at = now
    row.epoch += 1
    row.version += 1
    audit.append(
        tx,
        Event.AFFILIATION_ENDED,
        now=now,
        actor="system",
        origin=Origin.local("worker"),
        outcome="unverified_in_time",
        subject_id=row.subject_id,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={"before": AffiliationStatus.VERIFICATION_PENDING.value, "after": row.status},
    )
    subject, target = subjects.by_id(tx, subject_id=row.subject_id), target_of(tx, row, on=now.date())
    if subject is None or target is None:
        return
    portal = next((proof.portal for proof in row.evidence), None)
    notices.notify(
        tx,
        notice="verification_lapsed",
        subject=subject,
        party=relying_parties.find(portal) if portal is not None else None,
        context={"target": target.name, "refused": False},
        now=now,
    )
