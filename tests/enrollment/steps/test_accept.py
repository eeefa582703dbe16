"""The `invited` ceremony (B7, E10, EN-13): from the approved request to access, for somebody who had no account."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.affiliations.models import Affiliation
from idp.affiliations.requests import deciding
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.service import Submitted
from idp.foundation.database import writing
from idp.subjects.models import Subject
from tests.affiliations.deciding.world import HERE, PORTAL, World
from tests.affiliations.requests.asking import JUNE, submit
from tests.authenticators.browsing import post_form
from tests.authenticators.browsing import press as press_form
from tests.enrollment.worlds import ACCOUNT, TEXT, link_of
from tests.factories import Make
from tests.factories.make import PASSWORD

pytestmark = pytest.mark.both
CEREMONY = {"invited": {"title": TEXT, "steps": ["accept", "create_account", "verify_email"]}}
START = f"/enroll/{PORTAL}/invited/"


@pytest.fixture
def world(make: Make, now: datetime) -> World:
    """June has asked with the address that she will register with, and Lena has approved."""
    made = World(make, now, enrollment=CEREMONY)
    asked = submit(made.party, made.provider.id, now=now, requester=replace(JUNE, email=ACCOUNT["email"]))
    assert isinstance(asked, Submitted)
    with writing() as tx:
        deciding.approve(
            tx, acting=made.acting(), party=made.party, request_id=asked.request_id, version=1,
            levels=("claims.inquiry",), now=now, origin=HERE,
        )  # fmt: skip
    return made


def follow(browser: FlaskClient, page: TestResponse) -> TestResponse:
    while page.status_code in {301, 302, 303} and not page.location.startswith(f"https://{PORTAL}.test"):
        page = browser.get(page.location)
    return page


def send(browser: FlaskClient, page: TestResponse, **typed: Any) -> TestResponse:
    return follow(browser, post_form(browser, page, "enroll-form", **typed))


def opened(browser: FlaskClient, world: World) -> TestResponse:
    """The link in the mail, opened, and *I have no account yet*."""
    shown = browser.get(f"/invitation?token={world.link('invitation')}")
    page = press_form(browser, shown, "/invitation")
    assert f'href="{START}"' in page.text
    return follow(browser, browser.get(START))


def finish(browser: FlaskClient, make: Make) -> TestResponse:
    """The mailed link of the new account, and its first sign-in."""
    page = follow(browser, post_form(browser, browser.get(link_of(make)), "link-form"))
    if 'id="login-form"' not in page.text:
        return page
    return follow(browser, post_form(browser, page, "login-form", username=ACCOUNT["email"], password=PASSWORD))


def of(make: Make, email: str) -> list[Affiliation]:
    ids = {row.id for row in make.rows(Subject) if row.email == email}
    return [row for row in make.rows(Affiliation) if row.subject_id in ids]


def test_B7_an_invited_person_registers_and_is_linked_to_that_provider(
    client: FlaskClient, world: World, make: Make
) -> None:
    page = opened(client, world)
    assert "DELGADO, ROSA" in page.text
    assert ACCOUNT["email"] in page.text
    page = send(client, page)
    send(client, page, **ACCOUNT)
    assert of(make, ACCOUNT["email"]) == [], "nothing before the last proof"
    finish(client, make)
    (row,) = of(make, ACCOUNT["email"])
    assert (row.target_id, row.status, row.account_manager) == (world.provider.id, "active", False)
    assert [(proof.kind, proof.by) for proof in row.evidence] == [("manager", world.lena.id)]
    assert [(level.portal, level.level) for level in row.levels] == [(PORTAL, "claims.inquiry")]
    assert [each.status for each in make.rows(AccessRequest)] == ["closed"]


def test_EN_13_without_the_link_the_ceremony_goes_nowhere(client: FlaskClient, world: World, make: Make) -> None:
    page = follow(client, client.get(START))
    assert "Open the link in your invitation mail first" in page.text
    assert post_form(client, page, "enroll-form").status_code == 422


def test_EN_13_an_account_with_another_address_gets_nothing(client: FlaskClient, world: World, make: Make) -> None:
    page = send(client, opened(client, world))
    other = ACCOUNT | {"email": "other@mail.test", "confirm_email": "other@mail.test"}
    send(client, page, **other)
    page = follow(client, post_form(client, client.get(link_of(make)), "link-form"))
    if 'id="login-form"' in page.text:
        follow(client, post_form(client, page, "login-form", username="other@mail.test", password=PASSWORD))
    assert of(make, "other@mail.test") == []
    assert [each.status for each in make.rows(AccessRequest)] == ["approved"]
