"""What an accepted invitation makes of a person's access (MODEL §10)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import Effect
from idp.affiliations.managers.facts import Pointed
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence


def make(tx: Session, row: Invitation, target: Pointed, person: SubjectFacts, *, now: datetime, origin: Origin) -> UUID:
    """A new affiliation, with what the manager's word is worth."""
    return affiliations.grant_affiliation(
        tx,
        subject_id=person.id,
        registry=target.registry,
        kind=target.kind,
        target_id=target.id,
        evidence={row.portal: Evidence(row.evidence)},
        levels={row.portal: row.levels},
        account_manager=_manages(row.portal, row.levels),
        now=now,
        actor=row.invited_by,
        origin=origin,
    )


def _manages(portal: str, levels: Sequence[str]) -> bool:
    """Whether the managing level of the portal's catalogue is among them: it shows the mark (MODEL §2)."""
    party = relying_parties.find(portal)
    return party is not None and any(level.manages and level.key in levels for level in party.manifest.levels)


def wake(tx: Session, row: Invitation, own: Affiliation, effect: Effect, *, now: datetime, origin: Origin) -> UUID:
    """The affiliation that the person has already: active, or stronger."""
    before = own.status
    if (row.evidence, row.portal) not in {(proof.kind, proof.portal) for proof in own.evidence}:
        own.evidence.append(AffiliationEvidence(kind=row.evidence, portal=row.portal, at=now, by=row.invited_by))
    if row.levels and not any(level.portal == row.portal for level in own.levels):
        affiliations.give_levels(tx, affiliation_id=own.id, levels={row.portal: row.levels}, now=now, by=row.invited_by)
        own.account_manager = own.account_manager or _manages(row.portal, row.levels)
    if effect is Effect.ACTIVATE:
        own.status, own.disabled_by = AffiliationStatus.ACTIVE.value, None
        own.activated_at, own.warned = now, 0
    own.epoch += 1
    own.version += 1
    audit.append(
        tx,
        Event.AFFILIATION_CHANGED,
        now=now,
        actor=own.subject_id,
        origin=origin,
        subject_id=own.subject_id,
        client_id=row.portal,
        target_kind=own.target_kind,
        target_id=str(own.target_id),
        details={"before": before, "after": own.status, "evidence": [row.evidence]},
    )
    return own.id
