"""What was typed against one record: each field alone decides, and only fields that are asked."""

import string
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.directory.matching.rules import (
    Ambiguous,
    Candidate,
    GroupClaim,
    PartnerClaim,
    PartnerMatch,
    PracticeClaim,
    PracticeMatch,
    PractitionerClaim,
    ProviderMatch,
    Reason,
    decide_partner,
    decide_practice,
    decide_provider,
    is_enough,
    understand,
    understand_partner,
    why_not,
)
from idp.directory.rules import PartnerFacts, PracticeFacts, ProviderFacts, fold
from idp.vocabulary.identifiers import TinType
from idp.vocabulary.refused import Refused

TODAY = date(2026, 1, 1)
OWN, GROUPS, OTHER = b"own", b"group", b"other"
PRACTICE = PracticeFacts(UUID(int=7), "Juniper Ridge Clinic", "0001", TinType.EIN, b"sealed")
PERSON = ProviderFacts(
    id=UUID(int=1), registry="ozark", provider_id="017631564", npi="1234567893", provider_type="practitioner",
    name="Douglas D'andrea MD", practice_id=PRACTICE.id, tin_last4="0001", tin_type=TinType.EIN, status="active",
    effective_date=date(2020, 1, 1), end_date=None, state="CT", programs="both",
)  # fmt: skip
CANDIDATE = Candidate(PERSON, PRACTICE, "Douglas", "D'andrea", OWN, GROUPS, ("06002", "06095-1234"))
CLINIC = replace(
    CANDIDATE,
    provider=replace(PERSON, id=UUID(int=2), provider_id="000042", provider_type="group", name="Juniper Ridge, P.C."),
    first_name=None,
    last_name=None,
    own_tin=GROUPS,
)
CLAIM = PractitionerClaim(
    first_name="DOUGLAS", last_name="D’ANDREA", tin="97-8456678", provider_id="017631564", npi="1234567893",
    zip_code="06095",
)  # fmt: skip
GROUP_CLAIM = GroupClaim(group_name="juniper ridge pc", tin="978456678", provider_id="000042", zip_code="06002-9999")
ended = {"status": "terminated", "end_date": TODAY}


def decided(claim: PractitionerClaim, *found: Candidate, tin: bytes = OWN, on: date = TODAY):
    return decide_provider(understand(claim), found, tin=tin, on=on)


def test_C6_a_practitioner_matches_by_every_field_asked():
    assert decided(CLAIM, CANDIDATE) == ProviderMatch(PERSON)


def test_C6_the_groups_tin_is_as_good_as_the_own_one():
    assert decided(CLAIM, CANDIDATE, tin=GROUPS) == ProviderMatch(PERSON)


@pytest.mark.parametrize(
    ("field", "typed", "reason"),
    [
        ("first_name", "Dougla", Reason.NAME),
        ("last_name", "Andrea", Reason.NAME),
        ("npi", "1427051457", Reason.NPI),
        ("zip_code", "06003", Reason.ZIP),
        ("zip_code", "06003-1234", Reason.ZIP),
    ],
)
def test_C6_one_field_that_differs_is_no_match(field: str, typed: str, reason: Reason):
    assert decided(replace(CLAIM, **{field: typed}), CANDIDATE) == Refused(reason)


def test_C6_another_tin_is_no_match():
    assert decided(CLAIM, CANDIDATE, tin=OTHER) == Refused(Reason.TIN)


@pytest.mark.parametrize("field", ["first_name", "last_name", "tin", "npi", "zip_code"])
def test_C6_what_is_not_asked_is_not_compared(field: str):
    nobodys = replace(CANDIDATE, provider=replace(PERSON, npi="1427051457"), first_name="X", last_name="Y")
    nobodys = replace(nobodys, own_tin=OTHER, group_tin=OTHER, zip_codes=("99999",))
    against = why_not(nobodys, understand(replace(CLAIM, **{field: None})), tin=OWN, on=TODAY)  # type: ignore[arg-type]
    every = why_not(nobodys, understand(CLAIM), tin=OWN, on=TODAY)  # type: ignore[arg-type]
    asked = {"tin": Reason.TIN, "npi": Reason.NPI, "zip_code": Reason.ZIP}.get(field)
    assert set(every) == {Reason.TIN, Reason.NPI, Reason.ZIP, Reason.NAME}
    assert set(every) - set(against) == ({asked} if asked else set())
    if asked is None:
        one = replace(CANDIDATE, **{field: "somebody else"})
        assert decided(replace(CLAIM, **{field: None}), one) == ProviderMatch(PERSON)


