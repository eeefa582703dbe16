"""How things stand when a proof is brought: the target, who manages it, what the person has already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.facts import held_of, target_of
from idp.affiliations.managers.facts import Manager, Pointed, managers_of, point_at
from idp.affiliations.models import Affiliation
from idp.affiliations.registering.rules import Claim, Own
from idp.affiliations.rules import PortalTerms, status_at
from idp.foundation import house
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody proved at a portal about a target of its registry."""

    kind: TargetKind
    target_id: UUID
    evidence: Evidence
    pin_digest: bytes | None = field(default=None, repr=False)
    """Of the letter's PIN (`pins.check_pin`); a letter's proof has one, no other has."""
    proven_at: datetime | None = None
    """When it was compared with the directory: a record that moved to another TIN since is proven no more."""
    reason: str = ""
    """What a request says, should it become one."""
    source: Mapping[str, Any] | None = None
    """Where somebody else proved it: connection, issuer, subject, claims (`idp.federation`)."""
    may_manage: bool = True

    def __post_init__(self) -> None:
        if (self.evidence is Evidence.LETTER) != (self.pin_digest is not None):
            raise ValueError("a letter is proven by its PIN, and nothing else is")


@dataclass(frozen=True, slots=True)
class Case:
    """Who brings which proof to which portal, when and from where."""

    subject_id: str | None
    party: RelyingParty
    terms: PortalTerms
    proof: Proof
    now: datetime
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rule judges, and the rows behind it."""

    claim: Claim
    target: Pointed
    managers: tuple[Manager, ...]
    row: Affiliation | None
    """The person's row that the index counts, ended by its date or not."""
    known: frozenset[tuple[str, str]] = frozenset()
    """Kind and portal of every evidence on that row before anything is written."""


def case_of(
    subject_id: str | None, party: RelyingParty, proof: Proof, *, now: datetime, origin: Origin | None = None
) -> Case:
    """The case; a proof is brought to a portal, never to another client."""
    terms = affiliations.terms_of(party)
    if party.portal is None or terms is None:
        raise ValueError("people register at portals")
    return Case(subject_id, party, terms, proof, now, origin)


def target(tx: Session, case: Case) -> Pointed | None:
    """The target as the roster has it now."""
    return point_at(
        tx, registry=case.terms.registry, kind=case.proof.kind, target_id=case.proof.target_id, now=case.now
    )


def standing(tx: Session, case: Case, pointed: Pointed, *, lock: bool = False) -> Standing:
    """Everything that the rule asks; the row fence is open for the person and the target when it returns."""
    dormancy = house.get(Settings).dormancy
    managers = managers_of(tx, target=pointed, terms=case.terms, now=case.now, dormancy=dormancy, but=case.subject_id)
    see_as(tx, subject_id=case.subject_id, target_id=pointed.id)
    row = None if case.subject_id is None else _row(tx, case.subject_id, pointed, lock=lock)
    proven_at = case.proof.proven_at or case.now
    claim = Claim(
        evidence=case.proof.evidence,
        terms=case.terms,
        registry=pointed.registry,
        kind=pointed.kind,
        in_force=pointed.in_force,
        managed=bool(managers),
        moved=pointed.moved_at is not None and pointed.moved_at > proven_at,
        own=None if row is None else _own(tx, row, now=case.now),
        may_manage=case.proof.may_manage,
    )
    known = frozenset() if claim.own is None or row is None else {(each.kind, each.portal) for each in row.evidence}
    return Standing(claim, pointed, managers, row, frozenset(known))


def _row(tx: Session, subject_id: str, pointed: Pointed, *, lock: bool) -> Affiliation | None:
    query = select(Affiliation).where(
        Affiliation.subject_id == subject_id,
        Affiliation.registry_name == pointed.registry,
        Affiliation.target_kind == pointed.kind.value,
        Affiliation.target_id == pointed.id,
        Affiliation.status != AffiliationStatus.ENDED.value,
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return tx.scalars(query).one_or_none()


def _own(tx: Session, row: Affiliation, *, now: datetime) -> Own | None:
    pointed = target_of(tx, row, on=now.date())
    if pointed is None:
        return None
    held = held_of(row, pointed)
    status = status_at(held, now=now, dormancy=house.get(Settings).dormancy)
    if status is AffiliationStatus.ENDED:
        return None
    return Own(status, held.evidence, held.account_manager)
