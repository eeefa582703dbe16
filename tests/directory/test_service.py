"""What the rooms above ask: providers, practices, partners and engagements that count today."""

from datetime import date, datetime

import pytest
from sqlalchemy.orm import Session

from idp.directory import service
from idp.directory.models import Provider, TradingPartner
from idp.foundation.database import reading
from idp.foundation.vault import Unopenable
from idp.vocabulary.identifiers import TinType
from tests.conftest import Backend
from tests.directory import grown
from tests.directory.files import GROUP, MEMBER, PARTNER, PRACTITIONER, taken
from tests.factories import Make
from tests.plans import asked, at_size, wasted

pytestmark = pytest.mark.both

ROSTER = [
    GROUP,
    GROUP | {"provider_id": "000043", "legal_name": "Juniper Ridge Laboratory"},
    MEMBER,
    MEMBER | {"provider_id": "222222223", "legal_name": "Fiona O'Dell", "last_name": "O'Dell"},
    MEMBER | {"provider_id": "222222224", "status": "terminated", "end_date": "2024-01-01"},
    MEMBER | {"provider_id": "222222225", "effective_date": "2035-01-01"},
    PRACTITIONER,
]


@pytest.fixture
def roster(tx: Session, now: datetime) -> None:
    tx.rollback()
    taken(ROSTER, now=now)


def practice_id(tin: str = "079990001"):
    with reading() as tx:
        found = service.practice_by_tin(tx, tin)
    assert found is not None
    return found.id


@pytest.mark.usefixtures("roster")
def test_a_practice_is_found_by_its_tin_however_it_is_written(tx: Session):
    found = service.practice_by_tin(tx, "07-9990001")
    assert found is not None
    assert (found.name, found.tin_type, found.masked_tin) == ("Juniper Ridge Clinic", TinType.EIN, "**-***0001")
    assert service.tin_of(found) == "079990001"
    assert "079990001" not in repr(found)


@pytest.mark.usefixtures("roster")
@pytest.mark.parametrize("tin", ["079990002", "79990001", "", "' OR 1=1--", "07999000\x00", "٠٧٩٩٩٠٠٠١"])
def test_ST_01_other_text_finds_no_practice(tx: Session, tin: str):
    assert service.practice_by_tin(tx, tin) is None


@pytest.mark.usefixtures("roster")
def test_ST_05_a_sealed_tin_opens_in_its_own_place_only(tx: Session):
    one, other = service.practice_by_tin(tx, "079990001"), service.practice_by_tin(tx, "666025841")
    assert one is not None
    assert other is not None
    moved = type(one)(one.id, one.name, one.tin_last4, one.tin_type, other.tin_sealed)
    with pytest.raises(Unopenable):
        service.tin_of(moved)


@pytest.mark.usefixtures("roster")
def test_providers_of_a_practice_are_those_in_force_by_number(tx: Session, now: datetime):
    found = service.providers_of_practice(tx, practice_id=practice_id(), registry="ozark", now=now)
    assert [each.provider_id for each in found] == ["000042", "000043", "222222222", "222222223"]
    assert all(each.in_force(now.date()) for each in found)
    two = service.providers_of_practice(tx, practice_id=practice_id(), registry="ozark", now=now, limit=2)
    assert two == found[:2]


@pytest.mark.usefixtures("roster")
def test_a_registry_holds_only_its_own_records(tx: Session, now: datetime):
    assert service.providers_of_practice(tx, practice_id=practice_id(), registry="heartland", now=now) == ()
    assert not service.practice_in_force(tx, practice_id=practice_id(), registry="heartland", now=now)
    assert service.practice_in_force(tx, practice_id=practice_id(), registry="ozark", now=now)


@pytest.mark.usefixtures("roster")
def test_the_group_records_of_a_tin(tx: Session, now: datetime):
    found = service.group_records(tx, practice_id=practice_id(), registry="ozark", now=now)
    assert [each.name for each in found] == ["Juniper Ridge Clinic", "Juniper Ridge Laboratory"]
    assert service.group_records(tx, practice_id=practice_id("666025841"), registry="ozark", now=now) == ()


@pytest.mark.usefixtures("roster")
def test_a_provider_is_read_by_id_and_by_number(tx: Session):
    found = service.provider_by_number(tx, registry="ozark", provider_id="222222222")
    assert found is not None
    assert (found.npi, found.provider_type, found.name) == ("1234567893", "practitioner", "José Peña-Ríos Jr.")
    assert (found.tin_last4, found.tin_type) == ("0001", TinType.EIN)
    assert service.provider(tx, found.id) == found
    assert service.providers(tx, [found.id]) == {found.id: found}
    assert service.providers(tx, []) == {}
    assert service.provider(tx, found.practice_id) is None
    assert service.provider_by_number(tx, registry="heartland", provider_id="222222222") is None


@pytest.mark.usefixtures("roster")
def test_several_practices_are_read_at_once(tx: Session):
    one = service.practice_by_tin(tx, "079990001")
    assert one is not None
    assert service.practice(tx, one.id) == one
    assert service.practices(tx, [one.id]) == {one.id: one}


