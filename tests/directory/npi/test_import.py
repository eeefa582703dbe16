"""NPI records: taken in once, changed by what is newer, and the roster follows a deactivation."""

import json
from collections import Counter
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.audit.models import AuditEvent
from idp.directory import service
from idp.directory.imports import bulk
from idp.directory.imports.files import BadFile
from idp.directory.imports.npi import taking
from idp.directory.imports.npi.entries import Entries
from idp.directory.imports.npi.layout import LAYOUTS, NPPES_329, NPPES_330
from idp.directory.imports.npi.rules import NPI_SYSTEM
from idp.directory.imports.run import Declined, Reject
from idp.directory.looking_up import service as looking_up
from idp.directory.matching import service as matching
from idp.directory.matching.rules import PractitionerClaim, ProviderMatch, Reason
from idp.directory.models import ImportReject, NameWord, NpiRecord, NpiWord, Provider
from idp.foundation.database import Model, reading, writing
from idp.vocabulary.refused import Refused
from tests.directory.files import CLINIC_NPI, MEMBER, OFF, PERSON_NPI, PRACTITIONER, counted, shared, taken, written

pytestmark = pytest.mark.both
UPDATED = "Last Update Date"


@pytest.fixture(autouse=True)
def house_is_open(app: object) -> None:
    """Every test here needs the application."""


def count(model: type[Model]) -> int:
    with reading() as tx:
        return tx.execute(select(func.count()).select_from(model)).scalar_one()


def record(npi: str = "1234567893", source: str = "nppes") -> NpiRecord:
    with reading() as tx:
        return tx.execute(select(NpiRecord).where(NpiRecord.npi == npi, NpiRecord.source == source)).scalar_one()


def words(npi: str = "1234567893") -> set[str]:
    with reading() as tx:
        return set(tx.execute(select(NpiWord.word).where(NpiWord.npi == npi)).scalars())


def turns() -> list[tuple[str | None, str, str]]:
    """What the audit tells of NPIs: which, who says so, from what to what."""
    with reading() as tx:
        query = select(AuditEvent).where(AuditEvent.type == "npi_record_changed")
        told = [(each.target_id, each.details["source"], each.details["status"]) for each in tx.scalars(query)]
    return sorted(told, key=str)


def nppes(rows: list[dict[str, str]], now: datetime, **more: Any):
    return taken(rows, "nppes", now=now, **more)


def test_a_second_run_changes_nothing(now: datetime):
    rows = [PERSON_NPI, CLINIC_NPI]
    assert counted(nppes(rows, now)) == {"added": 2}
    assert counted(nppes(rows, now + timedelta(days=1))) == {"unchanged": 2}
    assert record().imported_at == now
    assert (count(NpiRecord), words(), words("1982607537")) == (
        2, {"ines", "m", "halvorsen"}, {"juniper", "ridge", "clinic", "inc"},
    )  # fmt: skip
    with reading() as tx:
        scopes = tx.execute(select(NameWord.scope, NameWord.word)).all()
    assert ("*", "halvorsen") in [tuple(row) for row in scopes]


def test_a_newer_line_changes_name_place_and_words_and_an_older_one_nothing(now: datetime):
    nppes([PERSON_NPI], now)
    newer = PERSON_NPI | {"Provider Last Name (Legal Name)": "ROOS", UPDATED: "01/01/2026"}
    assert counted(nppes([newer], now)) == {"changed": 1}
    assert turns() == []
    assert (record().name, words()) == ("INÉS M ROOS", {"ines", "m", "roos"})
    report = nppes([PERSON_NPI], now)
    assert (counted(report), report.notes["older_than_known"]) == ({"unchanged": 1}, 1)
    assert record().name == "INÉS M ROOS"


def test_names_with_signs_of_the_copy_format_come_out_as_they_went_in(now: datetime):
    nppes([PERSON_NPI | {"Provider Last Name (Legal Name)": "O\\'N\\tEIL \\."}], now)
    assert record().name == "INÉS M O\\'N\\tEIL \\."


