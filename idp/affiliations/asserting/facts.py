"""A person's access to a practice as an assertion finds it, and what the portals let be given."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.asserting.rules import Cap, Given, Own
from idp.affiliations.facts import held_of, target_of
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.affiliations.rules import serves, status_at
from idp.foundation import house
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Source:
    """Who asserts: a connection, and the identity there that it spoke of (D6)."""

    connection: str
    issuer: str
    subject: str
    names: Mapping[str, str] = field(default_factory=dict)
    """The connection's name by language, for mails."""

    @property
    def actor(self) -> str:
        return f"connection:{self.connection}"

    def gave(self, proof: AffiliationEvidence) -> bool:
        """Whether a proof is this source's, and not another identity's of the same connection."""
        said = proof.source or {}
        same = (said.get("issuer"), said.get("subject")) == (self.issuer, self.subject)
        return same and is_asserted(proof, by=self.connection)


def is_asserted(proof: AffiliationEvidence, *, by: str | None = None) -> bool:
    """Whether a proof is held only while a connection says so; what was brought once, by a ceremony, is not."""
    of_it = proof.connection is not None and by in (None, proof.connection)
    return of_it and not (proof.source or {}).get("brought")


def rows_of(tx: Session, source: Source, *, subject_id: str, lock: bool = False) -> tuple[Affiliation, ...]:
    """A person's access that rests on the source; the row fence is open for them."""
    query = _of(source.connection).where(Affiliation.subject_id == subject_id)
    return tuple(row for row in tx.scalars(_locked(query) if lock else query) if any(map(source.gave, row.evidence)))


def of_connection(tx: Session, connection: str) -> tuple[Affiliation, ...]:
    """Everybody's; the row fence is open for everything."""
    return tuple(tx.scalars(_of(connection)))


def _of(connection: str) -> Select[Affiliation]:
    proofs = select(AffiliationEvidence.affiliation_id).where(AffiliationEvidence.connection == connection)
    return (
        select(Affiliation)
        .where(Affiliation.id.in_(proofs), Affiliation.status != AffiliationStatus.ENDED.value)
        .order_by(Affiliation.id)
    )


def _locked(query: Select[Affiliation]) -> Select[Affiliation]:
    return query.with_for_update().execution_options(populate_existing=True)


def own_row(tx: Session, *, subject_id: str, registry: str, practice_id: UUID) -> Affiliation | None:
    """The person's row that the index counts, locked."""
    query = _at(subject_id, registry, practice_id).where(Affiliation.status != AffiliationStatus.ENDED.value)
    return tx.scalars(_locked(query)).one_or_none()


def was_decided_here(tx: Session, *, subject_id: str, registry: str, practice_id: UUID) -> bool:
    """Whether the last access to it was ended by anybody but a source that withdrew what it had said."""
    query = _at(subject_id, registry, practice_id).where(Affiliation.status == AffiliationStatus.ENDED.value)
    last = tx.scalars(query.order_by(Affiliation.ended_at.desc(), Affiliation.id.desc()).limit(1)).one_or_none()
    return last is not None and not any((proof.source or {}).get("withdrawn_at") for proof in last.evidence)


def _at(subject_id: str, registry: str, practice_id: UUID) -> Select[Affiliation]:
    return select(Affiliation).where(
        Affiliation.subject_id == subject_id,
        Affiliation.registry_name == registry,
        Affiliation.target_kind == TargetKind.PRACTICE.value,
        Affiliation.target_id == practice_id,
    )


def own_of(tx: Session, row: Affiliation, source: Source, *, now: datetime) -> Own | None:
    """The row as the rule reads it; one that lapsed by the source's own date alone counts as it was before that."""
    pointed = target_of(tx, row, on=now.date())
    if pointed is None:
        return None
    held = held_of(row, pointed)
    if lapses(row):
        held = replace(held, ends_at=None)
    status = status_at(held, now=now, dormancy=house.get(Settings).dormancy)
    return Own(
        status,
        rests_elsewhere=any(not source.gave(proof) for proof in row.evidence),
        levels={portal: frozenset(keys) for portal, keys in held.levels.items()},
        account_manager=row.account_manager,
        given={proof.portal: _given(proof) for proof in row.evidence if source.gave(proof)},
    )


def lapses(row: Affiliation) -> bool:
    """Whether the day it ends is one that a source set: it goes when a proof that lasts is added."""
    until = {(proof.source or {}).get("until") for proof in row.evidence}
    return row.ends_at is not None and row.ends_at.isoformat() in until


def _given(proof: AffiliationEvidence) -> Given:
    said: Mapping[str, Any] = proof.source or {}
    return Given(frozenset(said.get("levels", ())), Evidence(proof.kind), bool(said.get("marked")))


def cap_of(portal: str) -> Cap | None:
    """What may be given at a portal today; `None` where it is gone, or acts for no practice."""
    party = relying_parties.find(portal)
    terms = affiliations.terms_of(party) if party is not None and party.portal is not None else None
    if party is None or terms is None or not party.enabled or not serves(TargetKind.PRACTICE, terms):
        return None
    levels = frozenset(level.key for level in party.manifest.levels if not level.manages)
    return Cap(levels, terms.accepts, terms.accepts_for_manager)


def registry_of(portal: str) -> str | None:
    """The registry of a portal."""
    party = relying_parties.find(portal)
    return party.portal.registry if party is not None and party.portal is not None else None
