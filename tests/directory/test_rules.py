"""Names, ZIP codes, days in force, and what makes a line of a file a row."""

import string
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.directory import rules
from idp.directory.imports import rules as lines
from idp.directory.imports.rules import Fault, LetterRow, PartnerRow, ProviderRow
from idp.vocabulary.identifiers import Tin, TinType
from tests.directory.files import GROUP, LETTER, PARTNER, PRACTITIONER

TODAY = date(2026, 1, 1)
days = st.dates(date(1990, 1, 1), date(2040, 1, 1))


@dataclass(frozen=True)
class Row:
    status: str
    effective_date: date
    end_date: date | None = None


def test_a_row_counts_from_its_first_day_up_to_not_including_its_last():
    row = Row("terminated", date(2020, 1, 1), date(2023, 4, 26))
    assert [rules.in_force(row, date(2020, 1, 1) + timedelta(days=step)) for step in (-1, 0)] == [False, True]
    assert rules.in_force(row, date(2023, 4, 25))
    assert not rules.in_force(row, date(2023, 4, 26))


def test_nothing_counts_before_it_is_effective():
    assert not rules.in_force(Row("active", date(2035, 1, 1)), TODAY)


def test_a_terminated_row_without_a_last_day_never_counts():
    assert not rules.in_force(Row("terminated", date(2020, 1, 1)), TODAY)


@given(begins=days, ends=st.none() | days, on=days, status=st.sampled_from(["active", "terminated"]))
def test_nothing_is_in_force_outside_of_its_days(begins: date, ends: date | None, on: date, status: str):
    if rules.in_force(Row(status, begins, ends), on):
        assert begins <= on
        assert ends is None or on < ends
        assert ends is not None or status == "active"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Douglas D'andrea", "DOUGLAS D’ANDREA"),
        ("José Peña-Ríos", "jose pena rios"),
        ("Jürgen  Aldag, MD", "JURGEN ALDAG"),
        ("Nathaniel P. Thorne Jr.", "nathaniel p thorne"),
        ("Quentin L Marchetti III", "Quentin L. Marchetti"),
        ("Straße", "STRASSE"),
        ("Łucja Ågren", "LUCJA AGREN"),
        ("Søren Kjærgård Œuvray", "soren kjaergard oeuvray"),
        ("Đorđe Þórsson", "dorde thorsson"),
        ("YILDIZ Iłża", "yıldız ilza"),
        ("Kaʻahumanu", "KA'AHUMANU"),
    ],
)
def test_C6_names_are_compared_without_marks_blanks_punctuation_suffix_and_case(one: str, other: str):
    assert rules.fold(one) == rules.fold(other)


@pytest.mark.parametrize(("one", "other"), [("Klarsfeld", "Klarsfeldt"), ("Minh Do", "Minh"), ("Jay K", "Kay J")])
def test_C6_other_names_stay_others(one: str, other: str):
    assert rules.fold(one) != rules.fold(other)


def test_C6_a_name_that_is_nothing_but_a_suffix_is_kept():
    assert rules.fold("Do") == "do"
    assert rules.fold("MD") == "md"


@given(st.text(max_size=60))
def test_C6_folding_a_folded_name_changes_nothing(name: str):
    folded = rules.fold(name)
    assert rules.fold(folded) == folded or folded[-4:] in rules.fold(name)
    assert all(character.isalnum() for character in folded)
    assert rules.fold(name.upper().lower()) == rules.fold(name.lower().upper().lower())


@given(st.text(max_size=300))
def test_what_is_stored_of_a_name_fits_its_columns(name: str):
    assert len(rules.name_key(name)) <= rules.NAME_KEY_LENGTH
    assert all(0 < len(word) <= rules.WORD_LENGTH for word in rules.search_words(name))


@pytest.mark.parametrize("entered", ["06095", "06095-9999", "060951234", " 06002 "])
def test_any_zip_of_a_row_matches_by_its_first_five_digits(entered: str):
    assert rules.zip_matches(entered, ("06002", "06095-1234"))


