"""What becomes of requests by time alone: reminders, escalation, denial; reading never waits for it (B8, MODEL §10)."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.managers.facts import Manager, Pointed, managers_of, point_at
from idp.affiliations.managers.telling import payer_hears_of, tell_managers, tell_payer
from idp.affiliations.requests import facts
from idp.affiliations.requests.closing import deny_unanswered
from idp.affiliations.requests.facts import name_of
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.rules import REMINDED_AFTER, decide_by, reminders_due
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary.affiliation import TargetKind


def deny_overdue(tx: Session, *, now: datetime, batch: int) -> int:
    """Deny a batch of requests that nobody answered in time; says how many."""
    rows = tx.scalars(facts.overdue(since=now - house.get(Settings).access_request_window, limit=batch)).all()
    for row in rows:
        deny_unanswered(tx, row, now=now)
    return len(rows)


def remind(tx: Session, *, now: datetime, batch: int) -> int:
    """Remind the managers of a batch of undecided requests, on day 3 and day 4; says how many were looked at."""
    done = 0
    for number, after in reversed(tuple(enumerate(REMINDED_AFTER, start=1))):
        rows = tx.scalars(facts.to_remind(number=number, since=now - after, limit=batch - done)).all()
        for row in rows:
            _remind(tx, row, now=now)
        done += len(rows)
    return done


def escalate(tx: Session, *, now: datetime, batch: int) -> int:
    """Ask the payer to decide a batch of requests that no manager can; says how many.

    Where nobody of the payer can be told, they wait until somebody can.
    """
    rows = tx.scalars(facts.abandoned(portals=payer_hears_of(tx), limit=batch)).all()
    for row in rows:
        _escalate(tx, row, now=now)
    return len(rows)


def _remind(tx: Session, row: AccessRequest, *, now: datetime) -> None:
    row.reminders = reminders_due(row.submitted_at, now=now)
    party = relying_parties.find(row.portal)
    managers = () if party is None else _managers(tx, row, party, now=now)
    see_as(tx, everything=True)
    if party is not None and managers:
        context = _context(tx, row, now=now)
        tell_managers(tx, managers, notice="access_request_waiting", party=party, context=context, now=now)
    elif row.escalated_at is None:
        _escalate(tx, row, now=now)


def _escalate(tx: Session, row: AccessRequest, *, now: datetime) -> None:
    party = relying_parties.find(row.portal)
    context = _context(tx, row, now=now)
    if party is None or not tell_payer(tx, notice="access_requested", party=party, context=context, now=now):
        return
    row.escalated_at = now
    audit.append(
        tx,
        Event.ACCESS_REQUEST_ESCALATED,
        now=now,
        actor="system",
        origin=Origin.local("worker"),
        subject_id=row.subject_id,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"request": row.id},
    )


def _managers(tx: Session, row: AccessRequest, party: RelyingParty, *, now: datetime) -> tuple[Manager, ...]:
    target, terms = _point(tx, row, now=now), affiliations.terms_of(party)
    if target is None or terms is None:
        return ()
    dormancy = house.get(Settings).dormancy
    return managers_of(tx, target=target, terms=terms, now=now, dormancy=dormancy, but=row.subject_id)


def _context(tx: Session, row: AccessRequest, *, now: datetime) -> dict[str, Any]:
    target = _point(tx, row, now=now)
    return {
        "target": target.name if target is not None else "",
        "person": name_of(row),
        "position": row.position,
        "decide_by": decide_by(row.submitted_at, window=house.get(Settings).access_request_window),
    }


def _point(tx: Session, row: AccessRequest, *, now: datetime) -> Pointed | None:
    kind = TargetKind(row.target_kind)
    return point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)
