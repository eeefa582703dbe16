"""Adding a further portal's statement to an affiliation that is there (MODEL §2: a second portal adds to it)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations.asserting.facts import lapses
from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence


def rows_at(
    tx: Session, *, subject_id: str, registry: str, kind: TargetKind, target_id: UUID
) -> tuple[Affiliation, ...]:
    """Every affiliation that this person has or had with a target, ended ones too."""
    see_as(tx, everything=True)
    return tuple(
        tx.scalars(
            select(Affiliation).where(
                Affiliation.subject_id == subject_id,
                Affiliation.registry_name == registry,
                Affiliation.target_kind == kind.value,
                Affiliation.target_id == target_id,
            )
        )
    )


def live_one(rows: Iterable[Affiliation]) -> Affiliation | None:
    """The one that has not ended; the database allows no second."""
    return next((row for row in rows if row.status != AffiliationStatus.ENDED), None)


def is_stated_by(rows: Iterable[Affiliation], portal: str) -> bool:
    """Whether any of them rests on something that this portal has said before."""
    return any(proof.portal == portal for row in rows for proof in row.evidence)


def add_statement(
    tx: Session,
    row: Affiliation,
    *,
    portal: str,
    evidence: Evidence,
    levels: Iterable[str],
    account_manager: bool,
    now: datetime,
    actor: str,
    origin: Origin,
) -> None:
    """Add a portal's evidence and levels to an affiliation; its status stays what it is."""
    held = {(level.portal, level.level) for level in row.levels}
    tx.add(AffiliationEvidence(affiliation_id=row.id, kind=evidence.value, portal=portal, at=now, by=actor))
    for level in levels:
        if (portal, level) not in held:
            tx.add(HeldLevel(affiliation_id=row.id, portal=portal, level=level, at=now, by=actor))
    row.account_manager = row.account_manager or account_manager
    row.ends_at = None if lapses(row) else row.ends_at
    row.epoch += 1
    row.version += 1
    tx.flush()  # the row fence is open for it now
    audit.append(
        tx,
        Event.AFFILIATION_CHANGED,
        now=now,
        actor=actor,
        origin=origin,
        subject_id=row.subject_id,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={"status": row.status, "evidence": [evidence.value], "portal": portal},
    )
