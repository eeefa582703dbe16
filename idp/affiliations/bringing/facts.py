"""What a person holds in other registries, and the same targets in a portal's own registry."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.bringing.rules import Given, Here, Own, There
from idp.affiliations.facts import held_of, target_of
from idp.affiliations.managers.facts import Manager, Pointed, managers_of, point_at
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.affiliations.rules import Held, PortalTerms, accepted, status_at
from idp.directory import facts as directory
from idp.foundation import house
from idp.foundation.database import see_as
from idp.settings import Settings
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence


def theirs(tx: Session, *, subject_id: str, terms: PortalTerms, now: datetime) -> tuple[Held, ...]:
    """The person's affiliations in the registries that the portal names."""
    every = affiliations.held(tx, subject_id=subject_id, now=now) if terms.accepts_evidence_from else ()
    return tuple(held for held in every if held.registry in terms.accepts_evidence_from)


def there(tx: Session, held: Held) -> There:
    """With the proofs that were given in that registry itself."""
    proofs = select(AffiliationEvidence).where(
        AffiliationEvidence.affiliation_id == held.id, AffiliationEvidence.from_registry.is_(None)
    )
    return There(held, tuple(Given(Evidence(row.kind), row.portal, row.at) for row in tx.scalars(proofs)))


def same_here(tx: Session, held: Held, *, terms: PortalTerms, now: datetime) -> Iterator[tuple[Pointed, str | None]]:
    """Records of the portal's registry with the same numbers, and a provider's NPI; the rule judges them."""
    if held.target.kind is TargetKind.PRACTICE:
        found = point_at(tx, registry=terms.registry, kind=TargetKind.PRACTICE, target_id=held.target.id, now=now)
        if found is not None:
            yield found, None
    elif held.target.kind is TargetKind.PROVIDER and held.target.providers:
        table = directory.provider
        number = held.target.providers[0].npi
        for each in directory.providers(
            tx,
            table.c.npi == number,
            table.c.registry == terms.registry,
            table.c.practice_id == held.target.practice_id,
        ):
            pointed = point_at(tx, registry=terms.registry, kind=TargetKind.PROVIDER, target_id=each.id, now=now)
            if pointed is not None:
                yield pointed, each.npi


def here(
    tx: Session, pointed: Pointed, npi: str | None, *, subject_id: str, terms: PortalTerms, now: datetime
) -> tuple[Here, tuple[Manager, ...]]:
    """How the target stands here, and who manages it; the row fence is open for the person and the target."""
    dormancy = house.get(Settings).dormancy
    managers = managers_of(tx, target=pointed, terms=terms, now=now, dormancy=dormancy, but=subject_id)
    see_as(tx, subject_id=subject_id, target_id=pointed.id)
    row = own_row(tx, pointed, subject_id=subject_id)
    stands = Here(
        registry=pointed.registry,
        kind=pointed.kind,
        id=pointed.id,
        practice_id=pointed.practice_id,
        npi=npi,
        in_force=pointed.in_force,
        managed=bool(managers),
        moved_at=pointed.moved_at,
        own=None if row is None else _own(tx, row, terms=terms, now=now),
    )
    return stands, managers


def own_row(tx: Session, pointed: Pointed, *, subject_id: str) -> Affiliation | None:
    """The person's live row for the target, else the last one that ended."""
    rows = tx.scalars(
        select(Affiliation)
        .where(
            Affiliation.subject_id == subject_id,
            Affiliation.registry_name == pointed.registry,
            Affiliation.target_kind == pointed.kind.value,
            Affiliation.target_id == pointed.id,
        )
        .order_by(Affiliation.created_at.desc())
        .execution_options(populate_existing=True)
    ).all()
    live = (row for row in rows if row.status != AffiliationStatus.ENDED)
    return next(live, rows[0] if rows else None)


def _own(tx: Session, row: Affiliation, *, terms: PortalTerms, now: datetime) -> Own:
    target = target_of(tx, row, on=now.date())
    if target is None:
        return Own(AffiliationStatus.ENDED)
    held = held_of(row, target)
    status = status_at(held, now=now, dormancy=house.get(Settings).dormancy)
    started = status if now >= held.starts_at else AffiliationStatus.UNVERIFIED
    return Own(started, accepted(held, terms), held.levels)
