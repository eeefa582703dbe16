"""Carrying out what `rules.plans` decided, in the transaction that merges two accounts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.facts import held_by
from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.uniting import rules
from idp.affiliations.uniting.rules import Plan, PortalSays, Way
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import fan_out
from idp.settings import Settings
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Move:
    """Whose access goes to whom, and on whose word."""

    from_id: str
    to_id: str
    now: datetime
    origin: Origin


def planned(tx: Session, *, from_id: str, to_id: str, now: datetime) -> tuple[Plan, ...] | Refused:
    """What would happen now; reads only."""
    see_as(tx, everything=True)
    mine, theirs = (held_by(tx, subject_id=subject_id, now=now) for subject_id in (to_id, from_id))
    return rules.plans(mine, theirs, portals=_portals(), now=now, dormancy=house.get(Settings).dormancy)


def carry_out(tx: Session, plans: Iterable[Plan], move: Move) -> None:
    """Move, unite and end; every row that changes is dead for what was granted under it before (its epoch)."""
    see_as(tx, everything=True)
    rows = _locked(tx, move)
    for plan in plans:
        theirs, mine = rows[plan.theirs.id], rows[plan.mine.id] if plan.mine else None
        if plan.way is Way.UNITED and mine is not None:
            _unite(tx, mine, theirs, plan, move)
        if plan.way is Way.REPLACES and mine is not None:
            _end(tx, mine, move)
            tx.flush()  # the unique index allows one that has not ended
        if plan.way in (Way.MOVES, Way.REPLACES):
            theirs.subject_id = move.to_id
            _changed(tx, theirs, move, before=move.from_id)
        else:
            _end(tx, theirs, move)
        tx.flush()
    tx.execute(update(AccessRequest).where(AccessRequest.subject_id == move.from_id).values(subject_id=move.to_id))


def _locked(tx: Session, move: Move) -> dict[object, Affiliation]:
    both = select(Affiliation).where(
        Affiliation.subject_id.in_((move.from_id, move.to_id)), Affiliation.status != AffiliationStatus.ENDED.value
    )
    ordered = both.order_by(Affiliation.id).with_for_update().execution_options(populate_existing=True)
    return {row.id: row for row in tx.scalars(ordered)}


def _unite(tx: Session, mine: Affiliation, theirs: Affiliation, plan: Plan, move: Move) -> None:
    held = {(proof.portal, proof.kind, proof.from_registry, proof.connection) for proof in mine.evidence}
    for proof in theirs.evidence:
        if (proof.portal, proof.kind, proof.from_registry, proof.connection) not in held:
            tx.add(
                AffiliationEvidence(
                    affiliation_id=mine.id,
                    kind=proof.kind,
                    portal=proof.portal,
                    at=proof.at,
                    by=proof.by,
                    from_registry=proof.from_registry,
                    connection=proof.connection,
                    source=proof.source,
                )
            )
    wanted = {(portal, level) for portal, levels in plan.levels.items() for level in levels}
    for row in list(mine.levels):
        if (row.portal, row.level) not in wanted:
            tx.delete(row)
    for portal, level in sorted(wanted - {(row.portal, row.level) for row in mine.levels}):
        tx.add(HeldLevel(affiliation_id=mine.id, portal=portal, level=level, at=move.now, by=move.to_id))
    mine.account_manager = plan.account_manager
    _changed(tx, mine, move, before=move.to_id)


def _changed(tx: Session, row: Affiliation, move: Move, *, before: str) -> None:
    row.epoch += 1
    row.version += 1
    audit.append(
        tx,
        Event.AFFILIATION_CHANGED,
        now=move.now,
        actor=move.to_id,
        origin=move.origin,
        subject_id=move.to_id,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={"status": row.status, "held_by": before, "merged_from": move.from_id},
    )


def _end(tx: Session, row: Affiliation, move: Move) -> None:
    """Ended for good: the other row acts for the person now. The portals that act under this one are told."""
    before, row.status, row.ended_at, row.disabled_by = row.status, AffiliationStatus.ENDED.value, move.now, None
    row.epoch += 1
    row.version += 1
    if before == AffiliationStatus.ACTIVE:
        fan_out.owe_for_affiliation(tx, affiliation_id=row.id, now=move.now)
    audit.append(
        tx,
        Event.AFFILIATION_ENDED,
        now=move.now,
        actor=move.to_id,
        origin=move.origin,
        subject_id=row.subject_id,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={"before": before, "after": row.status, "merged_from": move.from_id},
    )


def _portals() -> Collection[PortalSays]:
    found = []
    for party in relying_parties.every().values():
        terms = affiliations.terms_of(party)
        if party.portal is not None and terms is not None:
            found.append(PortalSays(terms, party.portal.accepts_for_manager))
    return found