def test_a_deactivation_keeps_the_name_and_a_reactivation_undoes_it(now: datetime):
    nppes([PERSON_NPI], now)
    faulty = PERSON_NPI | {"NPI Deactivation Date": "02/01/2026", "Entity Type Code": "x"}
    report = nppes([faulty], now)
    assert (counted(report), report.notes["deactivated"]) == ({"changed": 1}, 1)
    assert (record().status, record().name) == ("deactivated", "INÉS M HALVORSEN")
    assert counted(nppes([faulty], now)) == {"unchanged": 1}
    back = PERSON_NPI | {
        UPDATED: "02/03/2026",
        "NPI Deactivation Date": "02/01/2026",
        "NPI Reactivation Date": "02/03/2026",
    }
    report = nppes([back], now)
    assert (counted(report), report.notes["reactivated"]) == ({"changed": 1}, 1)
    assert (record().status, words()) == ("active", {"ines", "m", "halvorsen"})
    assert turns() == [
        ("1234567893", "nppes", "active → deactivated"), ("1234567893", "nppes", "deactivated → active"),
    ]  # fmt: skip


def test_MODEL_10_a_deactivated_npi_takes_its_records_out_of_force_until_it_is_back(now: datetime, tx: Session):
    tx.rollback()
    taken([PRACTITIONER, MEMBER | {"npi": "1982607537"}], now=now)
    nppes([OFF], now)
    claim = PractitionerClaim(provider_id="123456789", tin="666025841")
    assert matching.match_practitioner(tx, claim, registry="ozark", now=now) == Refused(Reason.DEACTIVATED)
    assert service.search_providers(tx, "ozark", "halvorsen", now=now).providers == ()
    found = service.provider_by_number(tx, registry="ozark", provider_id="123456789")
    assert found is not None
    assert not found.in_force(now.date())
    assert found.in_force(date(2026, 1, 31))
    other = service.provider_by_number(tx, registry="ozark", provider_id="222222222")
    assert other is not None
    assert other.in_force(now.date())
    tx.rollback()
    nppes([PERSON_NPI | {UPDATED: "02/05/2026"}], now)
    assert isinstance(matching.match_practitioner(tx, claim, registry="ozark", now=now), ProviderMatch)
    with reading() as rows:
        events = rows.execute(
            select(AuditEvent.details).where(AuditEvent.type == "provider_changed").order_by(AuditEvent.sequence)
        ).scalars()
        assert [each["changed"] for each in events] == [["npi_deactivated"], ["npi_reactivated"]]


def test_MODEL_10_a_record_that_comes_later_learns_that_its_npi_is_deactivated(now: datetime):
    nppes([OFF], now)
    taken([PRACTITIONER], now=now)
    with reading() as tx:
        assert tx.execute(select(Provider.npi_deactivated_on)).scalar_one() == date(2026, 2, 1)
    assert counted(taken([PRACTITIONER], now=now)) == {"unchanged": 1}


def test_MODEL_2_only_nppes_deactivates(now: datetime):
    taken([PRACTITIONER], now=now)
    taken(bundle(practitioner(active=False)), "fhir", now=now)
    assert record(source="fhir").status == "inactive"
    assert turns() == []
    taken(bundle(practitioner()), "fhir", now=now)
    assert turns() == [("1234567893", "fhir", "inactive → active")]
    with reading() as tx:
        assert tx.execute(select(Provider.npi_deactivated_on)).scalar_one() is None


def test_a_full_file_says_what_left_it_and_asks(now: datetime):
    nppes([PERSON_NPI, CLINIC_NPI], now)
    asked: list[tuple[int, ...]] = []
    with pytest.raises(Declined):
        nppes([CLINIC_NPI], now, full=lambda *counts: bool(asked.append(counts)))
    assert asked == [(1, 2, 0)]
    assert record().status == "active"
    assert counted(nppes([CLINIC_NPI], now, full=lambda *_: True)) == {"unchanged": 1, "ended": 1}
    assert record().status == "left"
    assert counted(nppes([CLINIC_NPI], now, full=lambda *_: True)) == {"unchanged": 1}
    assert turns() == [("1234567893", "nppes", "active → left")]
    assert counted(nppes([PERSON_NPI, CLINIC_NPI], now)) == {"changed": 1, "unchanged": 1}
    assert record().status == "active"
    assert turns()[1:] == [("1234567893", "nppes", "left → active")]


def test_a_refused_line_of_a_full_file_has_not_left_it(now: datetime):
    nppes([PERSON_NPI, CLINIC_NPI], now)
    wrong = PERSON_NPI | {"Provider Enumeration Date": "x"}
    assert counted(nppes([wrong, CLINIC_NPI], now, full=lambda *_: True)) == {"unchanged": 1, "rejected": 1}


