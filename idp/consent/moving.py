"""Agreements and consents of an account that becomes part of another one."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session, aliased

from idp.consent.models import AgreementAcceptance, Consent


def accepted_only_by(tx: Session, *, from_id: str, to_id: str) -> int:
    """How many acceptances the one person has that the other has not."""
    query = select(func.count()).select_from(AgreementAcceptance).where(*_only(from_id, to_id))
    return tx.execute(query).scalar_one()


def consented_by(tx: Session, *, subject_id: str) -> list[str]:
    """`client_id` of every app that a person lets see something, by name."""
    query = select(Consent.client_id).where(Consent.subject_id == subject_id, Consent.revoked_at.is_(None)).distinct()
    return sorted(tx.scalars(query))


def move(tx: Session, *, from_id: str, to_id: str, ended: Collection[UUID], now: datetime) -> None:
    """What was accepted and released goes over; a consent for an affiliation that ends is taken back."""
    tx.execute(update(AgreementAcceptance).where(*_only(from_id, to_id)).values(subject_id=to_id))
    stands = Consent.revoked_at.is_(None)
    if ended:
        gone = update(Consent).where(Consent.affiliation_id.in_(ended), stands)
        tx.execute(gone.values(revoked_at=now))
    tx.execute(update(Consent).where(Consent.subject_id == from_id, stands).values(subject_id=to_id))


def _only(from_id: str, to_id: str) -> tuple[ColumnElement[bool], ...]:
    other = aliased(AgreementAcceptance)
    same = (
        select(other.id)
        .where(
            other.subject_id == to_id,
            other.client_id == AgreementAcceptance.client_id,
            other.kind == AgreementAcceptance.kind,
            other.version == AgreementAcceptance.version,
        )
        .exists()
    )
    return AgreementAcceptance.subject_id == from_id, ~same
