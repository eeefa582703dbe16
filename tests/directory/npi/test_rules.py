"""A line of NPPES, a FHIR resource: what becomes of it, and what is wrong with it."""

import csv
import json
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.directory.imports.npi import layout
from idp.directory.imports.npi.entries import Entries
from idp.directory.imports.npi.formats import SeenNpis
from idp.directory.imports.npi.rules import NPI_SYSTEM, NpiRow, Standing, fhir_row, is_older, nppes_row
from idp.directory.imports.rules import Fault
from tests.directory.files import CLINIC_NPI, OFF, PERSON_NPI
from tests.directory.npi.header import HEADER_330

STATE, POSTAL, COUNTRY = layout.READ[8:11]
ENUMERATED, UPDATED, DEACTIVATED, REACTIVATED = layout.READ[11:15]
PERSON = {
    "resourceType": "Practitioner", "active": True, "meta": {"lastUpdated": "2020-08-17T10:03:10Z"},
    "identifier": [{"system": "x", "value": "1"}, {"system": NPI_SYSTEM, "value": "1234567893"}],
    "name": [{"use": "old", "family": "Gone"},
             {"use": "official", "family": "Stark", "given": ["Mauricio", "Gary"], "suffix": ["MD"]}],
    "address": [{"state": "MA", "postalCode": "016081209", "country": "USA"}],
}  # fmt: skip


def read(row: dict[str, str]) -> NpiRow | tuple[Fault, ...]:
    return nppes_row([row[column] for column in layout.READ])


def taken(row: dict[str, str]) -> NpiRow:
    found = read(row)
    assert isinstance(found, NpiRow)
    return found


def test_the_layouts_have_329_and_330_columns_and_the_same_places():
    assert {len(columns) for columns in layout.LAYOUTS} == {329, 330}
    assert len(set(layout.NPPES_330)) == 330
    assert tuple(next(csv.reader([HEADER_330]))) == layout.NPPES_330, "as it is published"
    assert {tuple(columns.index(name) for name in layout.READ) for columns in layout.LAYOUTS} == {
        tuple(layout.NPPES_329.index(name) for name in layout.READ)
    }


def test_a_person_and_an_organization():
    person = taken(PERSON_NPI)
    assert (person.entity, person.name, person.name_key) == ("individual", "INÉS M HALVORSEN", "ines m halvorsen")
    assert (person.state, person.zip_code, person.status) == ("CT", "06002-1234", Standing.ACTIVE)
    assert (person.enumerated_on, person.updated_on) == (date(2005, 5, 23), date(2020, 7, 8))
    clinic = taken(CLINIC_NPI)
    assert (clinic.entity, clinic.name_key) == ("organization", "juniper ridge clinic inc")


def test_a_deactivated_npi_has_nothing_but_its_day():
    off = taken(OFF)
    assert (off.entity, off.name, off.status, off.deactivated_on) == (None, "", "deactivated", date(2026, 2, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        {STATE: "XX"},
        {POSTAL: "6002"},
        {"Provider First Name": "=1+1"},
        {"Provider Last Name (Legal Name)": "A" * 201},
        {"Entity Type Code": "3"},
        {UPDATED: "2020-07-08", "Employer Identification Number (EIN)": "1"},
    ],
)
def test_MODEL_10_whatever_else_is_wrong_with_its_line_a_deactivation_is_taken(wrong: dict[str, str]):
    off = taken(PERSON_NPI | {DEACTIVATED: "02/01/2026"} | wrong)
    assert (off.entity, off.name, off.state, off.status) == (None, "", "", "deactivated")
    assert off.deactivated_on == date(2026, 2, 1)
    unsure = PERSON_NPI | {DEACTIVATED: "02/01/2026"} | wrong
    assert Fault.US_DATE in refused(unsure | {REACTIVATED: "2026-02-02"})
    assert Fault.NPI in refused(unsure | {"NPI": "1234567890"})


