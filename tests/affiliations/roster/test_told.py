"""Who was told of a suspension before affiliations said so themselves is read off the audit once."""

import importlib
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from idp.affiliations.models import Affiliation
from idp.directory.models import Provider
from idp.foundation.database import reading, see_as, writing
from tests.directory.files import MEMBER, PRACTITIONER, taken
from tests.factories import Make

pytestmark = pytest.mark.both
ENDED = {"status": "terminated", "end_date": "2026-02-15"}


def test_only_those_whose_last_word_was_a_suspension_count_as_told(make: Make, now: datetime):
    rows = [PRACTITIONER, MEMBER]
    taken(rows, now=now)
    with reading() as tx:
        found = tx.scalars(select(Provider).order_by(Provider.provider_id)).all()
    held = [make.affiliation(make.subject(), each, registry="ozark") for each in found]
    taken([each | ENDED for each in rows], now=now + timedelta(days=1))
    taken([MEMBER], now=now + timedelta(days=2))
    as_today = _told()
    assert as_today == {held[0].id: now + timedelta(days=1), held[1].id: None}
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).values(roster_told_at=None))
        migration = importlib.import_module("idp.migrations.versions.told_by_roster")
        migration.fill(tx.connection(), migration.last_told(tx.connection()))
    assert _told() == as_today


def _told() -> dict[object, datetime | None]:
    with reading() as tx:
        see_as(tx, everything=True)
        return {row.id: row.roster_told_at for row in tx.execute(select(Affiliation.id, Affiliation.roster_told_at))}
