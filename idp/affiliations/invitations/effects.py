"""What an accepted invitation makes of a person's access (MODEL §10)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.invitations import orphaned
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import Asks, Effect, Has, becomes
from idp.affiliations.managers.facts import Pointed
from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
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
    """The access that the person has already becomes active, or stronger; it holds what was ticked (`rules.becomes`).

    A registration link ticks nothing: it completes what waits as it stands, which was judged as it stands (`inviter`).
    """
    before = own.status
    if row.affiliation_id != own.id:
        _hold(tx, row, own, effect, now=now, origin=origin)
    if (row.evidence, row.portal) not in {(proof.kind, proof.portal) for proof in own.evidence}:
        own.evidence.append(AffiliationEvidence(kind=row.evidence, portal=row.portal, at=now, by=row.invited_by))
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


def _hold(tx: Session, row: Invitation, own: Affiliation, effect: Effect, *, now: datetime, origin: Origin) -> None:
    """Levels and mark as the rule has them, each portal that changes audited with before and after."""
    has = Has(_by_portal(own), own.account_manager)
    proofs = [Evidence(proof.kind) for proof in own.evidence if proof.from_registry is None]
    after = becomes(
        effect, has, ticked=row.levels, portal=row.portal, proofs=proofs, word=Evidence(row.evidence),
        asks=_asks(own.registry_name, now=now),
    )  # fmt: skip
    for portal in sorted({*has.levels, *after.levels}):
        old, new = has.levels.get(portal, frozenset()), after.levels.get(portal, frozenset())
        gone = (HeldLevel.affiliation_id == own.id, HeldLevel.portal == portal, HeldLevel.level.in_(old - new))
        tx.execute(delete(HeldLevel).where(*gone))
        affiliations.give_levels(
            tx, affiliation_id=own.id, levels={portal: sorted(new - old)}, now=now, by=row.invited_by
        )
        if old != new:
            _audit_levels(tx, row, own, portal, old, new, now=now, origin=origin)
    own.account_manager = after.account_manager
    if has.account_manager and not after.account_manager:
        orphaned.void_of(tx, own, actor=row.invited_by, now=now, origin=origin)
    tx.flush()
    tx.expire(own, ["levels"])


def _by_portal(own: Affiliation) -> dict[str, frozenset[str]]:
    portals = {held.portal for held in own.levels}
    return {portal: frozenset(held.level for held in own.levels if held.portal == portal) for portal in portals}


def _asks(registry: str, *, now: datetime) -> dict[str, Asks]:
    """Every portal of the registry, switched off ones too."""
    found = {}
    for party in relying_parties.every(now=now).values():
        if party.portal is not None and party.portal.registry == registry:
            managing = frozenset(level.key for level in party.manifest.levels if level.manages)
            found[party.client_id] = Asks(party.portal.accepts, party.portal.accepts_for_manager, managing)
    return found


def _audit_levels(
    tx: Session, row: Invitation, own: Affiliation, portal: str, old: Collection[str], new: Collection[str], *,
    now: datetime, origin: Origin,
) -> None:  # fmt: skip
    audit.append(
        tx,
        Event.LEVELS_CHANGED,
        now=now,
        actor=row.invited_by,
        origin=origin,
        subject_id=own.subject_id,
        client_id=portal,
        target_kind=own.target_kind,
        target_id=str(own.target_id),
        details={"before": sorted(old), "after": sorted(new)},
    )
