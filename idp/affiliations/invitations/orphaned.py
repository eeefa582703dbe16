"""What a manager sent and nobody accepted yet dies with their right to send it (AD-12, AD-14)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations.invitations.models import Invitation
from idp.affiliations.models import Affiliation
from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import service as directory
from idp.foundation import artefacts
from idp.foundation.artefacts import Kind
from idp.foundation.origin import Origin
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence


def void_of(
    tx: Session, manager: Affiliation, *, actor: str, now: datetime, origin: Origin, portal: str | None = None
) -> None:
    """Void the open invitations that rest on this managing affiliation, at one portal or wherever; a practice's reach
    its providers. Another manager, or the same one by another affiliation, may invite anew; an undo revives none."""
    query = select(Invitation).where(
        Invitation.invited_by == manager.subject_id,
        Invitation.registry_name == manager.registry_name,
        Invitation.evidence != Evidence.PAYER.value,
        Invitation.used_at.is_(None),
        Invitation.voided_at.is_(None),
    )
    if portal is not None:
        query = query.where(Invitation.portal == portal)
    for row in tx.scalars(query.order_by(Invitation.id).with_for_update()):
        if _rests_on(tx, row, manager):
            row.voided_at = now
            artefacts.void(tx, now=now, kind=Kind.INVITATION, family=row.id)
            _audit(tx, row, actor=actor, now=now, origin=origin)


def _rests_on(tx: Session, row: Invitation, manager: Affiliation) -> bool:
    if row.target_id == manager.target_id:
        return row.target_kind == manager.target_kind
    if manager.target_kind != TargetKind.PRACTICE or row.target_kind != TargetKind.PROVIDER:
        return False
    provider = directory.provider(tx, row.target_id)
    return provider is not None and provider.practice_id == manager.target_id


def _audit(tx: Session, row: Invitation, *, actor: str, now: datetime, origin: Origin) -> None:
    audit.append(
        tx,
        Event.INVITATION_VOIDED,
        now=now,
        actor=actor,
        origin=origin,
        subject_id=row.subject_id,
        client_id=row.portal,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"invitation": row.id, "invited_by": row.invited_by},
    )
