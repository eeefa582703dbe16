"""Who gave a person their access, on what evidence, and who manages it: for their own pages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.account.facts import OwnAccess
from idp.affiliations import service as affiliations
from idp.affiliations.managers.facts import managers_of, point_at
from idp.affiliations.models import AffiliationEvidence, HeldLevel
from idp.federation import links as upstream
from idp.foundation import house
from idp.foundation.database import see_as
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence

LOOKED_AT: Final = 50
"""Accesses whose managers are looked up for one page."""


@dataclass(frozen=True, slots=True)
class Given:
    """One proof or one level: where, when, and whose act it was, if it was another person's."""

    what: str
    portal: str
    portal_name: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class Basis:
    """What one access rests on."""

    evidence: tuple[Given, ...]
    levels: tuple[Given, ...]

    def words(self) -> tuple[tuple[Evidence, Given], ...]:
        """The proofs with their kind, oldest first."""
        return tuple((Evidence(each.what), each) for each in self.evidence)


def given(tx: Session, ids: Collection[UUID], *, subject_id: str) -> dict[UUID, Basis]:
    """By access, in four statements whatever their number."""
    see_as(tx, subject_id=subject_id)
    proofs = tx.scalars(
        select(AffiliationEvidence)
        .where(AffiliationEvidence.affiliation_id.in_(ids))
        .order_by(AffiliationEvidence.at, AffiliationEvidence.kind)
    ).all()
    levels = tx.scalars(
        select(HeldLevel).where(HeldLevel.affiliation_id.in_(ids)).order_by(HeldLevel.portal, HeldLevel.level)
    ).all()
    givers = {proof.by for proof in proofs} | {level.by for level in levels}
    names = _names(tx, [each for each in givers if each and each != subject_id])
    names |= {f"connection:{each}": upstream.name_of(tx, each) for each in {row.connection for row in proofs} if each}
    return {
        each: Basis(
            tuple(
                Given(row.kind, row.portal, _portal(row.portal), row.at, names.get(_giver(row)))
                for row in proofs
                if row.affiliation_id == each
            ),
            tuple(
                Given(row.level, row.portal, _portal(row.portal), row.at, names.get(row.by or ""))
                for row in levels
                if row.affiliation_id == each
            ),
        )
        for each in ids
    }


def _giver(proof: AffiliationEvidence) -> str:
    """Whose word it was: what a ceremony took over from elsewhere is that provider's, though its person brought it."""
    return f"connection:{proof.connection}" if proof.connection is not None else proof.by or ""


def managers(
    tx: Session, access: Sequence[OwnAccess], *, subject_id: str, now: datetime
) -> dict[UUID, tuple[str, ...]]:
    """By access, the other people who manage it at a portal that serves it, who acted last first.

    Only where the access is active: who merely claimed a number learns nobody's name by it (EN-06).
    """
    dormancy = house.get(Settings).dormancy
    found: dict[UUID, tuple[str, ...]] = {}
    for one in [each for each in access if each.status is AffiliationStatus.ACTIVE][:LOOKED_AT]:
        held = one.held
        target = point_at(tx, registry=held.registry, kind=held.target.kind, target_id=held.target.id, now=now)
        names: dict[str, None] = {}
        for at in one.portals:
            terms = affiliations.terms_of(at.party)
            if target is None or terms is None:
                continue
            every = managers_of(tx, target=target, terms=terms, now=now, dormancy=dormancy, but=subject_id)
            names |= dict.fromkeys(manager.subject.name for manager in every if manager.subject.name)
        found[held.id] = tuple(names)
    see_as(tx, subject_id=subject_id)
    return found


def _names(tx: Session, ids: Collection[str]) -> dict[str, str]:
    rows = tx.execute(
        select(Subject.id, Subject.display_name, Subject.given_name, Subject.family_name).where(Subject.id.in_(ids))
    )
    return {row.id: row.display_name or " ".join(part for part in row[2:] if part) for row in rows}


def _portal(client_id: str) -> str:
    party = relying_parties.find(client_id)
    return party.manifest.name if party is not None else client_id