@pytest.mark.parametrize("entered", ["6095", "06096", "", "06095-12", "٠٦٠٩٥", "06002;"])
def test_other_text_is_no_zip_of_the_row(entered: str):
    assert not rules.zip_matches(entered, ("06002", "06095-1234"))


def test_a_practice_is_of_type_ssn_as_soon_as_one_record_holds_its_number_as_such():
    assert rules.practice_tin_type(own_types=[TinType.EIN, TinType.SSN]) is TinType.SSN
    assert rules.practice_tin_type(own_types=[]) is TinType.EIN


@pytest.mark.parametrize("name", ["ozark", "a", "heartland-2"])
def test_a_registry_has_a_plain_name(name: str):
    assert lines.registry(name) == name


@pytest.mark.parametrize("name", ["", "Ozark", "2ozark", "a" * 33, "oz ark", "ozark\n", "../x"])
def test_other_names_are_no_registry(name: str):
    with pytest.raises(ValueError, match="registry"):
        lines.registry(name)


@given(st.text(max_size=40))
def test_ST_13_no_cell_of_the_rejects_is_a_formula(cell: str):
    assert rules.formula_safe(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}


def test_a_valid_practitioner_is_a_row():
    row = lines.provider_row(PRACTITIONER)
    assert isinstance(row, ProviderRow)
    assert row.zip_codes == ("06002", "06095-1234")
    assert row.practice_tin == "666025841"
    assert row.tin_type is TinType.SSN


def test_a_members_practice_is_its_groups():
    row = lines.provider_row(PRACTITIONER | {"group_tin": "07-9990001"})
    assert isinstance(row, ProviderRow)
    assert row.practice_tin == Tin("079990001")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"provider_id": "12345"}, Fault.PROVIDER_ID),
        ({"provider_id": "٠٠٠٠٤٢"}, Fault.PROVIDER_ID),
        ({"provider_type": "clinic"}, Fault.PROVIDER_TYPE),
        ({"npi": "1234567894"}, Fault.NPI),
        ({"npi": ""}, Fault.NPI),
        ({"tin": "66602584"}, Fault.TIN),
        ({"tin": "66602584 "}, Fault.TIN),
        ({"tin_type": "ITIN"}, Fault.TIN_TYPE),
        ({"group_tin": "1"}, Fault.GROUP_TIN),
        ({"legal_name": "  "}, Fault.NAME),
        ({"legal_name": "x" * 201}, Fault.NAME),
        ({"legal_name": "a\x1bb"}, Fault.NAME),
        ({"legal_name": "=HYPERLINK(1)"}, Fault.FORMULA),
        ({"first_name": "+1"}, Fault.FORMULA),
        ({"last_name": "  -2"}, Fault.FORMULA),
        ({"legal_name": "@SUM(1)"}, Fault.FORMULA),
        ({"last_name": ""}, Fault.PERSON_NAME),
        ({"first_name": "x" * 81}, Fault.PERSON_NAME),
        ({"zip_codes": ""}, Fault.ZIP),
        ({"zip_codes": "6002"}, Fault.ZIP),
        ({"zip_codes": "06002;06003;06004;06005"}, Fault.ZIP_COUNT),
        ({"zip_codes": "06002;06002-1111"}, Fault.ZIP_COUNT),
        ({"state": "XX"}, Fault.STATE),
        ({"programs": "none"}, Fault.PROGRAMS),
        ({"status": "ACTIVE"}, Fault.STATUS),
        ({"effective_date": "01/02/2020"}, Fault.DATE),
        ({"effective_date": "2020-02-30"}, Fault.DATE),
        ({"end_date": "2019-12-31"}, Fault.DATE_ORDER),
        ({"status": "terminated"}, Fault.END_MISSING),
    ],
)
def test_a_wrong_field_is_named(changed: dict[str, str], fault: Fault):
    assert lines.provider_row(PRACTITIONER | changed) == (fault,)


