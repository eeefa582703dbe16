"""The roster of trading partners changes: who acted for one is cut off and told, and an engagement's end is nobody's surprise."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from idp.affiliations.managers.facts import managers_of, point_at
from idp.affiliations.models import Affiliation
from idp.affiliations.service import terms_of
from idp.audit.models import AuditEvent
from idp.directory.models import Engagement, Practice, Provider, TradingPartner
from idp.foundation.database import new_id, reading, see_as, writing
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.relying_parties import service as relying_parties
from idp.vocabulary.affiliation import TargetKind
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


def record(number: str) -> Provider:
    with reading() as tx:
        return tx.execute(select(Provider).where(Provider.provider_id == number)).scalar_one()


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


def test_MODEL_10_of_a_partner_that_ends_the_managers_of_its_practices_are_told_once(make: Make, now: datetime):
    make.affiliation(make.subject("head.helen"), practice(), **_managed(make, "practice"))
    _engage_by_hand(practice().id, partner().id, now)
    for day in (1, 2):
        taken([OTHER], "trading-partners", now=now + timedelta(days=day), full=lambda *_: True)
    assert told(make) == [("engagement", "head.helen@mail.test")]
    (owed,) = [messaging.opened(row) for row in make.rows(OutboxMessage)]
    its = owed.payload.context
    assert (its["happened"], its["partner"], its["target"]) == ("left", "Lantern Billing", practice().name)
    assert [each.outcome for each in events("trading_partner_changed")] == ["partner_ended"]


@pytest.mark.parametrize("day", [0, 1], ids=["passed on", "passes on tomorrow"])
def test_MODEL_10_nobody_manages_the_records_of_a_number_that_has_passed_on(make: Make, now: datetime, day: int):
    make.affiliation(make.subject("head.helen"), practice(), **_managed(make, "practice", "provider"))
    with writing() as tx:
        tx.get_one(Practice, practice().id).passes_on = now.date() + timedelta(days=day)
    party = relying_parties.find("ozark-secure")
    terms = terms_of(party) if party is not None else None
    assert terms is not None
    for kind, identity in ((TargetKind.PRACTICE, practice().id), (TargetKind.PROVIDER, record("123456789").id)):
        with reading() as tx:
            target = point_at(tx, registry="ozark", kind=kind, target_id=identity, now=now)
            assert target is not None
            found = managers_of(tx, target=target, terms=terms, now=now, dormancy=timedelta(days=90))
            assert [each.subject.user_id for each in found] == (["head.helen"] if day else []), kind


@pytest.mark.parametrize("still", [False, True], ids=["the roster's alone", "the manager's too"])
def test_MODEL_2_an_engagement_that_the_roster_ends_is_audited_and_told_to_both_sides(
    make: Make, now: datetime, still: bool
):
    shared = _managed(make, "practice", "trading_partner")
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


def _managed(make: Make, *kinds: str) -> dict[str, Any]:
    """At a portal of these kinds: what makes an affiliation its manager's."""
    make.client("ozark-secure", portal={"registry": "ozark", "acting_for": list(kinds)})
    return {"registry": "ozark", "account_manager": True, "portal": "ozark-secure", "evidence": "payer"}


def _engage_by_hand(practice_id: UUID, partner_id: UUID, now: datetime) -> None:
    with writing() as tx:
        tx.add(
            Engagement(
                id=new_id(), trading_partner_id=partner_id, practice_id=practice_id, source="manager",
                starts_on=now.date(),
            )
        )  # fmt: skip
