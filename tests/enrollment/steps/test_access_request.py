"""Access to a provider's account for a new user: *coverage*, *find_provider*, *requestor_details* (B2–B5)."""

from datetime import datetime
from html import escape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.directory.models import Provider
from idp.enrollment import rules
from idp.subjects.models import Subject
from tests.authenticators.browsing import bare, post_form, signed_in
from tests.conftest import Hands
from tests.directory.files import GROUP, PRACTITIONER, taken
from tests.enrollment.steps.people import access, asked, refusals
from tests.enrollment.worlds import TEXT, mailed, open_ceremony, portal, send
from tests.factories import Make
from tests.factories.manifests import manifest

pytestmark = pytest.mark.both
STEPS = ("coverage", "find_provider", "requestor_details", "confirmation")
TERMS = {"acting_for": ["provider"], "accepts": "letter", "accepts_for_manager": "payer"}
WHO = {
    "first_name": "Ada", "last_name": "Fell", "position": "Billing lead", "email": "ada@fell.test",
    "confirm_email": "ada@fell.test", "phone": "417-555-0142", "extension": "12", "reason": "I send the claims.",
}  # fmt: skip
SEED_004 = "</xmp><script>alert(1)</script>;alert(1)//"


def row(number: int, **changed: str) -> dict[str, str]:
    name = changed.pop("name", "Halvorsen")
    return PRACTITIONER | {
        "provider_id": f"10000{number:04}", "legal_name": f"Inés {name}", "last_name": name, **changed,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def ceremony(make: Make, now: datetime) -> None:
    portal(make, *STEPS, portal=TERMS)
    taken(
        [
            row(1, npi="1000000004"),
            row(2, programs="medicare"),
            row(3, programs="medicaid"),
            row(4, state="MO"),
            row(5, status="terminated", end_date="2025-01-01"),
            row(6, effective_date="2035-01-01"),
            GROUP | {"npi": "1000000012"},
        ],
        now=now,
    )


def covered(client: FlaskClient, program: str = "both", state: str = "CT") -> TestResponse:
    return send(client, open_ceremony(client), program=program, state=state)


def ask(client: FlaskClient, page: TestResponse, **typed: str) -> TestResponse:
    return post_form(client, page, "enroll-form", search="yes", **typed)


def record(make: Make, number: str) -> Provider:
    return next(each for each in make.rows(Provider) if each.provider_id == number)


def shown(page: TestResponse, make: Make) -> list[str]:
    """The numbers of the providers on the page's cards."""
    return sorted(each.provider_id for each in make.rows(Provider) if f'value="{each.id}"' in page.text)


@pytest.mark.parametrize("program", ["medicaid", "both"])
def test_B2_Medicaid_and_Both_need_a_state(client: FlaskClient, program: str) -> None:
    page = covered(client, program, "")
    assert page.status_code == 422 and 'id="state-error"' in page.text
    assert covered(client, program, "ZZ").status_code == 422


def test_B2_Medicare_needs_none(client: FlaskClient) -> None:
    assert covered(client, "medicare", "").request.path.endswith("/find-provider")


def test_B2_only_the_portals_states_are_offered(client: FlaskClient, make: Make) -> None:
    make.client("carebridge-provider", portal=TERMS, enrollment={
        "request": {"title": TEXT, "steps": list(STEPS), "options": {"coverage": {"states": ["CT", "MO"]}}}
    })  # fmt: skip
    page = client.get("/enroll/carebridge-provider/request/")
    assert "Connecticut" in page.text and "Missouri" in page.text and "Texas" not in page.text
    answer = post_form(client, page, "enroll-form", program="both", state="TX")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("program", "state", "found"),
    [
        ("medicaid", "CT", ["100000001", "100000003"]),
        ("medicare", "", ["100000001", "100000002", "100000004"]),
        ("both", "CT", ["100000001"]),
        ("both", "MO", ["100000004"]),
        ("both", "TX", []),
    ],
)
def test_B3_a_search_finds_the_roster_in_force_inside_the_coverage(
    client: FlaskClient, make: Make, program: str, state: str, found: list[str]
) -> None:
    page = ask(client, covered(client, program, state), provider_name="halvor")
    assert page.status_code == 200 and shown(page, make) == found
    assert "Providers not currently registered in the web portal will not show up in the list" in page.text
    assert ("No provider was found" in page.text) == (not found)


