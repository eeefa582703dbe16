"""X5: a forgotten password is mended by a link in a mail, read at the demo's outbox."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.demo import Demo
from tests.journeys.keyboard import press_at, type_into
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


def test_RC_15_a_changed_address_is_put_back_from_the_former_mailbox(demo: Demo, person: Callable[..., Person]) -> None:
    ibrahim = person("ibrahim.sesay")
    former, new = str(ibrahim.listed["email"]), "ibrahim.new@people.example"
    page = ibrahim.context.new_page()
    page.goto(f"{demo.issuer}/account/profile")
    page.locator("#login-form #username").fill(ibrahim.user_id)
    page.locator("#login-form #password").fill(ibrahim.password)
    page.locator("#login-submit").click()
    page.goto(f"{demo.issuer}/account/email")
    type_into(page, page.locator("#email-form #email"), new)
    press_at(page, page.locator("#email-submit"))
    expect(page.locator("main")).to_contain_text("We have sent a link to the new address")
    page.goto(link_in_mail(demo, page, to=new, path="/account/email/confirm"))
    page.locator("#confirm-email").click()
    expect(page.locator("main")).to_contain_text("Your new e-mail address is saved")
    expect(page.locator("main")).to_contain_text(new)
    owner = person("ibrahim.sesay").context.new_page()
    owner.goto(link_in_mail(demo, owner, to=former, path="/sign-in/not-me"))
    owner.locator("#not-me").click()
    expect(owner.locator("main")).to_contain_text("Choose a new password")
    page.goto(f"{demo.issuer}/account/profile")
    expect(page.locator("#login-form")).to_be_visible()
    owner.goto(link_in_mail(demo, owner, to=former))
    owner.locator("#reset-form [name=new_password]").fill(NEW_PASSWORD)
    owner.locator("#reset-form [name=repeat_password]").fill(NEW_PASSWORD)
    owner.locator("#reset-form .btn.primary").click()
    expect(owner.locator("#reset-form")).to_have_count(0)
    owner.goto(f"{demo.issuer}/account/profile")
    owner.locator("#login-form #username").fill(ibrahim.user_id)
    owner.locator("#login-form #password").fill(NEW_PASSWORD)
    owner.locator("#login-submit").click()
    owner.goto(f"{demo.issuer}/account/profile")
    expect(owner.locator("main")).to_contain_text(former)