def refused(row: dict[str, str]) -> tuple[Fault, ...]:
    found = read(row)
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize(
    ("back", "status"), [("02/03/2026", "active"), ("02/01/2026", "active"), ("01/31/2026", "deactivated")]
)
def test_a_reactivated_npi_is_active(back: str, status: str):
    assert taken(PERSON_NPI | {DEACTIVATED: "02/01/2026", REACTIVATED: back}).status == status


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"NPI": "1234567890"}, Fault.NPI),
        ({"NPI": "123456789"}, Fault.NPI),
        ({"NPI": "١٢٣٤٥٦٧٨٩٣"}, Fault.NPI),
        ({"Entity Type Code": "3"}, Fault.ENTITY),
        ({"Entity Type Code": ""}, Fault.ENTITY),
        ({"Employer Identification Number (EIN)": "12345678"}, Fault.TIN),
        ({"Provider Last Name (Legal Name)": "", "Provider First Name": "", "Provider Middle Name": ""}, Fault.NAME),
        ({"Provider Last Name (Legal Name)": "A" * 201}, Fault.NAME),
        ({"Provider Last Name (Legal Name)": "A\x07"}, Fault.NAME),
        ({"Provider First Name": "=1+1"}, Fault.FORMULA),
        ({"Provider First Name": "\tINÉS"}, Fault.FORMULA),
        ({"Provider First Name": "", "Provider Middle Name": " ", "Provider Last Name (Legal Name)": "@X"}, Fault.FORMULA),
        ({"Entity Type Code": "2", "Provider Organization Name (Legal Business Name)": "-CMD"}, Fault.FORMULA),
        ({STATE: "XX"}, Fault.STATE),
        ({STATE: "ct"}, Fault.STATE),
        ({POSTAL: "6002"}, Fault.ZIP),
        ({UPDATED: "2020-07-08"}, Fault.US_DATE),
        ({ENUMERATED: "02/30/2020"}, Fault.US_DATE),
        ({DEACTIVATED: "13/01/2020"}, Fault.US_DATE),
    ],
)  # fmt: skip
def test_every_field_that_is_taken_is_judged(changed: dict[str, str], fault: Fault):
    assert read(PERSON_NPI | changed) == (fault,)


def test_a_place_abroad_has_no_state_and_no_zip():
    abroad = taken(PERSON_NPI | {COUNTRY: "CA", STATE: "ONTARIO", POSTAL: "M5V 2T6"})
    assert (abroad.state, abroad.zip_code) == ("", "")


def test_a_fhir_name_that_begins_as_a_formula_is_refused():
    about = {"identifier": [{"system": NPI_SYSTEM, "value": "1982607537"}], "name": "=HYPERLINK(1)"}
    assert fhir_row({"resourceType": "Organization", **about}) == (Fault.FORMULA,)


@pytest.mark.parametrize(
    "written",
    [
        {"address": [{"state": "MA", "postalCode": "016081209", "country": "United States"}]},
        {"identifier": [{"system": "urn:oid:2.16.840.1.113883.4.6", "value": "1234567893"}]},
        {"name": [{"text": "Mauricio Gary Stark MD"}]},
        {"identifier": {"system": NPI_SYSTEM, "value": "1234567893"}},
    ],
)
def test_fhir_says_the_same_in_several_ways(written: dict[str, Any]):
    assert fhir_row(PERSON | written) == fhir_row(PERSON)


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"resource": {"resourceType": "Practitioner", "id": "a.B-1"}}, "Entry 2, Practitioner/a.B-1"),
        ({"resource": {"resourceType": "Practitioner", "id": "x" * 65}}, "Entry 2, Practitioner"),
        ({"resource": {"resourceType": "Practitioner", "id": "=1+1\n"}}, "Entry 2, Practitioner"),
        ({"resource": {"resourceType": ["x"], "id": 7}}, "Entry 2"),
        ({"request": {"method": "DELETE", "url": "Organization/9"}}, "Entry 2, Organization/9"),
        ({"request": {"method": "DELETE", "url": "Organization?identifier=9"}}, "Entry 2"),
        ({"request": {"method": "DELETE"}, "resource": PERSON}, "Entry 2"),
        (7, "Entry 2"),
    ],
)
def test_an_entry_is_known_by_its_number_and_by_what_fhir_calls_it(entry: object, place: str):
    bundle = json.dumps({"resourceType": "Bundle", "entry": [{}, entry]}).encode()
    _first, line = Entries(BytesIO(bundle), name="x")
    is_gone = isinstance(entry, dict) and "request" in entry
    assert (line.number, line.place, line.cells is None) == (1, place, is_gone)