def test_B3_the_portals_own_filter_holds_whatever_is_asked(client: FlaskClient, make: Make) -> None:
    make.client("carebridge-provider", portal=TERMS, enrollment={
        "request": {"title": TEXT, "steps": ["find_provider", "requestor_details"],
                    "options": {"find_provider": {"programs": ["medicaid"], "states": ["CT"]}}}
    })  # fmt: skip
    page = client.get("/enroll/carebridge-provider/request/")
    assert shown(ask(client, page, provider_name="halvorsen"), make) == ["100000001", "100000003"]
    refused = post_form(client, page, "enroll-form", provider=str(record(make, "100000002").id))
    assert refused.status_code == 422 and "not in the list" in refused.text


def test_B3_a_list_goes_on_by_its_key(client: FlaskClient, make: Make, now: datetime) -> None:
    taken([row(number, name="Quimby") for number in range(100, 125)], now=now)
    page, seen = ask(client, covered(client), provider_name="quimby"), []
    while True:
        seen.append(shown(page, make))
        if 'name="next_results"' not in page.text:
            break
        after = page.text.split('name="next_results" value="')[1].split('"')[0]
        page = post_form(client, page, "enroll-form", provider_name="quimby", next_results=after)
    assert [len(each) for each in seen] == [10, 10, 5] and len({number for each in seen for number in each}) == 25


@pytest.mark.parametrize("after", ["", "|", "nonsense", "|" * 400, "zz|1"])
def test_B3_a_forged_place_in_the_list_is_no_fault(client: FlaskClient, after: str) -> None:
    page = covered(client)
    assert post_form(client, page, "enroll-form", provider_name="halvor", next_results=after).status_code == 200


def test_B3_an_NPI_picks_its_only_provider_without_a_search(client: FlaskClient) -> None:
    page = send(client, covered(client), npi="1000000004")
    assert page.request.path.endswith("/requestor-details") and "Inés Halvorsen" in page.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Enter an NPI, or search"),
        ({"npi": "123"}, "An NPI has 10 digits."),
        ({"npi": "1999999992"}, "No provider was found"),
        ({"provider_name": "halvorsen"}, "Choose a provider from the list."),
        ({"provider": "00000000-0000-0000-0000-000000000000"}, "not in the list of this portal"),
        ({"provider": "x"}, "Choose a provider from the list."),
    ],
)
def test_B3_nothing_goes_on_without_a_provider(client: FlaskClient, typed: dict[str, str], sentence: str) -> None:
    page = send(client, covered(client), **typed)
    assert page.status_code == 422 and sentence in page.text


def test_B3_the_payers_own_numbers_find_nobody(client: FlaskClient, make: Make) -> None:
    page = ask(client, covered(client), provider_name="100000001")
    assert shown(page, make) == [] and "100000001" not in ask(client, covered(client), provider_name="halvor").text


def test_EN_05_B3_enrolment_never_changes_a_result(client: FlaskClient, make: Make) -> None:
    page = covered(client)
    before = bare(ask(client, page, provider_name="halvor"))
    make.affiliation(make.subject("rosa.delgado"), record(make, "100000001"), account_manager=True)
    assert bare(ask(client, page, provider_name="halvor")) == before


def picked(client: FlaskClient) -> TestResponse:
    return send(client, covered(client), npi="1000000004")


