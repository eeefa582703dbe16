"""Writing to those who do not use their access, and disabling it for good where reading says so already (E6)."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.dormancy.rules import WARNED_BEFORE, ends_at, unused_since, warnings_due
from idp.affiliations.facts import target_of
from idp.affiliations.models import Affiliation
from idp.foundation import house
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus


def disable_dormant(tx: Session, *, now: datetime, batch: int) -> int:
    """Disable a batch of unused affiliations; says how many. Their portals are called, their people written to."""
    query = select(Affiliation.id).where(*_unused(now - _dormancy(), now=now)).limit(batch)
    found = tx.scalars(query.with_for_update(skip_locked=True)).all()
    for identity in found:
        affiliations.change_status(
            tx,
            affiliation_id=identity,
            status=AffiliationStatus.DISABLED,
            now=now,
            actor="system",
            origin=Origin.local("worker"),
            disabled_by="dormant",
        )
    return len(found)


def warn(tx: Session, *, now: datetime, batch: int) -> int:
    """Write to a batch of people whose access will end if they do not use it; says how many rows were looked at."""
    done = 0
    for number in range(len(WARNED_BEFORE), 0, -1):
        since = unused_since(number, now=now, dormancy=_dormancy())
        query = select(Affiliation).where(*_unused(since, now=now), Affiliation.warned < number).limit(batch - done)
        rows = tx.scalars(query.with_for_update(skip_locked=True)).all()
        for row in rows:
            _warn(tx, row, now=now)
        done += len(rows)
    return done


def _warn(tx: Session, row: Affiliation, *, now: datetime) -> None:
    uses = [moment for moment in (row.activated_at, row.last_used_at) if moment is not None]
    used_at = max(uses)
    row.warned = warnings_due(used_at, now=now, dormancy=_dormancy())
    end = ends_at(used_at, dormancy=_dormancy())
    subject, target = subjects.by_id(tx, subject_id=row.subject_id), target_of(tx, row, on=now.date())
    see_as(tx, everything=True)
    if subject is None or target is None or not target.in_force or now >= end:
        return
    portal = next(iter(sorted({held.portal for held in row.levels})), None)
    party = relying_parties.find(portal) if portal is not None else None
    notices.notify(
        tx,
        notice="access_unused",
        subject=subject,
        party=party,
        context={
            "target": target.name,
            "ends": end,
            "url": party.absolute(party.registration.initiate_login_uri or "/")
            if party is not None
            else f"{house.get(Settings).issuer}/account/access",
        },
        now=now,
    )


def _unused(since: datetime, *, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Active, last used (or made active) at `since` or before: two ranges, each on its partial index."""
    table = Affiliation
    never = and_(table.last_used_at.is_(None), table.activated_at <= since)
    once = and_(table.last_used_at <= since, or_(table.activated_at.is_(None), table.activated_at <= since))
    return (
        table.status == AffiliationStatus.ACTIVE.value,
        or_(table.ends_at.is_(None), table.ends_at > now),
        or_(never, once),
    )


def _dormancy() -> timedelta:
    return house.get(Settings).dormancy