def test_a_dry_run_writes_nothing(now: datetime):
    assert counted(nppes([PERSON_NPI, CLINIC_NPI], now, dry_run=True)) == {"added": 2}
    assert (count(NpiRecord), count(NpiWord), count(NameWord)) == (0, 0, 0)


@pytest.mark.parametrize("columns", LAYOUTS, ids=lambda columns: str(len(columns)))
def test_both_layouts_are_read_by_either_name_of_their_columns(now: datetime, columns: tuple[str, ...]):
    row = ",".join(f'"{PERSON_NPI.get(column, "F")}"' for column in columns)
    content = ",".join(f'"{column}"' for column in columns) + f"\r\n{row}\r\n"
    assert counted(taken(content.encode(), "nppes", now=now)) == {"added": 1}


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (NPPES_329[1:], "line 1: column 1 of the header must be NPI"),
        ((*NPPES_329[:5], NPPES_329[6], NPPES_329[5], *NPPES_329[7:]), "column 6 of the header must be Provider Last Name"),
        (NPPES_329[:-1], "column 329 of the header must be Healthcare Provider Taxonomy Group_15"),
        ((*NPPES_330, "More"), "the header must have 330 columns, it has 331"),
    ],
)  # fmt: skip
def test_another_header_is_named_with_its_column(now: datetime, columns: tuple[str, ...], says: str):
    with pytest.raises(BadFile, match=says):
        taken(",".join(columns).encode() + b"\n", "nppes", now=now)


def test_an_npi_named_twice_stops_the_file_before_its_batch(now: datetime):
    with pytest.raises(BadFile, match=r"file\.csv, line 4: the same key stands in an earlier line already"):
        nppes([PERSON_NPI, CLINIC_NPI, PERSON_NPI], now)
    assert count(NpiRecord) == 0


def test_rejects_are_kept_for_the_console(now: datetime):
    rejects: list[Reject] = []
    nppes([PERSON_NPI | {"Provider Enumeration Date": "=1+1"}, CLINIC_NPI], now, rejects=rejects)
    assert [(each.line, each.key) for each in rejects] == [(2, "1234567893")]
    with reading() as tx:
        (kept,) = tx.execute(select(ImportReject)).scalars()
    assert (kept.line, kept.key, kept.reasons) == (2, "1234567893", ["us_date"])


def practitioner(npi: str = "1234567893", **changed: Any) -> dict[str, Any]:
    return {
        "resourceType": "Practitioner", "identifier": [{"system": NPI_SYSTEM, "value": npi}],
        "name": [{"family": "Stark", "given": ["Mauricio"]}], **changed,
    }  # fmt: skip


def bundle(*resources: dict[str, Any], indent: int | None = None) -> bytes:
    entries = [{"fullUrl": f"https://x.example/{n}", "resource": each} for n, each in enumerate(resources)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=indent).encode()


@pytest.mark.parametrize("indent", [None, 2])
def test_a_bundle_is_read_however_it_is_written(now: datetime, indent: int | None):
    other = practitioner("1982607537", text={"div": "x" * 200_000})
    content = bundle(practitioner(), {"resourceType": "Location"}, other, indent=indent)
    report = taken(content, "fhir", now=now)
    assert (counted(report), report.notes["about_something_else"]) == ({"added": 2}, 1)
    assert counted(taken(content, "fhir", now=now)) == {"unchanged": 2}
    assert record(source="fhir").name == "Mauricio Stark"


def test_two_payers_directories_are_kept_apart_and_a_full_one_ends_its_own_alone(now: datetime):
    other = practitioner(name=[{"family": "Starck", "given": ["Mauricio"]}], active=False)
    for registry, content in (
        ("ozark", bundle(practitioner(), practitioner("1982607537"))),
        ("heartland", bundle(other)),
    ):
        taken(content, "fhir", now=now, registry=registry)
    assert (record(source="fhir:ozark").name, record(source="fhir:ozark").status) == ("Mauricio Stark", "active")
    assert (record(source="fhir:heartland").name, record(source="fhir:heartland").status) == (
        "Mauricio Starck",
        "inactive",
    )
    asked: list[tuple[int, ...]] = []
    report = taken(
        bundle(other), "fhir", now=now, registry="heartland", full=lambda *counts: bool(asked.append(counts))
    )
    assert (asked, counted(report)) == ([], {"unchanged": 1})
    taken(bundle(practitioner()), "fhir", now=now, registry="ozark", full=lambda *_: True)
    assert turns() == [("1982607537", "fhir:ozark", "active → left")]
    longest = "a-registry-with-the-longest-name"
    taken(bundle(practitioner()), "fhir", now=now, registry=longest)
    assert record(source=f"fhir:{longest}").status == "active"


