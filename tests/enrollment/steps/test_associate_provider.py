"""*associate_provider* (C6–C9): all must match; who manages a provider is told after that, and can be asked from there."""

from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.directory.models import Practice, Provider
from idp.enrollment import rules
from tests.authenticators.browsing import post_form, signed_in
from tests.directory.files import GROUP, MEMBER, PRACTITIONER, taken
from tests.enrollment.steps.people import NO_MATCH, TOO_MANY, access, asked, counted, refusals
from tests.enrollment.worlds import TEXT, follow, mailed, open_ceremony, portal, send
from tests.factories import Make
from tests.factories.manifests import manifest

pytestmark = pytest.mark.both
TERMS = {"acting_for": ["provider", "practice"], "accepts": "directory", "accepts_for_manager": "directory"}
BEFORE = ("create_account", "verify_email")
ONE = {
    "provider_type": "practitioner", "practitioner_first_name": "Inés", "practitioner_last_name": "Halvorsen",
    "practitioner_tin": "666025841", "practitioner_provider_id": "123456789", "practitioner_zip_code": "06002",
}  # fmt: skip
CLINIC = {
    "provider_type": "group", "group_name": "Juniper Ridge Clinic", "group_tin": "079990001",
    "group_provider_id": "000042", "group_zip_code": "06095",
}  # fmt: skip


@pytest.fixture(autouse=True)
def ceremony(make: Make, now: datetime) -> None:
    portal(make, *BEFORE, "associate_provider", "agreement", portal=TERMS)
    taken([PRACTITIONER, GROUP, MEMBER], now=now)
    make.subject("june.harwood", email="june@harwood.test")


def page_of(client: FlaskClient) -> TestResponse:
    """The step's page, for somebody who is signed in with a proven mailbox."""
    signed_in(client, "june.harwood")
    page = send(client, open_ceremony(client))
    assert page.request.path.endswith("/associate-provider")
    return page


def elsewhere(client: FlaskClient, make: Make, options: dict[str, Any]) -> TestResponse:
    """The same step at another portal, which asks other fields."""
    steps = {"title": TEXT, "steps": [*BEFORE, "associate_provider"], "options": {"associate_provider": options}}
    make.client("carebridge-provider", portal=TERMS, enrollment={"register": steps})
    signed_in(client, "june.harwood")
    page = client.get("/enroll/carebridge-provider/register/")
    return follow(client, post_form(client, page, "enroll-form"))


def target(make: Make, number: str) -> Provider:
    return next(each for each in make.rows(Provider) if each.provider_id == number)


def test_C6_the_page_has_both_types_the_tip_and_red_asterisks(client: FlaskClient) -> None:
    page = page_of(client)
    for words in (
        "Provider Type", "Practitioner&#39;s First Name", "Practitioner&#39;s Last Name", "Tax ID", "Provider Number",
        "ZIP Code", "Group Name", "Provider ID", "Group Payee ID",
    ):  # fmt: skip
        assert words in page.text
    assert page.text.count('<span class="req" aria-hidden="true">*</span>') == 10
    assert 'data-shown-for="practitioner"' in page.text and 'data-shown-for="group"' in page.text


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"practitioner_first_name": "ines", "practitioner_last_name": "HALVORSEN, MD"},
        {"practitioner_tin": "666-02-5841", "practitioner_zip_code": "06095"},
        {"group_name": "whatever is typed for the other type does not count"},
    ],
)
def test_C6_C9_a_match_makes_the_first_associate_the_administrator(
    client: FlaskClient, make: Make, typed: dict[str, str]
) -> None:
    page = send(client, page_of(client), **ONE | typed)
    assert page.request.path.endswith("/agreement")
    assert access(make) == [], "nothing counts before the end"
    send(client, page, agree="yes")
    assert access(make) == [("provider", str(target(make, "123456789").id), "active", True)]
    assert mailed(make, "welcome")[0]["number"] == "•••789"


def test_C7_a_group_gives_its_practice_with_all_who_join_later(client: FlaskClient, make: Make) -> None:
    page = send(client, page_of(client), **CLINIC)
    send(client, page, agree="yes")
    ((kind, identity, status, manager),) = access(make)
    assert (kind, status, manager) == ("practice", "active", True)
    assert target(make, "000042").practice_id == next(p.id for p in make.rows(Practice) if str(p.id) == identity)


@pytest.mark.parametrize(
    "wrong",
    [
        {"practitioner_first_name": "Inga"},
        {"practitioner_last_name": "Halvorson"},
        {"practitioner_tin": "666025842"},
        {"practitioner_provider_id": "123456780"},
        {"practitioner_zip_code": "65801"},
        {"practitioner_zip_code": "none"},
        {"practitioner_provider_id": "000042"},
    ],
)
def test_EN_04_C6_every_mismatch_reads_the_same(client: FlaskClient, make: Make, wrong: dict[str, str]) -> None:
    managed(make)
    page = send(client, page_of(client), **ONE | wrong)
    assert page.status_code == 422 and NO_MATCH in page.text
    assert "-error" not in page.text and len(refusals(make)) == 1
    assert "already has an administrator" not in page.text, "EN-06"


@pytest.mark.parametrize("missing", [name for name in ONE if name != "provider_type"])
def test_C6_every_field_of_the_chosen_type_is_required(client: FlaskClient, make: Make, missing: str) -> None:
    page = send(client, page_of(client), **ONE | {missing: " "})
    assert page.status_code == 422 and f'id="{missing}-error"' in page.text
    assert counted(make, "enrollment_number") == 0, "nothing was compared"


