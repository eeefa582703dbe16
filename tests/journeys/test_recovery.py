"""X5: a forgotten password is mended by a link in a mail, read at the demo's outbox."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.demo import Demo
from tests.journeys.mails import link_in_mail
from tests.journeys.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
NEW_PASSWORD = "Quartz-lantern-harbor-71"


def test_X5_a_forgotten_password_is_reset_by_mail(demo: Demo, person: Callable[..., Person]) -> None:
    tomas = person("tomas.varela")
    portal = tomas.at("ozark-secure")
    page = portal.page
    page.goto(f"{portal.base}/sign-in")
    page.get_by_role("link", name=re.compile("forgot.*password", re.IGNORECASE)).first.click()
    page.locator("#forgot-password-form [name=username]").fill(tomas.user_id)
    page.locator("#forgot-password-form .btn.primary").click()
    expect(page.locator("main")).to_contain_text("Check your e-mail")
    page.goto(link_in_mail(demo, page, to=str(tomas.listed["email"])))
    page.locator("#reset-form [name=new_password]").fill(NEW_PASSWORD)
    page.locator("#reset-form [name=repeat_password]").fill(NEW_PASSWORD)
    page.locator("#reset-form .btn.primary").click()
    expect(page.locator("#reset-form")).to_have_count(0)
    page.goto(f"{portal.base}/sign-in")
    tomas.type_password(portal)
    expect(page.locator("#login-form")).to_be_visible()
    tomas.type_password(portal, password=NEW_PASSWORD)
    expect(page.locator("#login-form")).to_have_count(0)
