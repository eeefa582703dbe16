"""Hears of engagements that the roster ended: the managers of both sides are told, as when a manager ends one (MODEL §2)."""

from collections.abc import Sequence
from datetime import datetime

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
    """Whoever still works for a practice by its manager's word goes on, and nobody is told otherwise."""
    for change in changes:
        if change.what is not What.ENGAGEMENT_ENDED or change.partner_id is None or change.practice_id is None:
            continue
        rows = facts.rows_of(tx, partner_id=change.partner_id, practice_id=change.practice_id)
        holds = facts.agreed(rows, today=now.date())
        if holds is None or holds.stands(now.date()) is Stands.ENDED:
            registry = change.registry
            practice = point_at(tx, registry=registry, kind=TargetKind.PRACTICE, target_id=change.practice_id, now=now)
            partner = point_at(
                tx, registry=registry, kind=TargetKind.TRADING_PARTNER, target_id=change.partner_id, now=now
            )
            if practice is not None and partner is not None:
                context = {"target": practice.name, "partner": partner.name, "happened": "delisted"}
                for side in (practice, partner):
                    _tell(tx, side, context, now=now)


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
