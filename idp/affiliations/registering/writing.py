"""Writing what a proof becomes: a new affiliation, or more on the one that the person has."""

from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.asserting.facts import lapses
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.affiliations.registering.facts import Case, Standing
from idp.affiliations.registering.rules import Becomes, Outcome
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.origin import Origin
from idp.vocabulary.affiliation import AffiliationStatus


def write(tx: Session, case: Case, standing: Standing, found: Becomes, *, person: str, origin: Origin) -> UUID:
    """The affiliation's id; the locks are held, the rule has judged."""
    row = standing.row
    if row is not None and standing.claim.own is None:
        _end(tx, row, case, origin=origin)
        row = None
    if row is None:
        return _make(tx, case, standing, found, person=person, origin=origin)
    _add(tx, row, case, found, origin=origin)
    return row.id


def _end(tx: Session, row: Affiliation, case: Case, *, origin: Origin) -> None:
    """What reads ended is ended for good before another row takes its place."""
    before = row.status
    row.status = AffiliationStatus.ENDED.value
    row.ended_at = case.now
    row.epoch += 1
    row.version += 1
    tx.flush()  # the unique index counts what has not ended
    _audit(tx, Event.AFFILIATION_ENDED, row, case, origin=origin, actor="system", before=before)


def _make(tx: Session, case: Case, standing: Standing, found: Becomes, *, person: str, origin: Origin) -> UUID:
    pending = found.outcome is Outcome.VERIFICATION_PENDING
    levels = () if pending else _levels(case, found)
    return affiliations.grant_affiliation(
        tx,
        subject_id=person,
        registry=standing.target.registry,
        kind=standing.target.kind,
        target_id=standing.target.id,
        evidence={case.party.client_id: case.proof.evidence},
        levels={case.party.client_id: levels},
        now=case.now,
        actor=person,
        origin=origin,
        status=AffiliationStatus.VERIFICATION_PENDING if pending else AffiliationStatus.ACTIVE,
        account_manager=found.account_manager,
        source=case.proof.source,
    )


def _add(tx: Session, row: Affiliation, case: Case, found: Becomes, *, origin: Origin) -> None:
    """Evidence, levels of a portal where there are none yet, the mark, and the waking of what waited; each only once."""
    before, portal = row.status, case.party.client_id
    known = {(proof.kind, proof.portal) for proof in row.evidence}
    new_proof = (case.proof.evidence.value, portal) not in known
    if new_proof:
        proof = AffiliationEvidence(kind=case.proof.evidence.value, portal=portal, at=case.now, by=row.subject_id)
        proof.tell(case.proof.source)
        row.evidence.append(proof)
    row.ends_at = None if new_proof and lapses(row) else row.ends_at
    held = {level.level for level in row.levels if level.portal == portal}
    gained = [] if found.outcome is Outcome.VERIFICATION_PENDING else _gained(case, found, held, row=row)
    affiliations.give_levels(tx, affiliation_id=row.id, levels={portal: gained}, now=case.now, by=row.subject_id)
    if found.outcome is Outcome.ACTIVE:
        row.status = AffiliationStatus.ACTIVE.value
        row.activated_at, row.warned = case.now, 0
    marked = found.account_manager and not row.account_manager
    row.account_manager = row.account_manager or found.account_manager
    if not (new_proof or gained or marked or before != row.status):
        return
    row.epoch += 1
    row.version += 1
    _audit(tx, Event.AFFILIATION_CHANGED, row, case, origin=origin, actor=row.subject_id, before=before)


def _gained(case: Case, found: Becomes, held: set[str], *, row: Affiliation) -> list[str]:
    """A manager's choice of levels stays as it is; only the mark that this proof gives brings its levels."""
    marked = found.account_manager and not row.account_manager
    wanted = _levels(case, found) if marked or not held else ()
    return [level for level in wanted if level not in held]


def _levels(case: Case, found: Becomes) -> tuple[str, ...]:
    """Who becomes the account manager holds the portal's whole catalogue: nobody gives what they do not hold (E10)."""
    if found.account_manager:
        return tuple(level.key for level in case.party.manifest.levels)
    return case.terms.default_levels


def _audit(tx: Session, event: Event, row: Affiliation, case: Case, *, origin: Origin, actor: str, before: str) -> None:
    audit.append(
        tx,
        event,
        now=case.now,
        actor=actor,
        origin=origin,
        subject_id=row.subject_id,
        client_id=case.party.client_id,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={
            "before": before,
            "after": row.status,
            "evidence": [case.proof.evidence.value],
            "account_manager": row.account_manager,
        },
    )
