"""What staff see: every record of a provider, whatever file it is from, what happened to it, and how the imports went."""

import csv
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from idp.directory import service as directory
from idp.directory.looking_up import service
from idp.directory.rules import DirectoryFilter
from tests.conftest import Backend
from tests.directory.files import CLINIC_NPI, GROUP, MEMBER, OFF, PERSON_NPI, PRACTITIONER, taken
from tests.plans import analyze, asked, rows_read, sqlite_plan

pytestmark = pytest.mark.both
SHOWN = 3


@pytest.fixture(autouse=True)
def files(tx: Session, now: datetime) -> None:
    tx.rollback()
    taken([GROUP, MEMBER, PRACTITIONER], now=now)
    taken([PRACTITIONER], now=now, registry="heartland")
    taken([PERSON_NPI, CLINIC_NPI], "nppes", now=now)


def test_every_record_of_an_npi_with_its_source_and_date(tx: Session, now: datetime):
    found = service.every_record(tx, "1234567893")
    assert [(each.source, each.status, each.imported_at) for each in found.npi] == [("nppes", "active", now)]
    assert [(each.provider.registry, each.provider.provider_id, each.updated_at) for each in found.roster] == [
        ("heartland", "123456789", now), ("ozark", "000042", now), ("ozark", "123456789", now), ("ozark", "222222222", now)
    ]  # fmt: skip
    assert found.roster[2].zip_codes == ("06002", "06095-1234")
    assert service.every_record(tx, "") == service.every_record(tx, "x") == service.EveryRecord((), ())
    first = service.every_record(tx, "1234567893", limit=3)
    second = service.every_record(tx, "1234567893", after=first.after, limit=3)
    assert (first.roster + second.roster, second.npi) == (found.roster, found.npi)
    assert (first.after, second.after) == (("ozark", "123456789"), None)
    assert service.every_record(tx, "1234567893", after=("\x00", ""), limit=9).roster == found.roster


@pytest.mark.parametrize(
    ("tin", "numbers"),
    [("07-9990001", ["000042", "222222222"]), ("666025841", ["123456789", "222222222"]), ("7999000", []), ("999999999", [])],
)  # fmt: skip
def test_a_tin_finds_own_and_groups_records_masked(tx: Session, tin: str, numbers: list[str]):
    found = service.by_tin(tx, tin, registry="ozark")
    assert [each.provider.provider_id for each in found] == numbers
    assert "66602584" not in repr(found)
    if numbers:
        last = ("ozark", numbers[0])
        assert [each.provider.provider_id for each in service.by_tin(tx, tin, registry="ozark", after=last)] == numbers[
            1:
        ]


def test_DESIGN_8_a_page_of_a_tin_reads_no_more_than_it_shows(backend: Backend, tx: Session, now: datetime):
    tx.rollback()
    many = [MEMBER | {"provider_id": f"{300000000 + number}", "tin": "079990001"} for number in range(900)]
    taken(many, now=now)
    if backend.name == "postgres":
        analyze(backend.settings)
    with asked("SELECT") as statements:
        shown = service.by_tin(tx, "079990001", registry="ozark", after=("ozark", "300000010"), limit=SHOWN)
        every = service.every_record(tx, "1234567893", after=("ozark", "300000010"), limit=SHOWN)
    for page in (shown, every.roster):
        assert [each.provider.provider_id for each in page] == ["300000011", "300000012", "300000013"]
    assert every.after == ("ozark", "300000013")
    for statement in statements:
        if backend.name == "postgres":
            assert rows_read(tx.connection(), *statement).get("provider", 0) <= 3 * SHOWN, statement[0]
        else:
            plan = sqlite_plan(tx.connection(), *statement)
            assert not [step for step in plan if step.startswith("SCAN provider")], plan
    within = DirectoryFilter.of(states=("MO",))
    assert service.by_tin(tx, "079990001", registry="ozark", within=within) == ()
    assert (
        service.by_tin(tx, "079990001", registry="ozark", after=("ozark", "\x00"), limit=1)[0].provider.provider_id
        == "000042"
    )


def test_the_history_of_a_record_is_paged_from_its_end(tx: Session, now: datetime):
    record = directory.provider_by_number(tx, registry="ozark", provider_id="123456789")
    assert record is not None
    assert service.history(tx, record.id) == ()
    tx.rollback()
    taken([PRACTITIONER | {"zip_codes": "06010"}], now=now + timedelta(days=1))
    taken([OFF], "nppes", now=now + timedelta(days=2))
    both = service.history(tx, record.id)
    assert [each.details["changed"] for each in both] == [["npi_deactivated"], ["zip"]]
    assert [each.at for each in both] == [now + timedelta(days=2), now + timedelta(days=1)]
    assert service.history(tx, record.id, before=both[0].sequence) == both[1:]
    assert service.history(tx, record.id, limit=1) == both[:1]


def test_the_last_imports_and_their_rejects_as_a_download(tx: Session, now: datetime):
    tx.rollback()
    wrong = PERSON_NPI | {"Provider Enumeration Date": "x", "Entity Type Code": "9"}
    taken([wrong, CLINIC_NPI], "nppes", now=now)
    runs = service.imports(tx)
    assert [(each.format, each.registry, each.counts["rejected"]) for each in runs] == [
        ("nppes", "*", 1), ("nppes", "*", 0), ("provider-master", "heartland", 0), ("provider-master", "ozark", 0)
    ]  # fmt: skip
    assert service.imports(tx, before=runs[0].id, limit=2) == runs[1:3]
    (reject,) = service.rejects(tx, runs[0].id)
    assert (reject.line, reject.key, reject.reasons) == (2, "1234567893", ("us_date", "entity"))
    assert service.rejects(tx, runs[0].id, after=2) == ()
    rows = list(csv.reader("".join(service.rejects_csv(runs[0].id)).splitlines()))
    assert rows[0] == ["line", "key", "reasons", "explanation"]
    assert rows[1][:3] == ["2", "1234567893", "us_date;entity"]
    assert "MM/DD/YYYY" in rows[1][3]