@pytest.mark.usefixtures("roster")
def test_a_trading_partner_is_engaged_only_while_all_of_it_counts(tx: Session, now: datetime):
    taken([PARTNER | {"tins_represented": "666025841;079990001"}], "trading-partners", now=now)
    partner = service.trading_partner_by_number(tx, registry="ozark", trading_partner_id="tp000001")
    assert partner is not None
    assert partner.in_force
    assert service.trading_partner(tx, partner.id) == partner
    assert service.trading_partners(tx, [partner.id]) == {partner.id: partner}
    names = [each.practice.name for each in service.engagements(tx, partner.id, now)]
    assert names == ["Inés Halvorsen", "Juniper Ridge Clinic"]
    assert len(service.engagements(tx, partner.id, now, limit=1)) == 1
    ended = PRACTITIONER | {"status": "terminated", "end_date": "2026-01-01"}
    tx.rollback()
    taken([ended], now=now)
    assert [each.practice.name for each in service.engagements(tx, partner.id, now)] == ["Juniper Ridge Clinic"]


def test_an_engagement_has_days_and_a_cap(make: Make, tx: Session, now: datetime):
    practice = make.practice()
    make.provider(practice=practice, registry_name="ozark")
    partner: TradingPartner = make.trading_partner()
    engagement = make.engagement(partner, practice, levels_cap=["claims.inquiry"], ends_on=date(2026, 6, 1))
    (found,) = service.engagements(tx, partner.id, now)
    assert (found.id, found.levels_cap, found.source) == (engagement.id, ("claims.inquiry",), "roster")
    assert service.engagements(tx, partner.id, now.replace(month=6, day=1)) == ()
    assert service.engagements(tx, partner.id, now.replace(year=2019)) == ()


@pytest.mark.parametrize("number", ["", "x", "TP000001\n", "TP 000001", "é" * 6])
def test_ST_01_other_text_finds_no_partner(tx: Session, number: str):
    assert service.trading_partner_by_number(tx, registry="ozark", trading_partner_id=number) is None


def names_found(tx: Session, text: str, now: datetime, registry: str = "ozark") -> list[str]:
    return [each.name for each in service.search_providers(tx, registry, text, now=now).providers]


@pytest.mark.usefixtures("roster")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("222222222", ["José Peña-Ríos Jr."]),
        ("pena", ["José Peña-Ríos Jr."]),
        ("RIOS jos", ["José Peña-Ríos Jr."]),
        ("o'd", ["Fiona O'Dell"]),
        ("juniper", ["Juniper Ridge Clinic", "Juniper Ridge Laboratory"]),
        ("iper", []),
        ("juniper fiona", []),
        ("%", []),
        ("_una", []),
        ("", []),
        ("'; DROP TABLE provider", []),
        ("\x00", []),
        ("\ud800", []),
        ("22222222", []),
    ],
)
def test_search_finds_by_number_or_by_the_beginning_of_any_word(
    tx: Session, now: datetime, text: str, found: list[str]
):
    assert names_found(tx, text, now) == found
    assert names_found(tx, text, now, registry="heartland") == []


@pytest.mark.usefixtures("roster")
def test_B3_search_finds_an_npi_and_only_what_is_in_force(tx: Session, now: datetime):
    numbers = [each.provider_id for each in service.search_providers(tx, "ozark", "1234567893", now=now).providers]
    assert sorted(numbers) == ["000042", "000043", "123456789", "222222222", "222222223"]


@pytest.mark.usefixtures("roster")
def test_search_pages_by_key_without_gap_or_repeat(tx: Session, now: datetime):
    whole = service.search_providers(tx, "ozark", "1234567893", limit=50, now=now)
    assert whole.after is None
    pages, after = [], None
    for _ in range(10):
        page = service.search_providers(tx, "ozark", "1234567893", after, 2, now=now)
        pages += page.providers
        after = page.after
        if after is None:
            break
    assert tuple(pages) == whole.providers
    assert [each.name for each in pages] == sorted(each.name for each in pages)


def test_a_record_without_words_is_still_found_by_number(make: Make, tx: Session, now: datetime):
    made: Provider = make.provider("424242424")
    (found,) = service.search_providers(tx, "heartland", "424242424", now=now).providers
    assert found.id == made.id


@pytest.mark.usefixtures("roster")
def test_every_look_up_runs_on_an_index_that_names_more_than_the_registry(backend: Backend, tx: Session, now: datetime):
    """DESIGN §8; at eight million rows a scan is an outage."""
    grown.grow(backend, now)
    taken([PARTNER], "trading-partners", now=now)
    partner = service.trading_partner_by_number(tx, registry="ozark", trading_partner_id="TP000001")
    assert partner is not None
    target = practice_id()
    with asked("SELECT") as statements:
        service.providers_of_practice(tx, practice_id=target, registry="ozark", now=now)
        service.group_records(tx, practice_id=target, registry="ozark", now=now)
        service.practice_in_force(tx, practice_id=target, registry="ozark", now=now)
        service.practice_by_tin(tx, "079990001")
        service.provider_by_number(tx, registry="ozark", provider_id="000042")
        service.engagements(tx, partner.id, now)
        service.search_providers(tx, "ozark", "1234567893", now=now)
        service.search_providers(tx, "ozark", "jos pen", now=now)
    assert len(statements) > 8
    at_size(tx.connection())
    for statement in statements:
        assert wasted(tx.connection(), *statement, most=grown.MOST) == [], statement
