"""Matching against rows: found by index, nothing told by how much work it was."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from idp.directory.matching import service
from idp.directory.matching.rules import (
    Ambiguous,
    GroupClaim,
    PartnerClaim,
    PartnerMatch,
    PracticeClaim,
    PracticeMatch,
    PractitionerClaim,
    ProviderMatch,
    Reason,
)
from idp.directory.models import Practice
from idp.foundation.database import db, writing
from idp.vocabulary.refused import Refused
from tests.conftest import Backend
from tests.directory import grown
from tests.directory.files import GROUP, MEMBER, PARTNER, PRACTITIONER, taken
from tests.plans import asked, at_size, wasted

pytestmark = pytest.mark.both

ROSTER = [
    GROUP | {"zip_codes": "06002;06095-1234"},
    GROUP | {"provider_id": "000043", "legal_name": "Juniper Ridge Laboratory", "zip_codes": "06777"},
    MEMBER | {"tin": "666000001", "first_name": "José", "last_name": "Peña-Ríos", "zip_codes": "06500"},
    MEMBER | {"provider_id": "222222223", "tin": "666000001", "first_name": "José", "last_name": "Peña-Ríos"},
    MEMBER | {"provider_id": "222222224", "status": "terminated", "end_date": "2024-01-01"},
    MEMBER | {"provider_id": "222222225", "effective_date": "2035-01-01"},
    PRACTITIONER,
]
OWN = PractitionerClaim(
    first_name="Ines", last_name="HALVORSEN", tin="666-02-5841", provider_id="123456789", zip_code="06095-0000"
)


@pytest.fixture(autouse=True)
def roster(tx: Session, now: datetime) -> None:
    tx.rollback()
    taken(ROSTER, now=now)


def practitioner(tx: Session, claim: PractitionerClaim, now: datetime, registry: str = "ozark"):
    return service.match_practitioner(tx, claim, registry=registry, now=now)


def test_C6_a_practitioner_is_found_by_number_and_proven_by_the_rest(tx: Session, now: datetime):
    answer = practitioner(tx, OWN, now)
    assert isinstance(answer, ProviderMatch)
    assert (answer.provider.provider_id, answer.provider.name) == ("123456789", "Inés Halvorsen")
    assert practitioner(tx, OWN, now, registry="heartland") == Refused(Reason.UNKNOWN)


def test_C6_without_a_number_the_tin_finds_own_and_groups_records(tx: Session, now: datetime):
    own = PractitionerClaim(last_name="pena rios", tin="666000001")
    answer = practitioner(tx, own, now)
    assert isinstance(answer, Ambiguous)
    assert [each.provider_id for each in answer.choices] == ["222222222", "222222223"]
    groups = PractitionerClaim(last_name="pena rios", tin="079990001", zip_code="06500")
    answer = practitioner(tx, groups, now)
    assert isinstance(answer, ProviderMatch)
    assert answer.provider.provider_id == "222222222"


def test_C6_without_number_and_tin_the_npi_finds(tx: Session, now: datetime):
    answer = practitioner(tx, PractitionerClaim(last_name="Halvorsen", npi="1234567893", first_name="Inés"), now)
    assert isinstance(answer, ProviderMatch)
    assert answer.provider.provider_id == "123456789"


@pytest.mark.parametrize(
    ("provider_id", "reason"),
    [("222222224", Reason.ENDED), ("222222225", Reason.NOT_YET), ("000042", Reason.OTHER_TYPE)],
)
def test_C6_what_is_not_in_force_is_no_match(tx: Session, now: datetime, provider_id: str, reason: Reason):
    claim = PractitionerClaim(provider_id=provider_id, tin="079990001")
    assert practitioner(tx, claim, now) == Refused(reason)


def test_C7_a_group_is_its_practice_and_its_records_met(tx: Session, now: datetime):
    claim = GroupClaim(group_name="Juniper-Ridge Clinic", tin="07-9990001", provider_id="000042", zip_code="06095")
    answer = service.match_group(tx, claim, registry="ozark", now=now)
    assert isinstance(answer, PracticeMatch)
    assert answer.practice.masked_tin == "**-***0001"
    assert [each.provider_id for each in answer.records] == ["000042"]
    both = service.match_group(tx, GroupClaim(tin="079990001", npi="1234567893"), registry="ozark", now=now)
    assert isinstance(both, PracticeMatch)
    assert [each.provider_id for each in both.records] == ["000042", "000043"]


def test_E0_a_practice_is_claimed_by_any_zip_of_its_records(tx: Session, now: datetime):
    for zip_code in ("06500", "06777-1111", "06095"):
        answer = service.match_practice(
            tx, PracticeClaim(tin="07-9990001", zip_code=zip_code), registry="ozark", now=now
        )
        assert isinstance(answer, PracticeMatch)
        assert answer.practice.name == "Juniper Ridge Clinic"


@pytest.mark.parametrize(
    ("tin", "zip_code", "reason"),
    [
        ("079990001", "99999", Reason.ZIP),
        ("079990002", "06500", Reason.UNKNOWN),
        ("666000001", "06500", Reason.UNKNOWN),
        ("79990001", "06500", Reason.MALFORMED),
        ("079990001", "6500", Reason.MALFORMED),
        ("079990001", "%", Reason.MALFORMED),
    ],
)
def test_E0_no_practice_is_claimed_by_less_nor_by_a_members_own_tin(
    tx: Session, now: datetime, tin: str, zip_code: str, reason: Reason
):
    claim = PracticeClaim(tin=tin, zip_code=zip_code)
    assert service.match_practice(tx, claim, registry="ozark", now=now) == Refused(reason)


def test_E0_a_large_practice_is_claimed_by_the_zip_of_its_last_record(tx: Session, now: datetime):
    tx.rollback()
    taken([MEMBER | {"provider_id": f"3{n:08}"} for n in range(200)], now=now)
    taken([MEMBER | {"provider_id": "999999999", "zip_codes": "06888-1234"}], now=now)
    answer = service.match_practice(tx, PracticeClaim(tin="079990001", zip_code="06888"), registry="ozark", now=now)
    assert isinstance(answer, PracticeMatch)
    assert [each.provider_id for each in answer.records] == ["999999999"]


def test_MODEL_10_a_number_that_has_passed_on_matches_its_new_owner_only(tx: Session, now: datetime):
    tx.rollback()
    with writing() as change:
        change.execute(update(Practice).where(Practice.tin_last4 == "5841").values(retired_at=now))
    assert practitioner(tx, OWN, now) == Refused(Reason.RETIRED)
    claim = PracticeClaim(tin="666025841", zip_code="06002")
    assert service.match_practice(tx, claim, registry="ozark", now=now) == Refused(Reason.UNKNOWN)
    tx.rollback()
    taken([PRACTITIONER | {"provider_id": "555555555", "legal_name": "New Owner"}], now=now)
    answer = service.match_practice(tx, claim, registry="ozark", now=now)
    assert isinstance(answer, PracticeMatch)
    assert answer.practice.name == "New Owner"


def test_A2_a_trading_partner_is_matched_in_its_registry(tx: Session, now: datetime):
    tx.rollback()
    taken([PARTNER], "trading-partners", now=now)
    claim = PartnerClaim(trading_partner_id="tp000001", zip_code="65801-1234")
    answer = service.match_trading_partner(tx, claim, registry="ozark")
    assert isinstance(answer, PartnerMatch)
    assert answer.partner.name == "Lantern Billing"
    assert service.match_trading_partner(tx, claim, registry="heartland") == Refused(Reason.UNKNOWN)
    other = PartnerClaim(trading_partner_id="TP000001", zip_code="65802")
    assert service.match_trading_partner(tx, other, registry="ozark") == Refused(Reason.ZIP)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("123456789", None),
        (" 000042 ", None),
        ("222222224", Reason.ENDED),
        ("222222225", Reason.NOT_YET),
        ("000000", Reason.UNKNOWN),
        ("12345678", Reason.MALFORMED),
        ("١٢٣٤٥٦", Reason.MALFORMED),
    ],
)
def test_D2_a_letters_number_finds_its_record_in_force(tx: Session, now: datetime, number: str, reason: Reason | None):
    answer = service.match_letter(tx, number, registry="ozark", now=now)
    if reason is None:
        assert isinstance(answer, ProviderMatch)
        assert answer.provider.provider_id == number.strip()
    else:
        assert answer == Refused(reason)


def statements(work: Callable[[], object]) -> list[str]:
    seen: list[str] = []

    def keep(_c: object, _cursor: Any, statement: str, *_more: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", keep)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", keep)
    return seen


def test_EN_04_hit_miss_and_nonsense_cost_the_same_statements(tx: Session, now: datetime):
    practitioner(tx, OWN, now)

    def cost(match: Callable[..., object], claims: list[Any], **more: Any) -> None:
        seen = [statements(lambda claim=claim: match(tx, claim, registry="ozark", **more)) for claim in claims]
        assert all(each == seen[0] for each in seen)
        assert len(seen[0]) == 1

    def claims(kind: type, **hit: str) -> list[Any]:
        return [kind(**hit), *(kind(**(hit | {name: typed})) for name in hit for typed in ("", "x", "000000000"))]

    practitioners = claims(
        PractitionerClaim, tin="666025841", provider_id="123456789", zip_code="06002", last_name="Halvorsen"
    )
    cost(service.match_practitioner, practitioners, now=now)
    cost(service.match_practitioner, claims(PractitionerClaim, tin="666025841", last_name="Halvorsen"), now=now)
    cost(service.match_practitioner, claims(PractitionerClaim, npi="1234567893", last_name="Halvorsen"), now=now)
    cost(service.match_group, claims(GroupClaim, tin="079990001", group_name="Juniper Ridge Clinic"), now=now)
    cost(service.match_practice, claims(PracticeClaim, tin="079990001", zip_code="06500"), now=now)
    cost(service.match_trading_partner, claims(PartnerClaim, trading_partner_id="TP000001", zip_code="65801"))
    cost(service.match_letter, ["123456789", "999999999", "", "x"], now=now)


def test_DESIGN_8_every_statement_runs_on_an_index(backend: Backend, tx: Session, now: datetime):
    grown.grow(backend, now)
    with asked("SELECT") as statements:
        practitioner(tx, OWN, now)
        practitioner(tx, PractitionerClaim(tin="666025841", last_name="x"), now)
        practitioner(tx, PractitionerClaim(npi="1234567893", last_name="x"), now)
        service.match_practice(tx, PracticeClaim(tin="079990001", zip_code="06500"), registry="ozark", now=now)
        service.match_trading_partner(
            tx, PartnerClaim(trading_partner_id="TP000001", zip_code="65801"), registry="ozark"
        )
    assert len(statements) >= 5
    at_size(tx.connection())
    for statement in statements:
        assert wasted(tx.connection(), *statement, most=grown.MOST) == [], statement