def test_a_resource_that_names_an_npi_again_is_refused_alone(now: datetime):
    rejects: list[Reject] = []
    report = taken(bundle(practitioner(), practitioner(active=False)), "fhir", now=now, rejects=rejects)
    assert counted(report) == {"added": 1, "rejected": 1}
    assert rejects[0].faults == ("repeated",)


def test_a_refused_resource_or_line_loses_no_good_one_of_its_npi(now: datetime):
    faulty = practitioner(name=[{"text": "=1+1"}])
    for resources in ((faulty, practitioner()), (practitioner(), faulty)):
        report = taken(bundle(*resources), "fhir", now=now, full=lambda *_: True)
        assert (counted(report)["rejected"], report.reasons) == (1, Counter({"formula": 1}))
        assert record(source="fhir").name == "Mauricio Stark"
    wrong = PERSON_NPI | {"Provider Enumeration Date": "x"}
    assert counted(nppes([wrong, PERSON_NPI, wrong], now)) == {"added": 1, "rejected": 2}


def test_an_npi_that_may_stand_in_identifiers_that_cannot_be_read_is_not_ended_unasked(now: datetime):
    taken(bundle(practitioner()), "fhir", now=now)
    asked: list[tuple[int, ...]] = []
    unread = practitioner(identifier=[{"system": [NPI_SYSTEM], "value": "1234567893"}])
    with pytest.raises(Declined):
        taken(bundle(unread), "fhir", now=now, full=lambda *counts: bool(asked.append(counts)))
    assert asked == [(1, 1, 1)]


def test_two_refused_entries_of_one_line_are_both_kept_and_can_be_found(now: datetime):
    report = taken(bundle(practitioner("1234567890"), practitioner("1234567891", id="p-1")), "fhir", now=now)
    assert counted(report) == {"rejected": 2}
    with reading() as tx:
        (run_id,) = tx.execute(select(ImportReject.run_id).distinct()).scalars()
        kept = looking_up.rejects(tx, run_id)
    assert [(each.number, each.line, each.reasons) for each in kept] == [(1, 1, ("npi",)), (2, 1, ("npi",))]
    assert [each.place for each in kept] == ["Entry 1, Practitioner", "Entry 2, Practitioner/p-1"]


def test_a_full_bundle_is_whole_and_an_empty_one_names_nobody(now: datetime):
    taken(bundle(practitioner()), "fhir", now=now)
    page = {"resourceType": "Bundle", "type": "searchset"}
    empty, first = json.dumps(page), json.dumps(page | {"link": [{"relation": "next"}], "entry": []})
    asked: list[tuple[int, ...]] = []
    with pytest.raises(BadFile, match=r"line 1: the bundle is one page of several.*ends nothing"):
        taken(first.encode(), "fhir", now=now, full=lambda *counts: bool(asked.append(counts)) or True)
    assert asked == []
    assert counted(taken(empty.encode(), "fhir", now=now)) == {}
    gone = json.dumps(page | {"entry": [{"request": {"method": "DELETE", "url": "Practitioner/1"}}]}).encode()
    with pytest.raises(Declined):
        taken(gone, "fhir", now=now, full=lambda *counts: bool(asked.append(counts)))
    report = taken(empty.encode(), "fhir", now=now, full=lambda *counts: bool(asked.append(counts)) or True)
    assert (asked, counted(report)) == ([(1, 1, 1), (1, 1, 0)], {"ended": 1})
    assert taken(gone, "fhir", now=now).reasons == Counter({"deletes": 1})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "line 1: the file is empty"),
        (b"[]", "line 1: this is not a JSON object"),
        (b"npi,name\n", "line 1: this is not a JSON object"),
        (b"PK\x03\x04", "this is a zip archive; unpack it first"),
        (b"\x1f\x8b\x08", "this is gzip; unpack it first"),
        (b"PK\x03\x04" + b"\x00" * 26 + b"xl/workbook.xml", "this is a spreadsheet"),
        (b'{"resourceType": "Bundle"}', "not a FHIR bundle with entries"),
        (b'{"resourceType": "Patient", "entry": []}', "not a FHIR bundle"),
        (b'{"resourceType": "Bundle", "entry": {}}', "the entries are not a list"),
        (b'{"resourceType": "Bundle", "entry": [{"x": 1}\n{"x": 2}]}', "line 2: a comma is missing"),
        (b'{"resourceType": "Bundle", "entry": [{"x": 1},\n]}', "line 2: a comma stands behind the last one"),
        (b'{"resourceType": "Bundle" "entry": []}', "a comma is missing"),
        (b'{"resourceType": "Bundle", "entry": [],}', "a comma stands behind the last one"),
        (b'{"resourceType": "Bundle", "entry": []} {}', "something stands after the bundle"),
        (b'{"resourceType": "Bundle",\n"entry": [{"x": \xff}]}', "this is not UTF-8 text"),
        (b'{"resourceType": "Bundle", "entry": [{"x": "\x00"}]}', "this is binary data"),
        (b'{"resourceType": "Bundle",\n"entry": [\n{"x": 1},\n{"y": ', "line 4: the file ends in the middle"),
        (b'{"entry": [' + b'{"a":' * 5000 + b"1", "nested too deeply|ends in the middle"),
        (b'{"entry": [{"a": "' + b"x" * 1_200_000, "longer than 1 MiB"),
        (b'{"entry": [{"a": ' + b"9" * 5000 + b"}]}", "no JSON"),
    ],
)
def test_a_bad_bundle_is_named_with_its_line(now: datetime, content: bytes, says: str):
    with pytest.raises(BadFile, match=says):
        taken(content, "fhir", now=now)
    assert count(NpiRecord) == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "line 1: this is not UTF-8 text"),
        (b"PK\x03\x04...", "zip archive"),
        (b"\x00" * 100, "binary data"),
        (written("nppes", [PERSON_NPI])[:-30], "line 2: the file ends in"),
        (written("nppes", []) + b'"' + b"x" * 10_000_000 + b'"\n', "line 2: the line is longer than 64 KiB"),
    ],
)
def test_a_bad_nppes_file_is_named_with_its_line(now: datetime, content: bytes, says: str):
    with pytest.raises(BadFile, match=says):
        taken(content, "nppes", now=now)
    assert count(NpiRecord) == 0


