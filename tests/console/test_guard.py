"""Who enters the console: the matrix of role × route is made from the URL map (MODEL §7; SECURITY rulings 2 and 18)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.audit.models import AuditEvent
from idp.console.guard import PLACE
from idp.console.staff.models import StaffMember
from idp.console.staff.rules import ALLOWED
from idp.foundation import house
from idp.foundation.database import writing
from idp.foundation.front_door import policy_of, route_policy
from idp.settings import Settings
from idp.vocabulary.assurance import Factor
from idp.vocabulary.staff import StaffMay, StaffRole
from tests.authenticators.browsing import follow, press
from tests.authenticators.second_factors import code_of, type_code
from tests.conftest import Hands
from tests.console.staff_world import ADMINISTRATOR, AUDITOR, HELP_DESK, enter_as, give, post, routes, staff, token
from tests.factories import Make
from tests.sign_in.visiting import enter, step_of, walk
from tests.test_routes import rows_of

PEOPLE: dict[str, tuple[StaffRole, ...]] = {"nobody": (), **{role.value: (role,) for role in StaffRole}}


def test_AD_every_route_of_the_console_names_what_its_caller_may_and_no_other_route_does(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        policy = policy_of(rule.endpoint)
        inside = rule.rule == PLACE or rule.rule.startswith(f"{PLACE}/")
        assert inside == (policy is not None and policy.staff is not None), rule.rule
        if inside:
            assert policy is not None and policy.auth == "session"


def test_AD_an_undeclared_route_of_the_console_answers_nobody(house_app: Any) -> None:
    @route_policy(auth="none")
    def undeclared() -> str:
        return "open"

    bare = house_app()
    bare.add_url_rule("/console/undeclared", "undeclared", undeclared)
    bare.testing = True
    with bare.app_context(), pytest.raises(RuntimeError, match="does not say"):
        bare.test_client().get("/console/undeclared", base_url="https://credence.test")


@pytest.mark.parametrize("who", PEOPLE)
def test_AD_11_role_by_route_everybody_reaches_exactly_what_their_role_allows(
    app: Flask, client: FlaskClient, make: Make, who: str
) -> None:
    person = staff(make, *PEOPLE[who], login="lee.winter")
    enter_as(client, make, person)
    may = {each for role in PEOPLE[who] for each in ALLOWED[role]}
    sent, seen = token(client), 0
    for endpoint, method, address, policy in routes(app):
        data = {"csrf_token": sent} if method == "POST" else None
        answer = client.open(address, method=method, data=data)
        if policy.staff in may:
            assert answer.status_code != 403, (endpoint, method)
            assert answer.status_code < 500, (endpoint, method)
        else:
            assert answer.status_code == 403, (endpoint, method)
            assert 'id="error"' in answer.text
        seen += 1
    assert seen > 8
    refused = {event.outcome for event in make.rows(AuditEvent) if event.type == "console_refused"}
    assert refused <= {"not_staff" if who == "nobody" else "not_allowed"}
    assert refused or who == "administrator"


@pytest.mark.parametrize("spelling", ["//console/staff", "/console//staff", "/Console/staff", "/console/staff;x", "/console/%2e/staff",
                                      "/console/staff%2f", "/console%2fstaff", "/console/staff/"])  # fmt: skip
def test_AD_22_another_spelling_opens_nothing(client: FlaskClient, make: Make, spelling: str) -> None:
    enter_as(client, make, staff(make, HELP_DESK))
    answer = client.get(spelling)
    assert answer.status_code in {301, 303, 308, 400, 403, 404}
    assert "Staff roles" not in answer.text or answer.status_code == 403


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH"])
def test_AD_22_another_method_is_decided_the_same(client: FlaskClient, make: Make, method: str) -> None:
    enter_as(client, make, staff(make, HELP_DESK))
    answer = client.open("/console/staff", method=method, headers={"X-HTTP-Method-Override": "GET"})
    assert answer.status_code == (403 if method == "HEAD" else 405)


def test_without_a_session_the_way_leads_to_sign_in_and_back(client: FlaskClient) -> None:
    assert client.get("/console/").location == "/sign-in?to=console.index"
    assert client.get("/console/staff").location == "/sign-in?to=console_staff.index"


@pytest.mark.both
def test_AD_14_a_role_that_was_taken_is_gone_at_the_next_request(client: FlaskClient, make: Make) -> None:
    enter_as(client, make, staff(make, AUDITOR))
    assert client.get("/console/staff").status_code == 200
    (row,) = make.rows(StaffMember)
    with writing() as tx:
        kept = tx.get(StaffMember, row.id)
        assert kept is not None
        kept.ended_at = make.now
    assert client.get("/console/staff").status_code == 403


@pytest.mark.parametrize("kind", [Factor.SMS, Factor.EMAIL, None])
def test_ruling_2_without_a_strong_factor_nobody_enters(client: FlaskClient, make: Make, kind: Factor | None) -> None:
    person = staff(make, ADMINISTRATOR, factor=kind)
    proven = {"password": make.now} | ({kind.value: make.now} if kind else {})
    enter_as(client, make, person, proven=proven)
    answer = client.get("/console/")
    assert answer.status_code == 403
    assert "Set up a passkey or an app first" in answer.text


@pytest.mark.parametrize("kind", ["password", "sms", "device"])
def test_ruling_2_a_weaker_proof_or_a_remembered_device_leads_to_the_strong_factor(
    client: FlaskClient, make: Make, kind: str
) -> None:
    enter_as(client, make, staff(make, ADMINISTRATOR), proven={"password": make.now, kind: make.now})
    answer = client.get("/console/")
    assert answer.location == "/sign-in?to=console.index&fresh=1"


def test_ruling_2_a_recovery_code_opens_the_account_and_not_the_console(client: FlaskClient, make: Make) -> None:
    enter_as(client, make, staff(make, ADMINISTRATOR), proven={"password": make.now, "recovery": make.now})
    assert client.get("/account/").status_code == 200
    answer = client.get("/console/")
    assert answer.status_code == 403
    assert "A recovery code is not enough here" in answer.text


@pytest.mark.both
def test_SE_03_after_fifteen_minutes_away_staff_prove_themselves_anew(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    enter_as(client, make, staff(make, ADMINISTRATOR))
    hands.forward(minutes=14, seconds=59)
    assert client.get("/console/").status_code == 200
    hands.forward(minutes=15)
    assert client.get("/console/").location == "/sign-in?to=console.index&fresh=1"
    assert client.get("/console/").location == "/sign-in?to=console.index&fresh=1"


def test_SE_03_a_shorter_pause_counts_where_the_operator_says_so(
    app: Flask, client: FlaskClient, make: Make, hands: Hands
) -> None:
    usual = house.get(Settings)
    house.furnish(app, usual.model_copy(update={"session_idle_staff": timedelta(minutes=5)}))
    try:
        enter_as(client, make, staff(make, ADMINISTRATOR))
        hands.forward(minutes=5)
        asked = follow(client, client.get("/console/"))
        assert asked.request.path.endswith("/second-factor/totp"), "proven five minutes ago, and left alone since"
        assert client.get("/console/").location == "/sign-in?to=console.index&fresh=1"
    finally:
        house.furnish(app, usual)


@pytest.mark.both
def test_SE_03_a_look_at_another_page_does_not_wake_the_console(client: FlaskClient, make: Make, hands: Hands) -> None:
    enter_as(client, make, staff(make, ADMINISTRATOR))
    hands.forward(minutes=16)
    assert client.get("/account/").status_code == 200
    assert client.get("/console/").location == "/sign-in?to=console.index&fresh=1"
    hands.forward(minutes=2)
    assert client.get("/account/").status_code == 200
    assert client.get("/console/").location == "/sign-in?to=console.index&fresh=1"


def test_SE_03_a_form_left_open_does_nothing_after_fifteen_minutes(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    enter_as(client, make, staff(make, ADMINISTRATOR))
    sent = token(client)
    hands.forward(minutes=15)
    answer = client.post("/console/staff/propose", data={"csrf_token": sent})
    assert answer.location == "/sign-in?to=console.index&fresh=1"


def test_step_up_every_dangerous_route_asks_for_a_proof_of_the_last_fifteen_minutes(
    app: Flask, client: FlaskClient, make: Make, hands: Hands
) -> None:
    person = staff(make, ADMINISTRATOR)
    for role in StaffRole:
        if role is not ADMINISTRATOR:
            give(make, person, role)
    enter_as(client, make, person)
    hands.forward(minutes=10)
    client.get("/console/")
    hands.forward(minutes=5)
    sent, dangerous = token(client), 0
    for endpoint, method, address, policy in routes(app):
        answer = client.open(address, method=method, data={"csrf_token": sent} if method == "POST" else None)
        asked = "fresh=1" in (answer.location or "")
        assert asked == policy.step_up, (endpoint, method, answer.status_code)
        dangerous += policy.step_up
    assert dangerous >= 6


def test_a_staff_person_signs_in_with_password_and_app(client: FlaskClient, make: Make, hands: Hands) -> None:
    person = staff(make, ADMINISTRATOR, factor=None)
    _row, secret = make.totp(person)
    page = enter(client, follow(client, client.get("/console/")), "ana.fuentes")
    assert step_of(page) == "totp"
    landed = type_code(client, page, code_of(secret, hands.now))
    assert landed.request.path == "/console/"
    assert "Staff" in landed.text and "Ana Fuentes" in landed.text
    assert re.search(r"no-store", landed.headers["Cache-Control"])


def test_step_up_leads_back_to_the_place_it_came_from(client: FlaskClient, make: Make, hands: Hands) -> None:
    person = staff(make, ADMINISTRATOR, factor=None)
    _row, secret = make.totp(person)
    landed = type_code(
        client, enter(client, follow(client, client.get("/console/")), "ana.fuentes"), code_of(secret, hands.now)
    )
    assert landed.status_code == 200
    hands.forward(minutes=14)
    client.get("/console/")
    hands.forward(minutes=2)
    asked = walk(client, client.get("/console/staff/propose"))
    assert step_of(asked) == "totp"
    assert type_code(client, asked, code_of(secret, hands.now)).request.path == "/console/staff"
    assert client.get("/console/staff/propose").status_code == 200


def test_AD_06_an_unknown_field_is_refused(client: FlaskClient, make: Make) -> None:
    enter_as(client, make, staff(make, ADMINISTRATOR))
    page = client.get("/console/staff/propose")
    good = {"login": "rosa.delgado", "role": "auditor", "reason": "Reviews"}
    for extra in ("id", "is_admin", "confirmed_by", "role[0]"):
        assert press(client, page, "/console/staff/propose", **good, **{extra: "x"}).status_code == 400
    assert post(client, "/console/staff/propose", **(good | {"role": "root"})).status_code == 422


def test_every_permission_belongs_to_somebody() -> None:
    assert {may for each in ALLOWED.values() for may in each} == set(StaffMay)


def test_SE_06_looking_at_every_page_of_the_console_changes_no_row(app: Flask, client: FlaskClient, make: Make) -> None:
    person = staff(make, ADMINISTRATOR)
    for role in StaffRole:
        if role is not ADMINISTRATOR:
            give(make, person, role)
    enter_as(client, make, person)
    before, seen = rows_of(app), 0
    for endpoint, method, address, _policy in routes(app):
        for query in ("", "?event=signed_in&state=dead&done=proposed&claims=x"):
            if method == "GET":
                assert client.get(address + query).status_code < 500, endpoint
                assert rows_of(app) == before, endpoint
                seen += 1
    assert seen > 40
