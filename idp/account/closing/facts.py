"""What an account's end would leave without a manager (MODEL §7: the last one may not leave by hand)."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.account.closing.rules import Depends
from idp.affiliations import service as affiliations
from idp.affiliations.managers.facts import Pointed, lock, managers_of, point_at
from idp.affiliations.models import Affiliation
from idp.affiliations.rules import Held, manages_at
from idp.foundation import house
from idp.foundation.database import see_as
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.subjects.models import Subject
from idp.subjects.rules import Status

NAMED: Final = 10
"""Colleagues who are named for one target."""


def depending(tx: Session, *, subject_id: str, now: datetime, locked: bool = False) -> tuple[Depends, ...]:
    """Every target and portal where the person is the only manager now; `locked` for the transaction that acts on it.

    Targets are locked in one order, before any person (EN-17, RA-06).
    """
    managed = [each for each in affiliations.held(tx, subject_id=subject_id, now=now) if each.account_manager]
    found = []
    for held in sorted(managed, key=_lock_order):
        target = point_at(tx, registry=held.registry, kind=held.target.kind, target_id=held.target.id, now=now)
        if target is None:
            continue
        if locked:
            lock(tx, target)
        found += _alone_at(tx, subject_id, held, target, now=now)
    see_as(tx, subject_id=subject_id)
    return tuple(found)


def _lock_order(held: Held) -> str:
    return str(held.target.practice_id or held.target.id)


def _alone_at(tx: Session, subject_id: str, held: Held, target: Pointed, *, now: datetime) -> list[Depends]:
    dormancy = house.get(Settings).dormancy
    for party in relying_parties.every().values():
        terms = affiliations.terms_of(party) if party.portal is not None else None
        if terms is None or not manages_at(held, terms=terms, now=now, dormancy=dormancy):
            continue
        if not managers_of(tx, target=target, terms=terms, now=now, dormancy=dormancy, but=subject_id):
            return [Depends(target.name, party.manifest.name, _colleagues(tx, target, but=subject_id))]
    return []


def _colleagues(tx: Session, target: Pointed, *, but: str) -> tuple[str, ...]:
    """Active people of the target, by name."""
    see_as(tx, target_id=target.id)
    rows = tx.execute(
        select(Subject.given_name, Subject.family_name, Subject.user_id)
        .join(Affiliation, Affiliation.subject_id == Subject.id)
        .where(
            Affiliation.target_id == target.id,
            Affiliation.registry_name == target.registry,
            Affiliation.status == "active",
            Subject.id != but,
            Subject.status == Status.ACTIVE.value,
        )
        .order_by(Subject.family_name, Subject.given_name)
        .limit(NAMED)
    )
    names = (" ".join(part for part in row[:2] if part) or row.user_id or "" for row in rows)
    return tuple(dict.fromkeys(name for name in names if name))