def test_real_nppes_rows_are_all_taken(now: datetime):
    content = shared("nppes_sample.csv").read_bytes()
    report = taken(content, "nppes", now=now)
    assert (report.read, counted(report), report.notes["deactivated"]) == (2369, {"added": 2369}, 13)
    assert counted(taken(content, "nppes", now=now)) == {"unchanged": 2369}
    with reading() as tx:
        kinds = Counter(tx.execute(select(NpiRecord.entity)).scalars())
        standing = Counter(tx.execute(select(NpiRecord.status)).scalars())
        states = Counter(tx.execute(select(NpiRecord.state)).scalars())
        both = (NpiRecord.deactivated_on.is_not(None), NpiRecord.reactivated_on.is_not(None))
        back = Counter(tx.execute(select(NpiRecord.status).where(*both)).scalars())
    assert back == {"active": 41}
    assert turns() == []
    assert kinds == {"individual": 2218, "organization": 138, None: 13}
    assert standing == {"active": 2356, "deactivated": 13}
    assert (states["CT"], states["MA"], states["RI"], states["TX"], states["TN"], states["NC"]) == (
        848,
        813,
        221,
        45,
        43,
        34,
    )
    assert record("1427051457").deactivated_on == date(2014, 7, 8)


def test_real_fhir_bundle_has_117_npis_that_fail_their_check_digit(now: datetime):
    content = shared("fhir_directory_sample.json").read_bytes()
    of_kind = Counter(line.cells["resourceType"] for line in Entries(BytesIO(content), name="x"))
    assert (of_kind["Practitioner"], of_kind["Organization"], of_kind.total()) == (108, 30, 282)
    report = taken(content, "fhir", now=now)
    assert (report.read, counted(report)) == (282, {"added": 12, "rejected": 117})
    assert report.reasons == Counter({"npi": 117})
    assert report.notes["about_something_else"] == 282 - 129
    assert counted(taken(content, "fhir", now=now)) == {"unchanged": 12, "rejected": 117}


def test_R_28_rows_that_another_import_brought_meanwhile_are_refused_as_such(now: datetime):
    nppes([PERSON_NPI], now)
    row = ("1234567893", "nppes", "x", "x", "CT")
    with pytest.raises(IntegrityError), writing() as tx:
        bulk.add(tx, taking.word, ("npi", "source", "word", "name_key", "state"), [row, row])
    assert words() == {"ines", "m", "halvorsen"}