@pytest.mark.parametrize(
    ("said", "is_part"),
    [
        ({}, False),
        ({"total": 1, "link": [{"relation": "self", "url": "x"}]}, False),
        ({"link": [{"relation": "self"}, {"relation": "next", "url": "y"}]}, True),
        ({"link": [{"relation": "previous", "url": "y"}]}, True),
        ({"link": [{"relation": ["next"]}]}, False),
        ({"total": 2}, True),
        ({"total": 2, "entry": [{"search": {"mode": "match"}}, {"search": {"mode": "include"}}]}, True),
        ({"total": 2, "entry": [{}, {"search": {"mode": "match"}}, {"search": {"mode": "outcome"}}]}, False),
        ({"total": 1, "entry": [{"search": {"mode": ["include"]}}]}, False),
        ({"total": "2", "link": {"relation": "next"}}, False),
    ],
)
def test_a_page_of_a_searchset_says_that_it_is_no_whole_one(said: dict[str, Any], is_part: bool):
    entry = {"entry": said.get("entry", [{}])}
    others = {name: value for name, value in said.items() if name != "entry"}
    for bundle in (entry | others, others | entry):
        entries = Entries(BytesIO(json.dumps({"resourceType": "Bundle", **bundle}).encode()), name="x")
        assert len(list(entries)) == len(bundle["entry"])
        assert (entries.part() is not None) is is_part


def test_a_fhir_practitioner_by_its_official_name():
    row = fhir_row(PERSON)
    assert isinstance(row, NpiRow)
    assert (row.npi, row.name, row.entity) == ("1234567893", "Mauricio Gary Stark MD", "individual")
    assert (row.state, row.zip_code, row.updated_on) == ("MA", "01608-1209", date(2020, 8, 17))
    off = fhir_row(PERSON | {"active": False})
    assert isinstance(off, NpiRow)
    assert off.status is Standing.INACTIVE


@pytest.mark.parametrize(
    "other",
    [{}, {"resourceType": "Location"}, PERSON | {"identifier": []}, PERSON | {"resourceType": "PractitionerRole"},
     PERSON | {"identifier": None}, PERSON | {"identifier": [{"value": "1"}]}, PERSON | {"identifier": {"system": "x"}}],
)  # fmt: skip
def test_what_is_about_no_npi_is_passed_over(other: dict[str, Any]):
    assert fhir_row(other) is None


@pytest.mark.parametrize(
    "said", ["1234567893", 7, ["1234567893"], [{"system": [NPI_SYSTEM], "value": "1234567893"}], {"system": {}}]
)
def test_of_identifiers_that_cannot_be_read_nobody_says_that_they_are_no_npi(said: object):
    assert fhir_row(PERSON | {"identifier": said}) == (Fault.NPI,)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PERSON, "system", "value"]), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(member=st.sampled_from(sorted(PERSON)), value=json_values)
def test_any_json_in_any_member_is_an_answer_never_an_error(member: str, value: object):
    fhir_row(PERSON | {member: value})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cells=st.lists(st.text(max_size=14), min_size=15, max_size=15))
def test_any_text_in_any_column_is_an_answer_never_an_error(cells: list[str]):
    assert isinstance(nppes_row(cells), NpiRow | tuple)


@pytest.mark.parametrize(
    ("row", "known", "older"),
    [
        (PERSON_NPI, PERSON_NPI | {UPDATED: "07/09/2020"}, True),
        (PERSON_NPI, PERSON_NPI, False),
        (PERSON_NPI, PERSON_NPI | {UPDATED: "07/07/2020"}, False),
        (PERSON_NPI, OFF, True),
        (PERSON_NPI | {UPDATED: "02/02/2026"}, OFF, False),
        (OFF, PERSON_NPI | {UPDATED: "03/01/2026"}, False),
        (OFF, PERSON_NPI | {DEACTIVATED: "02/01/2026", REACTIVATED: "02/02/2026"}, True),
        (OFF, PERSON_NPI | {DEACTIVATED: "01/01/2026", REACTIVATED: "01/15/2026"}, False),
    ],
)
def test_an_older_line_undoes_nothing_and_a_deactivation_never_fails_open(
    row: dict[str, str], known: dict[str, str], older: bool
):
    assert is_older(taken(row), taken(known)) is older


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(npis=st.lists(st.integers(1_000_000_000, 2_999_999_999), max_size=40))
def test_a_bit_for_each_npi(npis: list[int]):
    seen = SeenNpis()
    told = [seen.first(str(npi), 1) for npi in npis]
    cores = [npi // 10 for npi in npis]
    assert told == [0 if core in cores[:at] else None for at, core in enumerate(cores)]
    assert all(str(npi) in seen for npi in npis)
    assert "3000000000" not in seen
    assert "x" not in seen
