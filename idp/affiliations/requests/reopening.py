"""An approval whose invitation died with its approver is decided anew: no request stays approved by a dead link (MODEL §10).

The approval was right when it was made; who made it may decide no more, so that others do, in a window of its own. What the
approver sent is dead whatever becomes of this (AD-12, AD-14): nothing here depends on when it runs.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.managers.facts import managers_of, point_at
from idp.affiliations.managers.telling import tell_deciders
from idp.affiliations.requests.closing import tell_requester
from idp.affiliations.requests.facts import name_of, open_one
from idp.affiliations.requests.links import status_link
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.rules import Status, decide_by
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.vocabulary.affiliation import TargetKind


def reopen_orphaned(tx: Session, *, now: datetime, batch: int) -> int:
    """A batch of approved requests that no invitation answers any more; says how many."""
    answered = select(Invitation.id).where(Invitation.request_id == AccessRequest.id, Invitation.voided_at.is_(None))
    rows = tx.scalars(
        select(AccessRequest)
        .where(AccessRequest.status == Status.APPROVED.value, ~answered.exists())
        .order_by(AccessRequest.decided_at)
        .limit(batch)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        _reopen(tx, row, now=now)
    return len(rows)


def _reopen(tx: Session, row: AccessRequest, *, now: datetime) -> None:
    kind, approver = TargetKind(row.target_kind), row.decided_by
    target = point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)
    asked_again = target is not None and open_one(tx, email_key=row.email_key, target=target) is not None
    row.status = (Status.WITHDRAWN if asked_again else Status.PENDING).value
    row.version += 1
    audit.append(
        tx,
        Event.ACCESS_REQUEST_REOPENED,
        now=now,
        actor="system",
        origin=Origin.local("worker"),
        outcome="asked_again" if asked_again else "ok",
        subject_id=row.subject_id,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"request": row.id, "approved_by": approver, "before": Status.APPROVED.value, "after": row.status},
    )
    if asked_again:
        row.decided_at = now
        return
    row.submitted_at, row.decided_at, row.decided_by = now, None, None
    row.reminders, row.escalated_at = 0, None
    _tell(tx, row, now=now)


def _tell(tx: Session, row: AccessRequest, *, now: datetime) -> None:
    """Those who decide now, or the payer where there is nobody; and who asked, with the way to their request."""
    due = decide_by(row.submitted_at, window=house.get(Settings).access_request_window)
    kind, party = TargetKind(row.target_kind), relying_parties.find(row.portal)
    target = point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)
    terms = affiliations.terms_of(party) if party is not None else None
    if party is not None and terms is not None and target is not None:
        dormancy = house.get(Settings).dormancy
        managers = managers_of(tx, target=target, terms=terms, now=now, dormancy=dormancy, but=row.subject_id)
        context = {"target": target.name, "person": name_of(row), "position": row.position, "decide_by": due}
        if tell_deciders(tx, managers, notice="access_requested", party=party, context=context, now=now):
            row.escalated_at = now
    see_as(tx, everything=True)
    seen = {"decide_by": due, "url": status_link(tx, row, now=now)}
    tell_requester(tx, row, notice="access_request_reopened", context=seen, now=now)
