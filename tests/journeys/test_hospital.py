"""A hospital's own provider: its people sign in there, act for their provider here, and are signed out of both."""

import sqlite3
import tomllib
from collections.abc import Callable
from contextlib import closing

import pyotp
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.demo import ROOT, Demo
from tests.journeys.people import PortalPage
from tests.servers import until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
MARIA = tomllib.loads((ROOT / "clients/hospital/people.toml").read_text("utf-8"))["people"][0]


def at_carebridge(demo: Demo, context: BrowserContext) -> PortalPage:
    return PortalPage("carebridge-provider", demo.portal("carebridge-provider"), context.new_page())


def sign_in_there(demo: Demo, page: Page) -> None:
    """At the hospital: password, then the code of the app there."""
    page.wait_for_url(f"{demo.hospital}/**")
    page.locator("#login-form #username").fill(MARIA["user_id"])
    page.locator("#login-form #password").fill(MARIA["password"])
    page.locator("#login-submit").click()
    page.locator("#factor-form #code").wait_for()
    with closing(sqlite3.connect(demo.data_dir / "hospital" / "credence.sqlite3", timeout=20)) as database, database:
        database.execute("UPDATE totp_secret SET last_step = 0")
    page.locator("#factor-form #code").fill(pyotp.TOTP(MARIA["totp_secret"]).now())
    page.locator("#factor-submit").click()


def go_on(portal: PortalPage) -> None:
    """Through the portal's agreement, where it still asks."""
    portal.page.wait_for_url(lambda url: url.startswith(portal.base) or "/agreement" in url)
    if not portal.is_here:
        portal.page.locator("main input[type=checkbox]").check()
        portal.page.locator("main button.primary").click()
        portal.page.wait_for_url(f"{portal.base}/**")


def test_FE_a_hospitals_person_acts_for_their_provider_and_signs_out_of_both(
    demo: Demo, new_browser: Callable[..., BrowserContext]
) -> None:
    portal = at_carebridge(demo, new_browser())
    portal.open("/sign-in")
    portal.page.locator("#with-saint-anne").click()
    sign_in_there(demo, portal.page)
    go_on(portal)
    me = portal.me
    assert me is not None
    assert me["id_token"]["provider_id"] == MARIA["affiliations"][0]["id"]
    assert (me["id_token"]["acr"], sorted(me["id_token"]["amr"])) == ("aal2", ["mfa", "otp", "pwd"])
    assert me["userinfo"]["email"] == MARIA["email"]

    portal.page.goto(f"{portal.base}/sign-out?scope=everywhere")
    portal.page.wait_for_url(f"{portal.base}/**")
    assert portal.me is None
    portal.open("/sign-in")
    portal.page.locator("#organization").click()
    portal.page.locator("#organization-form #tin").fill("28-8140936")
    portal.page.locator("#organization-submit").click()
    portal.page.wait_for_url(f"{demo.hospital}/**")
    expect(portal.page.locator("#login-form #password")).to_be_visible()


def test_FE_16_a_sign_out_at_the_hospital_ends_what_rests_on_it_here(
    demo: Demo, new_browser: Callable[..., BrowserContext]
) -> None:
    portal = at_carebridge(demo, new_browser())
    portal.open("/sign-in")
    portal.page.locator("#with-saint-anne").click()
    sign_in_there(demo, portal.page)
    go_on(portal)
    assert portal.me is not None
    portal.page.goto(f"{demo.hospital}/oauth/logout")
    portal.page.locator("#logout-form button.primary").click()
    portal.page.wait_for_load_state()
    until(lambda: portal.me is None, seconds=30, what="the portal was not told, by the hospital and then by us")
    portal.open("/sign-in")
    expect(portal.page.locator("#with-saint-anne")).to_be_visible()