@pytest.mark.parametrize("field", ["first_name", "last_name", "tin", "provider_id", "npi", "zip_code"])
@pytest.mark.parametrize("typed", ["", " ", "\x00", "—", "٠٧٩٩٩٠٠٠١", "<script>alert(1)</script>"])
def test_C6_a_field_left_empty_or_nonsense_never_matches(field: str, typed: str):
    bare = replace(CANDIDATE, first_name=None, last_name="", zip_codes=())
    assert isinstance(decided(replace(CLAIM, **{field: typed}), CANDIDATE, bare), Refused)


@pytest.mark.parametrize("tin", ["97845667", "78456678", "9784566780", "97-845-6678", "978 45 6678", "978-456678"])
def test_EN_04_no_digit_of_a_tin_is_invented_or_dropped(tin: str):
    assert decided(replace(CLAIM, tin=tin), CANDIDATE) == Refused(Reason.MALFORMED)


@pytest.mark.parametrize("typed", ["6095", "0609", "060951", "06095-123", "06095 1234"])
def test_EN_04_no_digit_of_a_zip_is_invented_or_dropped(typed: str):
    assert decided(replace(CLAIM, zip_code=typed), CANDIDATE) == Refused(Reason.MALFORMED)


def test_EN_04_a_name_of_a_megabyte_is_not_even_folded():
    assert understand(replace(CLAIM, last_name="a" * 201)) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (ended, Reason.ENDED),
        ({"status": "terminated"}, Reason.ENDED),
        ({"effective_date": date(2026, 1, 2)}, Reason.NOT_YET),
        ({"provider_type": "group"}, Reason.OTHER_TYPE),
    ],
)
def test_C6_what_is_not_in_force_or_of_another_kind_never_matches(changed: dict, reason: Reason):
    assert decided(CLAIM, replace(CANDIDATE, provider=replace(PERSON, **changed))) == Refused(reason)


