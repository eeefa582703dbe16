"""Hears of engagements that the roster ended: the managers of both sides are told, as when a manager ends one (MODEL §2)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.engagements import facts
from idp.affiliations.engagements.rules import Stands
from idp.affiliations.managers.facts import Pointed, managers_of, point_at
from idp.affiliations.managers.telling import tell_managers
from idp.directory.changed import DirectoryChange, What
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.vocabulary.affiliation import TargetKind


def hear(tx: Session, changes: Sequence[DirectoryChange], *, actor: str, now: datetime, origin: Origin) -> None:
    """Whoever still works for a practice by its manager's word goes on, and nobody is told otherwise.

    Of a trading partner that ends, the managers of every practice that it works for are told; its own people are by the roster.
    """
    for change in changes:
        if change.what is What.ENGAGEMENT_ENDED and change.partner_id is not None and change.practice_id is not None:
            _ended(tx, change.registry, change.partner_id, change.practice_id, now=now)
        elif change.what is What.PARTNER_ENDED and change.partner_id is not None:
            _left(tx, change.registry, change.partner_id, now=now)


def _ended(tx: Session, registry: str, partner_id: UUID, practice_id: UUID, *, now: datetime) -> None:
    holds = facts.agreed(facts.rows_of(tx, partner_id=partner_id, practice_id=practice_id), today=now.date())
    if holds is not None and holds.stands(now.date()) is not Stands.ENDED:
        return
    practice = point_at(tx, registry=registry, kind=TargetKind.PRACTICE, target_id=practice_id, now=now)
    partner = point_at(tx, registry=registry, kind=TargetKind.TRADING_PARTNER, target_id=partner_id, now=now)
    if practice is not None and partner is not None:
        context = {"target": practice.name, "partner": partner.name, "happened": "delisted"}
        for side in (practice, partner):
            _tell(tx, side, context, now=now)


def _left(tx: Session, registry: str, partner_id: UUID, *, now: datetime) -> None:
    partner = point_at(tx, registry=registry, kind=TargetKind.TRADING_PARTNER, target_id=partner_id, now=now)
    for practice_id in facts.managed_by_others(tx, partner_id=partner_id, registry=registry, today=now.date()):
        practice = point_at(tx, registry=registry, kind=TargetKind.PRACTICE, target_id=practice_id, now=now)
        if practice is not None and partner is not None:
            _tell(tx, practice, {"target": practice.name, "partner": partner.name, "happened": "left"}, now=now)


def _tell(tx: Session, side: Pointed, context: dict[str, str], *, now: datetime) -> None:
    """Each of one side's managers once, in the name of the first portal where they manage."""
    told: set[str] = set()
    for party in relying_parties.every().values():
        terms = affiliations.terms_of(party)
        if not party.enabled or terms is None or terms.registry != side.registry:
            continue
        found = managers_of(tx, target=side, terms=terms, now=now, dormancy=house.get(Settings).dormancy)
        fresh = [each for each in found if each.subject.id not in told]
        told |= {each.subject.id for each in fresh}
        tell_managers(tx, fresh, notice="engagement", party=party, context=context, now=now)
