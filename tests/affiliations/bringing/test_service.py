"""Bringing access on both databases: what is written, who is told, and that it happens once (MODEL §1)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from idp.affiliations import service as affiliations
from idp.affiliations.bringing import service
from idp.affiliations.bringing.rules import Reason
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.directory.models import Provider
from idp.foundation.database import reading, see_as, writing
from idp.messaging.models import OutboxMessage
from idp.relying_parties import service as clients
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.refused import Refused
from tests.affiliations.pins.posted import portal
from tests.affiliations.registering.test_races import at_once
from tests.affiliations.registering.world import HERE
from tests.attacks import invariants

pytestmark = pytest.mark.both


@dataclass
class World:
    """Lena acts for a record of `heartland` by a letter; `ozark` has the same NPI at the same practice."""

    make: Any
    party: RelyingParty
    lena: Any
    there: Any
    here: Any
    row: Affiliation

    def bring(self, subject: Any = None, source: UUID | None = None, target: UUID | None = None) -> UUID | Refused:
        with writing() as tx:
            return service.bring(
                tx, subject_id=(subject or self.lena).id, party=self.party, affiliation_id=source or self.row.id,
                target_id=target or self.here.id, now=self.make.now, origin=HERE,
            )  # fmt: skip

    def offers(self, party: RelyingParty | None = None) -> list[str]:
        with reading() as tx:
            found = service.offers(tx, subject_id=self.lena.id, party=party or self.party, now=self.make.now)
        return [each.key for each in found]

    def made(self) -> list[Affiliation]:
        return [row for row in self.make.rows(Affiliation) if row.registry_name == "ozark"]


def at_ozark(make: Any, client_id: str = "ozark-secure", **changed: Any) -> RelyingParty:
    terms = {"accepts_evidence_from": ["heartland"], "default_levels": ["claims.inquiry"], "registry": "ozark"}
    make.client(client_id, portal=terms | changed)
    found = clients.find(client_id)
    assert found is not None
    return found


@pytest.fixture
def world(make: Any) -> World:
    portal(make)
    party, lena, practice = at_ozark(make), make.subject("lena.ortiz"), make.practice("981112223")
    there = make.provider("100200300", practice=practice, tin="981112223")
    here = make.provider("OZ77", practice=practice, tin="981112223", registry_name="ozark")
    row = make.affiliation(
        lena, there, portal="cascade-mmis", levels=(("cascade-mmis", "admin"),), account_manager=True
    )
    return World(make, party, lena, there, here, row)


def test_C6_what_is_brought_says_where_it_came_from_and_who_is_told(world: World) -> None:
    ines = world.make.subject("ines.okoro")
    world.make.affiliation(ines, world.here, account_manager=True, levels=(("ozark-secure", "admin"),))
    assert world.offers() == [f"{world.row.id.hex}.{world.here.id.hex}"]
    identity = world.bring()
    (made,) = [row for row in world.made() if row.subject_id == world.lena.id]
    assert (made.id, made.status, made.account_manager) == (identity, "active", False)
    assert [(each.kind, each.portal, each.from_registry) for each in made.evidence] == [
        ("letter", "cascade-mmis", "heartland")
    ]
    assert [(each.portal, each.level) for each in made.levels] == [("ozark-secure", "claims.inquiry")]
    mails = {(row.notice, row.subject_id) for row in world.make.rows(OutboxMessage)}
    assert mails == {("access_brought", world.lena.id), ("colleague_brought", ines.id)}
    told = [row.details for row in world.make.rows(AuditEvent) if row.type == "affiliation_changed"]
    assert [(each["from_registry"], each["from_portal"]) for each in told] == [("heartland", "cascade-mmis")]
    assert world.offers() == []


def test_D5_only_the_portal_that_accepts_it_lets_them_act(world: World) -> None:
    other = at_ozark(world.make, "ozark-exchange", accepts_evidence_from=[])
    assert world.offers(other) == []
    assert isinstance(world.bring(), UUID)
    for party, ways in ((world.party, 1), (other, 0)):
        terms = affiliations.terms_of(party)
        assert terms is not None
        with reading() as tx:
            found = affiliations.choices_at(tx, subject_id=world.lena.id, terms=terms, now=world.make.now)
        assert len(found) == ways


def change(table: Any, identity: UUID, **values: Any) -> None:
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(table).where(table.id == identity).values(**values))


def test_C6_a_roster_that_differs_or_a_source_that_is_suspended_brings_nothing(world: World) -> None:
    day = world.make.now.date() - timedelta(days=1)
    for table, row, changed, back, reason in (
        (Provider, world.here, {"npi": "1999999984"}, {"npi": world.here.npi}, Reason.UNKNOWN),
        (Provider, world.here, {"end_date": day}, {"end_date": None}, Reason.NOT_IN_FORCE),
        (Provider, world.there, {"end_date": day}, {"end_date": None}, Reason.NOT_ACTIVE_THERE),
        (Affiliation, world.row, {"status": "disabled", "disabled_by": "manager"}, {"status": "active"},
         Reason.NOT_ACTIVE_THERE),
    ):  # fmt: skip
        change(table, row.id, **changed)
        assert world.offers() == []
        assert world.bring() == Refused(reason)
        change(table, row.id, **back)
    assert world.made() == []
    assert world.make.rows(OutboxMessage) == []
    assert isinstance(world.bring(), UUID)


def test_AD_24_a_foreign_id_is_as_if_it_did_not_exist(world: World) -> None:
    stranger, elsewhere = world.make.subject("ines.okoro"), world.make.provider("OZ78", registry_name="ozark")
    assert world.bring(stranger) == Refused(Reason.UNKNOWN)
    assert world.bring(source=uuid4()) == Refused(Reason.UNKNOWN)
    assert world.bring(target=elsewhere.id) == Refused(Reason.UNKNOWN)
    assert world.bring(target=world.there.id) == Refused(Reason.UNKNOWN)
    assert world.made() == []


def test_what_a_manager_ended_here_is_not_brought_back_and_weak_access_is_strengthened(world: World) -> None:
    mine = world.make.affiliation(world.lena, world.here, evidence="directory", portal="ozark-exchange")
    assert world.bring() == mine.id
    (row,) = world.made()
    assert {(each.kind, each.from_registry) for each in row.evidence} == {("directory", None), ("letter", "heartland")}
    assert (row.epoch, row.version) == (mine.epoch + 1, mine.version + 1)
    change(Affiliation, mine.id, status="ended", ended_at=world.make.now)
    assert world.bring() == Refused(Reason.DECIDED_HERE)


@pytest.mark.parametrize("race", range(3))
def test_X4_replayed_or_twice_at_once_it_is_one(app: Any, world: World, race: int) -> None:
    outcomes = at_once(app, *[world.bring] * 3)
    assert sum(isinstance(each, UUID) for each in outcomes) == 1, outcomes
    assert sum(each == Refused(Reason.NO_NEED) for each in outcomes) == 2, outcomes
    assert world.bring() == Refused(Reason.NO_NEED)
    (made,) = world.made()
    assert len(made.evidence) == 1
    assert [row.notice for row in world.make.rows(OutboxMessage)] == ["access_brought"]
    invariants.hold()