def test_C6_a_practice_whose_number_has_passed_on_never_matches():
    retired = replace(PRACTICE, retired_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert decided(CLAIM, replace(CANDIDATE, practice=retired)) == Refused(Reason.RETIRED)
    assert decide_practice(
        understand(GROUP_CLAIM), [replace(CLINIC, practice=retired)], tin=GROUPS, on=TODAY
    ) == Refused(Reason.RETIRED)


def test_C6_several_records_are_a_choice_and_ended_ones_are_none():
    other = replace(CANDIDATE, provider=replace(PERSON, id=UUID(int=3), provider_id="000001"))
    over = replace(CANDIDATE, provider=replace(PERSON, id=UUID(int=4), provider_id="000002", **ended))
    by_tin = replace(CLAIM, provider_id=None)
    answer = decided(by_tin, CANDIDATE, other, over)
    assert isinstance(answer, Ambiguous)
    assert [each.provider_id for each in answer.choices] == ["000001", "017631564"]
    assert decided(by_tin, CANDIDATE, over) == ProviderMatch(PERSON)


def test_the_nearest_record_says_why_not():
    far = replace(CANDIDATE, provider=replace(PERSON, **ended), zip_codes=("99999",))
    assert decided(replace(CLAIM, first_name="Ann"), far, CANDIDATE) == Refused(Reason.NAME)
    assert decided(CLAIM) == Refused(Reason.UNKNOWN)


def test_C7_a_group_stands_for_its_practice_however_many_records_it_has():
    second = replace(CLINIC, provider=replace(CLINIC.provider, id=UUID(int=5), provider_id="000043"))
    wanted = understand(replace(GROUP_CLAIM, provider_id=None))
    answer = decide_practice(wanted, [CLINIC, second, CANDIDATE], tin=GROUPS, on=TODAY)
    assert answer == PracticeMatch(PRACTICE, (CLINIC.provider, second.provider))


def test_C7_records_of_two_practices_are_a_choice():
    elsewhere = replace(CLINIC, practice=replace(PRACTICE, id=UUID(int=8)))
    wanted = understand(GroupClaim(group_name="Juniper Ridge PC", npi="1234567893"))
    assert isinstance(decide_practice(wanted, [CLINIC, elsewhere], tin=b"", on=TODAY), Ambiguous)


def test_E0_any_record_of_the_practice_in_force_has_the_zip():
    wanted = understand(PracticeClaim(tin="978456678", zip_code="06095"))
    answer = decide_practice(wanted, [CLINIC, CANDIDATE], tin=GROUPS, on=TODAY)
    assert answer == PracticeMatch(PRACTICE, (CLINIC.provider, PERSON))


@pytest.mark.parametrize(
    ("number", "zip_code", "known", "reason"),
    [
        ("tp000001", "65801-1234", "65801", None),
        ("TP000001", " 65801 ", "65801-9999", None),
        ("TP000001", "65802", "65801", Reason.ZIP),
        ("TP000001", "6580", "65801", Reason.MALFORMED),
        ("", "65801", "65801", Reason.MALFORMED),
    ],
)
def test_A2_a_partner_matches_by_number_and_the_five_digits(
    number: str, zip_code: str, known: str, reason: Reason | None
):
    partner = PartnerFacts(UUID(int=9), "ozark", "TP000001", "Lantern", known, "vendor", "active")
    answer = decide_partner(understand_partner(PartnerClaim(trading_partner_id=number, zip_code=zip_code)), partner)
    assert answer == (PartnerMatch(partner) if reason is None else Refused(reason))


def test_A2_a_partner_that_left_the_roster_or_never_was_on_it_is_none():
    wanted = understand_partner(PartnerClaim(trading_partner_id="TP000001", zip_code="65801"))
    gone = PartnerFacts(UUID(int=9), "ozark", "TP000001", "Lantern", "65801", "vendor", "terminated")
    assert decide_partner(wanted, gone) == Refused(Reason.ENDED)
    assert decide_partner(wanted, None) == Refused(Reason.UNKNOWN)


def test_a_claim_that_finds_nobody_or_proves_nothing_cannot_be_made():
    assert not is_enough(["provider_id"])
    assert not is_enough(["first_name", "last_name", "zip_code"])
    assert is_enough(["tin", "zip_code"])
    with pytest.raises(ValueError, match="another field"):
        PractitionerClaim(provider_id="017631564")


def test_C6_what_the_form_did_not_bring_counts_as_left_empty():
    claim = PractitionerClaim.of(["provider_id", "zip_code", "last_name"], {"provider_id": "017631564", "tin": "1"})
    assert claim == PractitionerClaim(provider_id="017631564", zip_code="", last_name="")
    assert decided(claim, CANDIDATE) == Refused(Reason.MALFORMED)


def test_ST_07_a_claim_shows_no_tin():
    assert "8456678" not in repr(CLAIM) + repr(GROUP_CLAIM) + repr(PracticeClaim(tin="978456678", zip_code="06095"))


digits = st.text(string.digits, min_size=5, max_size=5)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entered=digits, known=st.lists(digits, min_size=1, max_size=3))
def test_C6_a_zip_matches_exactly_when_it_is_one_of_the_profiles(entered: str, known: list[str]):
    answer = decided(replace(CLAIM, zip_code=entered), replace(CANDIDATE, zip_codes=tuple(known)))
    assert (answer == ProviderMatch(PERSON)) == (entered in known)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entered=st.text(max_size=60), known=st.text(max_size=60))
def test_C6_names_match_exactly_when_their_folds_are_equal_and_not_empty(entered: str, known: str):
    answer = decided(replace(CLAIM, last_name=entered), replace(CANDIDATE, last_name=known))
    assert (answer == ProviderMatch(PERSON)) == (fold(entered) == fold(known) != "")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(typed=st.fixed_dictionaries({name: st.text(max_size=12) for name in ("tin", "provider_id", "npi", "zip_code")}))
def test_EN_04_any_text_is_an_answer_never_an_error(typed: dict[str, str]):
    assert isinstance(decided(replace(CLAIM, **typed), CANDIDATE), Refused | ProviderMatch)
