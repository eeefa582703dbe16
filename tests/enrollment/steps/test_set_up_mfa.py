"""*Set Up Multifactor Authentication* in a ceremony: a way to the page that does it, done once a factor is held (C4)."""

from html import unescape

import pytest
from flask.testing import FlaskClient

from idp.authenticators.factors.models import HeldFactor
from idp.subjects.models import Subject
from idp.vocabulary.assurance import Factor
from tests.authenticators.browsing import post_form
from tests.authenticators.second_factors import set_up_totp
from tests.conftest import Hands
from tests.enrollment.worlds import ACCOUNT, follow, link_of, open_ceremony, portal, press, send
from tests.factories import Make
from tests.factories.make import PASSWORD

pytestmark = pytest.mark.both


@pytest.fixture(autouse=True)
def ceremony(make: Make) -> None:
    portal(make, "create_account", "verify_email", "set_up_mfa", "agreement", "confirmation", mfa={"kinds": ["totp"]})


def registered(client: FlaskClient, make: Make) -> object:
    """Somebody new, signed in, at the step."""
    send(client, open_ceremony(client), **ACCOUNT)
    page = press(client, link_of(make))
    assert 'id="registering"' in page.text, "who confirmed the address learns why they sign in"
    return follow(client, post_form(client, page, "login-form", username=ACCOUNT["email"], password=PASSWORD))


def test_C4_the_step_hands_over_to_the_set_up_page_and_is_done_when_it_comes_back(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    page = registered(client, make)
    assert page.request.path.endswith("/set-up-mfa"), page.request.path
    assert page.text.count("btn primary") == 1, "setting up is the way on"
    way = unescape(page.text.split('id="set-up-now"', 1)[0].rsplit('href="', 1)[1].split('"', 1)[0])
    setting_up = follow(client, client.get(way))
    assert setting_up.request.path.startswith("/sign-in/") and setting_up.request.path.endswith("/set-up-mfa")
    added, _secret = set_up_totp(client, setting_up, hands.now)
    codes = post_form(client, added, "set-up-done")
    onward = unescape(codes.text.split('id="codes-saved"', 1)[0].rsplit('href="', 1)[1].split('"', 1)[0])
    assert follow(client, client.get(onward)).request.path.endswith("/agreement")


def test_C4_pressing_continue_without_a_factor_does_not_pass_the_step(client: FlaskClient, make: Make) -> None:
    page = registered(client, make)
    refused = post_form(client, page, "enroll-form")
    assert refused.status_code == 422
    assert "at least one way" in refused.text
    assert make.rows(HeldFactor) == []


def test_C4_a_factor_that_this_portal_does_not_take_does_not_pass_it(client: FlaskClient, make: Make) -> None:
    page = registered(client, make)
    make.factor(make.rows(Subject)[0], Factor.EMAIL)
    assert post_form(client, page, "enroll-form").status_code == 422
    make.factor(make.rows(Subject)[0], Factor.TOTP)
    here = page.request.path.removesuffix("/set-up-mfa")
    assert follow(client, client.get(here)).request.path.endswith("/agreement")
