"""One mailbox, one user ID, one link: whoever is second finds it taken, on both databases (X4, EN-08, RA)."""

from collections.abc import Callable
from queue import SimpleQueue

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.subjects.models import Subject
from tests.authenticators.browsing import post_form
from tests.conftest import Hands
from tests.enrollment.worlds import ACCOUNT, follow, link_of, mailed, open_ceremony, portal, press, send
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both
Browsers = Callable[[], FlaskClient]


def test_X4_one_link_pressed_at_once_makes_one_account(
    app: Flask, client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    send(client, open_ceremony(client), **ACCOUNT)
    link = link_of(make)
    browsers = SimpleQueue[tuple[FlaskClient, TestResponse]]()
    for _ in range(4):
        browser = new_browser()
        browsers.put((browser, browser.get(link)))

    def pressed() -> int:
        browser, page = browsers.get()
        return post_form(browser, page, "link-form", password=ACCOUNT["password"]).status_code

    answers = race(app, pressed, threads=4)
    assert sorted(answers) == [303, 410, 410, 410]
    assert len(make.rows(Subject)) == 1


def test_EN_08_two_enrollments_of_one_mailbox_make_one_person(
    client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    other = new_browser()
    send(client, open_ceremony(client), **ACCOUNT)
    first = link_of(make)
    twin = {"email": "June@Harwood.test", "confirm_email": "June@Harwood.test"}
    send(other, open_ceremony(other), **ACCOUNT | twin)
    second = link_of(make)
    press(client, first)
    page = other.get(second)
    assert "You have an account already" in page.text
    page = follow(other, post_form(other, page, "link-form"))
    assert 'id="login-form"' in page.text
    assert len(make.rows(Subject)) == 1


def test_EN_14_a_user_id_taken_meanwhile_is_chosen_anew_at_the_link(client: FlaskClient, make: Make) -> None:
    fields = ["user_id", "email", "password", "first_name", "last_name"]
    portal(make, "create_account", "verify_email", "agreement", options={"create_account": {"fields": fields}})
    typed = {name: value for name, value in ACCOUNT.items() if name in fields}
    send(client, open_ceremony(client), **typed, user_id="june.harwood")
    make.subject("june.harwood")
    page = post_form(client, client.get(link_of(make)), "link-form")
    assert page.status_code == 422 and 'name="user_id"' in page.text
    assert len(make.rows(Subject)) == 1
    follow(client, post_form(client, page, "link-form", user_id="june.harwood.2"))
    assert sorted(row.user_id for row in make.rows(Subject)) == ["june.harwood", "june.harwood.2"]


def test_A3_check_availability_answers_for_user_ids_only(client: FlaskClient, make: Make) -> None:
    fields = ["user_id", "email", "password", "first_name"]
    options = {"create_account": {"fields": fields, "check_availability": True}}
    portal(make, "create_account", "verify_email", options=options)
    make.subject("rosa.delgado", email="rosa@people.test")
    page = open_ceremony(client)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]

    def asked(user_id: str) -> bool:
        answer = client.post("/enroll/ozark-secure/user-id", data={"csrf_token": token, "user_id": user_id})
        return bool(answer.get_json()["available"])

    assert asked("june.harwood") and not asked("ROSA.delgado") and not asked("admin")
    assert not asked("rosa@people.test"), "an address is no user ID, whoever has it"
    assert not asked("nobody@people.test")
    page = post_form(client, page, "enroll-form", user_id="rosa.delgado", email="", check_availability="yes")
    assert page.status_code == 200 and "is taken" in page.text and 'value="rosa.delgado"' in page.text


def test_A3_asking_too_often_is_429(client: FlaskClient, make: Make) -> None:
    options = {"create_account": {"fields": ["user_id", "email", "password", "first_name"], "check_availability": True}}
    portal(make, "create_account", "verify_email", options=options)
    token = open_ceremony(client).text.split('name="csrf_token" value="')[1].split('"')[0]
    answers = [
        client.post("/enroll/ozark-secure/user-id", data={"csrf_token": token, "user_id": f"june.{number}"}).status_code
        for number in range(21)
    ]
    assert answers == [200] * 20 + [429]


def test_A3_asking_by_the_pages_own_button_counts_the_same(client: FlaskClient, make: Make) -> None:
    """Without scripts the page is posted; that is no second way to walk the user IDs."""
    options = {"create_account": {"fields": ["user_id", "email", "password", "first_name"], "check_availability": True}}
    portal(make, "create_account", "verify_email", options=options)
    page = open_ceremony(client)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    for number in range(10):
        client.post("/enroll/ozark-secure/user-id", data={"csrf_token": token, "user_id": f"june.{number}"})
    answers = [
        post_form(client, page, "enroll-form", user_id=f"rosa.{number}", check_availability="yes").status_code
        for number in range(11)
    ]
    assert answers == [200] * 10 + [429]


def test_EN_16_RX_10_one_network_mails_sixty_strangers_an_hour(
    app: Flask, new_browser: Browsers, make: Make, hands: Hands
) -> None:
    portal(make, "create_account", "verify_email", "agreement")
    for number in range(63):
        hands.forward(seconds=5)
        browser = new_browser()
        address = f"stranger.{number}@people.test"
        page = send(browser, open_ceremony(browser), **ACCOUNT | {"email": address, "confirm_email": address})
        assert page.request.path.endswith("/verify-email"), "the page says what it always says"
    assert len(mailed(make, "verify_email")) == 60
