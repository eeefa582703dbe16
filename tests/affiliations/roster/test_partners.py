"""The roster of trading partners changes: who acted for one is cut off and told, and an engagement's end is nobody's surprise."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.directory.models import Engagement, Practice, Provider, TradingPartner
from idp.foundation.database import new_id, reading, see_as, writing
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from tests.directory.files import GROUP, PARTNER, PRACTITIONER, taken
from tests.factories import Make

pytestmark = pytest.mark.both

OTHER = PARTNER | {"trading_partner_id": "TP000002", "organization_name": "Harbor Claims", "tins_represented": ""}


@pytest.fixture(autouse=True)
def roster(app: object, now: datetime) -> None:
    taken([GROUP, PRACTITIONER], now=now)
    taken([PARTNER, OTHER], "trading-partners", now=now)


def partner() -> TradingPartner:
    with reading() as tx:
        query = select(TradingPartner).where(TradingPartner.trading_partner_id == "TP000001")
        return tx.execute(query).scalar_one()


def practice() -> Practice:
    with reading() as tx:
        query = select(Provider.practice_id).where(Provider.provider_id == "123456789")
        return tx.get_one(Practice, tx.execute(query).scalar_one())


def events(kind: str) -> list[AuditEvent]:
    with reading() as tx:
        return list(tx.scalars(select(AuditEvent).where(AuditEvent.type == kind).order_by(AuditEvent.at)))


def told(make: Make) -> list[tuple[str, str | None]]:
    owed = [messaging.opened(row) for row in make.rows(OutboxMessage)]
    return sorted((each.notice, each.payload.recipient.email) for each in owed)


def test_MODEL_10_a_partner_that_left_a_full_file_is_audited_and_its_people_are_cut_off_and_told(
    make: Make, now: datetime
):
    its = make.affiliation(make.subject("anna.abel"), partner(), registry="ozark")
    taken([OTHER], "trading-partners", now=now + timedelta(days=1), full=lambda *_: True)
    with reading() as tx:
        see_as(tx, everything=True)
        assert tx.get_one(Affiliation, its.id).epoch == 2
    assert told(make) == [("access_suspended", "anna.abel@mail.test")]
    (ended,) = events("trading_partner_changed")
    assert (ended.outcome, ended.target_id, ended.details["number"]) == (
        "partner_ended", str(partner().id), "TP000001",
    )  # fmt: skip
    assert [each.details["roster"] for each in events("affiliation_changed")] == ["partner_ended"]
    for _ in range(2):
        taken([PARTNER], "trading-partners", now=now + timedelta(days=2))
    assert [each.outcome for each in events("trading_partner_changed")] == ["partner_ended", "partner_restored"]
    assert told(make) == [("access_restored", "anna.abel@mail.test"), ("access_suspended", "anna.abel@mail.test")]


@pytest.mark.parametrize("still", [False, True], ids=["the roster's alone", "the manager's too"])
def test_MODEL_2_an_engagement_that_the_roster_ends_is_audited_and_told_to_both_sides(
    make: Make, now: datetime, still: bool
):
    kinds = ["practice", "trading_partner"]
    make.client("ozark-secure", portal={"registry": "ozark", "acting_for": kinds})
    shared: dict[str, Any] = {
        "registry": "ozark", "account_manager": True, "portal": "ozark-secure", "evidence": "payer",
    }  # fmt: skip
    make.affiliation(make.subject("head.helen"), practice(), **shared)
    make.affiliation(make.subject("paul.park"), partner(), **shared)
    if still:
        _engage_by_hand(practice().id, partner().id, now)
    for _ in range(2):
        taken([PARTNER | {"tins_represented": "079990001"}], "trading-partners", now=now + timedelta(days=1))
    (event,) = events("engagement_changed")
    assert (event.target_id, event.details["partner"], event.details["source"]) == (
        str(practice().id), "TP000001", "roster",
    )  # fmt: skip
    both = [("engagement", "head.helen@mail.test"), ("engagement", "paul.park@mail.test")]
    assert told(make) == ([] if still else both)


def _engage_by_hand(practice_id: UUID, partner_id: UUID, now: datetime) -> None:
    with writing() as tx:
        tx.add(
            Engagement(
                id=new_id(), trading_partner_id=partner_id, practice_id=practice_id, source="manager",
                starts_on=now.date(),
            )
        )  # fmt: skip
