"""Denying what nobody answered, and writing to who asked; the sweep and every writer share it (B7, B8)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.managers.facts import point_at
from idp.affiliations.requests.facts import name_of
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.rules import Cause, Status
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.vocabulary.affiliation import TargetKind


def deny_unanswered(tx: Session, row: AccessRequest, *, now: datetime) -> None:
    """Make durable what reading says already: the window has passed. The row is locked by the caller."""
    row.status = Status.DENIED.value
    row.cause = Cause.UNANSWERED.value
    row.decided_at = now
    row.decided_by = "system"
    row.version += 1
    audit.append(
        tx,
        Event.ACCESS_REQUEST_DECIDED,
        now=now,
        actor="system",
        origin=Origin.local("worker"),
        outcome=Cause.UNANSWERED.value,
        subject_id=row.subject_id,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"request": row.id, "before": Status.PENDING.value, "after": Status.DENIED.value},
    )
    tell_requester(tx, row, notice="access_request_denied", context={"unanswered": True, "explanation": None}, now=now)


def deny_approved(tx: Session, request_id: UUID, *, by: str, now: datetime, origin: Origin) -> None:
    """An approval is taken back with its invitation: the request is denied, and who asked is told. The fence is the target's."""
    row = tx.get(AccessRequest, request_id, with_for_update=True)
    if row is None or row.status != Status.APPROVED.value:
        return
    row.status, row.cause = Status.DENIED.value, Cause.MANAGER.value
    row.decided_at, row.decided_by = now, by
    row.version += 1
    audit.append(
        tx,
        Event.ACCESS_REQUEST_DECIDED,
        now=now,
        actor=by,
        origin=origin,
        outcome=Status.DENIED.value,
        subject_id=row.subject_id,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"request": row.id, "before": Status.APPROVED.value, "after": Status.DENIED.value},
    )
    tell_requester(tx, row, notice="access_request_denied", context={"unanswered": False, "explanation": None}, now=now)


def tell_requester(tx: Session, row: AccessRequest, *, notice: str, context: Mapping[str, Any], now: datetime) -> None:
    """Write to the address kept with the request, in the name of the portal where it was made."""
    kind = TargetKind(row.target_kind)
    target = point_at(tx, registry=row.registry_name, kind=kind, target_id=row.target_id, now=now)
    notices.notify_address(
        tx,
        notice=notice,
        email=row.email,
        name=name_of(row),
        locale=row.locale,
        zoneinfo=row.zoneinfo,
        party=relying_parties.find(row.portal),
        context={"target": target.name if target is not None else "", **context},
        now=now,
    )