def test_B4_B5_the_request_goes_to_the_managers_and_makes_no_account(client: FlaskClient, make: Make) -> None:
    provider, rosa = record(make, "100000001"), make.subject("rosa.delgado")
    make.affiliation(rosa, provider, account_manager=True, evidence="payer")
    page = send(client, picked(client), **WHO)
    assert "Your request has been sent" in page.text and "Inés Halvorsen" in page.text
    assert asked(make) == [("provider", str(provider.id), "ada@fell.test", "I send the claims.")]
    assert [each.user_id for each in make.rows(Subject)] == ["rosa.delgado"]
    assert len(mailed(make, "access_requested")) == 1 and len(mailed(make, "access_request_received")) == 1


def test_B4_the_page_has_its_fields_and_a_reset(client: FlaskClient) -> None:
    page = picked(client)
    for words in ("First Name", "Last Name", "Position/Title", "Confirm Email", "Phone Number", "Extension"):
        assert words in page.text
    assert "Reason for requesting access" in page.text and "At most 500 characters." in page.text
    assert 'type="reset"' in page.text and "Back" in page.text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"first_name": ""}, "first_name"),
        ({"last_name": " "}, "last_name"),
        ({"position": ""}, "position"),
        ({"email": "nobody"}, "email"),
        ({"confirm_email": "other@fell.test"}, "confirm_email"),
        ({"phone": "12"}, "phone"),
        ({"extension": "x1"}, "extension"),
        ({"reason": " \r\n"}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
    ],
)
def test_B4_errors_stand_beside_their_fields(
    client: FlaskClient, make: Make, wrong: dict[str, str], field: str
) -> None:
    page = send(client, picked(client), **WHO | wrong)
    assert page.status_code == 422 and f'id="{field}-error"' in page.text and asked(make) == []


def test_B4_500_characters_count_a_line_end_once(client: FlaskClient, make: Make) -> None:
    send(client, picked(client), **WHO | {"reason": "\r\n".join(["x" * 49] * 10)})
    assert [len(each[3]) for each in asked(make)] == [499]


@pytest.mark.parametrize("field", ["first_name", "position", "reason"])
def test_AD_15_EN_18_what_is_typed_is_text(client: FlaskClient, make: Make, field: str) -> None:
    page = picked(client)
    again = post_form(client, page, "enroll-form", **WHO | {field: SEED_004, "phone": "12"})
    assert SEED_004 not in again.text and escape(SEED_004) in again.text.replace("&#39;", "'")
    assert "Your request has been sent" in send(client, page, **WHO | {field: SEED_004}).text


def test_B4_X4_of_somebody_signed_in_only_what_is_missing_is_asked(client: FlaskClient, make: Make) -> None:
    june = make.subject("june.harwood", given_name="June", family_name="Harwood", email="june@harwood.test")
    signed_in(client, "june.harwood")
    page = picked(client)
    for known in ("first_name", "last_name", "email", "confirm_email"):
        assert f'name="{known}"' not in page.text
    missing: dict[str, Any] = {name: WHO[name] for name in ("position", "phone", "extension", "reason")}
    assert post_form(client, page, "enroll-form", **missing | {"email": "mallory@x.test"}).status_code == 400
    assert "Your request has been sent" in send(client, page, **missing).text
    assert [each[2] for each in asked(make)] == [june.email]


def test_EN_16_a_second_request_is_the_first_one(client: FlaskClient, new_browser: Any, make: Make) -> None:
    for browser in (client, new_browser()):
        assert "Your request has been sent" in send(browser, picked(browser), **WHO).text
    assert len(asked(make)) == 1


def test_EN_16_one_address_asks_only_so_often(client: FlaskClient, new_browser: Any, make: Make, hands: Hands) -> None:
    for _ in range(40):
        hands.forward(minutes=1)
        browser = new_browser()
        page = send(browser, picked(browser), **WHO)
        if "Your request has been sent" not in page.text:
            break
    assert "There were too many requests lately" in page.text and access(make) == [] and refusals(make) == []


def test_B4_without_a_provider_nobody_can_be_asked() -> None:
    made = manifest(portal=TERMS, enrollment={"request": {"title": TEXT, "steps": ["requestor_details"]}})
    assert any("which find_provider picks before it" in fault.reason for fault in rules.faults(made))