def test_a_group_in_a_group_is_refused():
    assert lines.provider_row(GROUP | {"group_tin": "111111111"}) == (Fault.GROUP_IN_GROUP,)


def test_all_faults_of_a_line_are_told_at_once():
    faults = lines.provider_row(dict.fromkeys(PRACTITIONER, "?"))
    assert isinstance(faults, tuple)
    assert {Fault.PROVIDER_ID, Fault.NPI, Fault.TIN, Fault.ZIP, Fault.DATE, Fault.STATUS} <= set(faults)


@pytest.mark.parametrize("opening", ["\t", "\r", " \t="])
def test_a_name_that_begins_with_a_tab_is_a_formula_and_no_name(opening: str):
    assert lines.provider_row(PRACTITIONER | {"legal_name": f"{opening}A"}) == (Fault.NAME, Fault.FORMULA)
    assert lines.partner_row(PARTNER | {"organization_name": f"{opening}A"}) == (Fault.NAME, Fault.FORMULA)


def test_signs_within_a_name_are_no_formula():
    assert isinstance(lines.provider_row(PRACTITIONER | {"legal_name": "Smith-Jones @ 5th + Main = Care"}), ProviderRow)


@given(st.dictionaries(st.sampled_from(sorted(PRACTITIONER)), st.text(max_size=30)))
def test_no_text_breaks_the_reading_of_a_provider(changed: dict[str, str]):
    row = lines.provider_row(PRACTITIONER | changed)
    assert isinstance(row, ProviderRow) or row


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"trading_partner_id": "x"}, Fault.TRADING_PARTNER_ID),
        ({"qualifier": "XX"}, Fault.QUALIFIER),
        ({"organization_name": ""}, Fault.NAME),
        ({"organization_name": "=1+1"}, Fault.FORMULA),
        ({"zip_code": "1"}, Fault.ZIP),
        ({"email_domain": "no domain"}, Fault.DOMAIN),
        ({"type": "bank"}, Fault.PARTNER_KIND),
        ({"tins_represented": "1;2"}, Fault.TINS),
    ],
)
def test_a_wrong_field_of_a_partner_is_named(changed: dict[str, str], fault: Fault):
    assert lines.partner_row(PARTNER | changed) == (fault,)


def test_a_partner_may_represent_nobody_and_each_tin_counts_once():
    none = lines.partner_row(PARTNER | {"tins_represented": "", "email_domain": ""})
    twice = lines.partner_row(PARTNER | {"tins_represented": "666025841;66-6025841"})
    assert isinstance(none, PartnerRow)
    assert isinstance(twice, PartnerRow)
    assert (none.tins, none.email_domain, twice.tins) == ((), None, ("666025841",))


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"pin": "short"}, Fault.PIN),
        ({"pin": "has blank"}, Fault.PIN),
        ({"expires_on": "2025-01-01"}, Fault.DATE_ORDER),
        ({"used_on": "2025-01-01"}, Fault.DATE_ORDER),
        ({"issued_on": ""}, Fault.DATE),
    ],
)
def test_a_wrong_field_of_a_letter_is_named(changed: dict[str, str], fault: Fault):
    assert lines.letter_row(LETTER | changed) == (fault,)


def test_ST_04_no_row_shows_a_tin_or_a_pin():
    shown = "".join(map(repr, (lines.provider_row(PRACTITIONER), lines.partner_row(PARTNER), lines.letter_row(LETTER))))
    assert isinstance(lines.letter_row(LETTER), LetterRow)
    assert "666025841" not in shown
    assert "e28HKtSp" not in shown


@given(st.text(string.digits, min_size=9, max_size=9))
def test_a_masked_tin_shows_four_digits(tin: str):
    assert rules.masked(tin) == f"**-***{tin[-4:]}"


def test_more_than_five_percent_needs_a_spoken_yes():
    assert not lines.needs_yes(leaving=5, listed=100, nameless=0)
    assert lines.needs_yes(leaving=6, listed=100, nameless=0)
    assert lines.needs_yes(leaving=1, listed=100, nameless=1)