def test_C6_without_a_type_nothing_is_compared(client: FlaskClient) -> None:
    page = send(client, page_of(client), **{name: value for name, value in ONE.items() if name != "provider_type"})
    assert page.status_code == 422 and "Choose a provider type." in page.text


def test_C6_fields_that_a_manifest_does_not_ask_are_not_compared(client: FlaskClient, make: Make) -> None:
    page = elsewhere(client, make, {"practitioner": ["last_name", "provider_id"], "group": []})
    assert "Tax ID" not in page.text and "Group Name" not in page.text
    typed = {"practitioner_last_name": "Halvorsen", "practitioner_provider_id": "123456789"}
    assert post_form(client, page, "enroll-form", **typed).status_code == 303 and len(access(make)) == 1


def test_EN_04_neither_number_is_walked_through(client: FlaskClient, new_browser: Any, make: Make) -> None:
    page = page_of(client)
    for number in range(10):
        send(client, page, **ONE | {"practitioner_provider_id": f"99999999{number}"})
    assert TOO_MANY in send(client, page, **ONE).text


def managed(make: Make) -> None:
    rosa = make.subject("rosa.delgado")
    make.affiliation(rosa, target(make, "123456789"), account_manager=True, evidence="payer")


def test_C8_EN_06_an_administrator_is_told_of_after_the_full_match_and_asked_from_that_page(
    client: FlaskClient, make: Make
) -> None:
    managed(make)
    page = page_of(client)
    told = send(client, page, **ONE)
    assert told.status_code == 422 and "Inés Halvorsen already has an administrator" in told.text
    assert "send the request from this page" in told.text and access(make)[1:] == []
    empty = send(client, told, **ONE, send_request="yes", request_reason=" ")
    assert 'id="request_reason-error"' in empty.text and "already has an administrator" in empty.text
    sent = send(client, empty, **ONE, send_request="yes", request_reason="<b>I code</b>\r\nher visits.")
    assert "Your request has been sent" in sent.text
    identity = str(target(make, "123456789").id)
    assert asked(make) == [("provider", identity, "june@harwood.test", "<b>I code</b>\nher visits.")]
    assert len(access(make)) == 1, "only the administrator's"


def test_C8_a_request_button_without_a_match_sends_nothing(client: FlaskClient, make: Make) -> None:
    managed(make)
    typed = ONE | {"practitioner_zip_code": "65801"}
    page = send(client, page_of(client), **typed, send_request="yes", request_reason="please")
    assert NO_MATCH in page.text and asked(make) == []


def test_C8_a_request_button_where_nobody_is_administrator_just_goes_on(client: FlaskClient, make: Make) -> None:
    page = send(client, page_of(client), **ONE, send_request="yes", request_reason="please")
    assert page.request.path.endswith("/agreement") and asked(make) == []


@pytest.fixture
def twice(make: Make, now: datetime) -> None:
    taken([PRACTITIONER | {"provider_id": "444444444", "npi": "1000000004"}], now=now)


@pytest.mark.usefixtures("twice")
def test_C6_several_records_are_a_choice(client: FlaskClient, make: Make) -> None:
    asked_here = ("last_name", "tin", "zip_code")
    page = elsewhere(client, make, {"practitioner": asked_here})
    typed = {"provider_type": "practitioner"} | {name: ONE[name] for name in map("practitioner_{}".format, asked_here)}
    several = post_form(client, page, "enroll-form", **typed)
    assert several.status_code == 422 and "Which of these?" in several.text
    assert "123456789" in several.text and "444444444" in several.text
    forged = post_form(client, several, "enroll-form", **typed, choice=str(target(make, "000042").id))
    assert forged.status_code == 422 and access(make) == []
    chosen = target(make, "444444444")
    assert post_form(client, several, "enroll-form", **typed, choice=str(chosen.id)).status_code == 303
    assert [identity for _, identity, _, _ in access(make)] == [str(chosen.id)]
    assert counted(make, "enrollment_number") == 0, "every attempt matched"


@pytest.mark.parametrize(
    "steps", [("associate_provider", *BEFORE), ("create_account + associate_provider", "verify_email")]
)
def test_it_cannot_stand_before_the_mailbox_is_proven(steps: tuple[str, ...]) -> None:
    made = manifest(portal=TERMS, enrollment={"register": {"title": TEXT, "steps": steps}})
    assert any("only a person with a proven mailbox is told" in fault.reason for fault in rules.faults(made))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"practitioner": ["first_name", "last_name"]}, "asks too little"),
        ({"group": ["tin"]}, "asks too little"),
        ({"group": ["first_name", "tin"]}, "'first_name' is not a field"),
        ({"practitioner": [], "group": []}, "offers neither"),
        ({"practitioner": ["tin", "tin"]}, "names a field twice"),
    ],
)
def test_C6_options_that_prove_nothing_are_refused_when_planned(options: dict[str, Any], reason: str) -> None:
    every = [*BEFORE, "associate_provider"]
    enrollment = {"register": {"title": TEXT, "steps": every, "options": {"associate_provider": options}}}
    assert any(reason in fault.reason for fault in rules.faults(manifest(portal=TERMS, enrollment=enrollment)))
