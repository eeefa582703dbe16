"""Who is cut off by the roster, or may act again, hears of it, and a practice's managers once for all of their providers' people."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.managers.facts import managers_of, point_at
from idp.affiliations.models import HeldLevel
from idp.foundation import house
from idp.foundation.database import see_as
from idp.relying_parties import service as relying_parties
from idp.sessions.notices import Told, notify_all
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.rules import Status
from idp.vocabulary.affiliation import TargetKind

_MANY: Final = 500
SUSPENDED: Final = ("access_suspended", "people_suspended")
RESTORED: Final = ("access_restored", "people_restored")
"""What each is told, and what the managers are."""
_levels: Table = HeldLevel.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class CutOff:
    """An active affiliation that reads suspended from now on, or no longer does."""

    id: UUID
    subject_id: str
    registry: str
    kind: TargetKind
    target_id: UUID


def tell(
    tx: Session,
    people: Sequence[CutOff],
    practices: Mapping[UUID, tuple[UUID, str]],
    *,
    now: datetime,
    notices: tuple[str, str] = SUSPENDED,
) -> None:
    """Owe all of a batch's messages in one statement; `practices` names those of the records concerned."""
    if people:
        each, managers = notices
        to_managers = _to_managers(tx, people, practices, now=now, notice=managers)
        notify_all(tx, [*_to_each(tx, people, now=now, notice=each), *to_managers], now=now)
        see_as(tx, everything=True)


def _to_each(tx: Session, people: Sequence[CutOff], *, now: datetime, notice: str) -> Iterator[Told]:
    portals, names = _portals(tx, people), _Names(tx, now)
    for each in people:
        subject = subjects.by_id(tx, subject_id=each.subject_id)
        portal = portals.get(each.id)
        if subject is None or subject.status is Status.DISABLED:
            continue
        context = {
            "target": names.of(each.registry, each.kind, each.target_id),
            "url": f"{house.get(Settings).issuer}/account/access",
        }
        yield Told(notice, subject, relying_parties.find(portal) if portal is not None else None, context)


def _to_managers(
    tx: Session, people: Sequence[CutOff], practices: Mapping[UUID, tuple[UUID, str]], *, now: datetime, notice: str
) -> Iterator[Told]:
    concerned: defaultdict[tuple[UUID, str], set[str]] = defaultdict(set)
    for each in people:
        if each.kind is TargetKind.PROVIDER and each.target_id in practices:
            concerned[practices[each.target_id]].add(each.subject_id)
    portals = [party for party in relying_parties.every().values() if party.portal is not None and party.enabled]
    for (practice, registry), who in concerned.items():
        target = point_at(tx, registry=registry, kind=TargetKind.PRACTICE, target_id=practice, now=now)
        told: set[str] = set()
        for party in portals:
            terms = affiliations.terms_of(party)
            if target is None or terms is None or terms.registry != registry:
                continue
            for manager in managers_of(tx, target=target, terms=terms, now=now, dormancy=house.get(Settings).dormancy):
                if manager.subject.id not in told:
                    told.add(manager.subject.id)
                    context = {
                        "target": target.name, "people": len(who), "url": f"{house.get(Settings).issuer}/manage/",
                    }  # fmt: skip
                    yield Told(notice, manager.subject, party, context)


def _portals(tx: Session, people: Sequence[CutOff]) -> dict[UUID, str]:
    """In whose name each is written to: the first portal where they hold a level."""
    found: dict[UUID, str] = {}
    for start in range(0, len(people), _MANY):
        query = (
            select(_levels.c.affiliation_id, func.min(_levels.c.portal))
            .where(_levels.c.affiliation_id.in_([each.id for each in people[start : start + _MANY]]))
            .group_by(_levels.c.affiliation_id)
        )
        found.update((row[0], row[1]) for row in tx.execute(query))
    return found


class _Names:
    """Of targets, each read once."""

    def __init__(self, tx: Session, now: datetime) -> None:
        self._tx, self._now = tx, now
        self._known: dict[UUID, str] = {}

    def of(self, registry: str, kind: TargetKind, identity: UUID) -> str:
        if identity not in self._known:
            target = point_at(self._tx, registry=registry, kind=kind, target_id=identity, now=self._now)
            self._known[identity] = target.name if target is not None else ""
        return self._known[identity]
