"""The payer's staff at work in a browser: the first registrant of a TIN verified (E1), a caller helped (X5)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.demo import PROVIDER, Demo
from tests.journeys.keyboard import press_at, type_into
from tests.journeys.mails import link_in_mail
from tests.journeys.people import Person, PortalPage
from tests.journeys.registering import Newcomer, claim_practice
from tests.journeys.test_managing import accept, press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
UNMANAGED = {"tin": "182829229", "zip_code": "64468"}
"""A practice of the demo that nobody manages at portal E."""


def at_the_console(member: Person, path: str = "") -> Page:
    """Signed in with password and app, on the page asked for."""
    page = member.context.new_page()
    page.goto(f"{member.demo.issuer}/console/")
    member.type_password(PortalPage(PROVIDER, member.demo.issuer, page), login=member.user_id)
    expect(page.locator("h1")).to_have_text("Overview")
    expect(page.locator(".top .badge")).to_have_text("Staff")
    page.goto(f"{member.demo.issuer}/console/{path}")
    return page


def test_E1_the_first_registrant_of_a_tin_is_verified_and_manages_it(
    demo: Demo, new_browser: Callable[..., BrowserContext], person: Callable[..., Person]
) -> None:
    one = Newcomer(demo, new_browser().new_page(), "nadia.first")
    portal = claim_practice(one, **UNMANAGED)
    desk = at_the_console(person("nora.whitlock"), "registrants")
    desk.get_by_role("row", name="Nadia Brightwater").filter(has_text="Registrar").get_by_role("link").click()
    expect(desk.locator("main")).to_contain_text(one.email)
    expect(desk.locator("main")).to_contain_text("**-***9229")
    desk.locator("#note").fill("Called the practice")
    press(desk, "#verify-form .btn.primary")
    expect(desk.locator("#done")).to_contain_text("Verified")
    accept(one, demo)
    one.page.goto(f"{demo.issuer}/account/access")
    expect(one.page.locator("main")).to_contain_text("Active")
    portal.open("/sign-in")
    assert one.page.url.endswith("/set-up-mfa"), f"a manager shows a second factor there: {one.page.url}"
    one.page.goto(f"{demo.issuer}/manage/")
    expect(one.page.locator("h1")).to_have_text("Manage Users")
    mine = one.page.get_by_role("row", name="Cedar Bend Dental Associates").filter(has_text="Secure Portal")
    expect(mine.get_by_role("link", name="Open")).to_have_count(1)


def test_X5_X6_a_caller_is_checked_and_mailed_a_reset_without_a_pointer(
    demo: Demo, person: Callable[..., Person]
) -> None:
    paul = person("paul.ostrander")
    paul.by_keyboard = True
    desk = at_the_console(paul, "help")
    type_into(desk, desk.locator("#login"), "hugo.ibarra")
    type_into(desk, desk.locator("#reason"), "Forgot the password")
    with desk.expect_navigation():
        press_at(desk, desk.locator("#case-form .btn.primary"))
    hugo = person("hugo.ibarra")
    expect(desk.locator("h1")).to_contain_text("H. I.")
    assert hugo.listed["email"] not in desk.content()
    type_into(desk, desk.locator("#email"), hugo.listed["email"])
    type_into(desk, desk.locator("#phone_last4"), hugo.listed["phone"][-4:])
    with desk.expect_navigation():
        press_at(desk, desk.locator("#check-form .btn.primary"))
    expect(desk.locator("#done")).to_contain_text("credible")
    with desk.expect_navigation():
        press_at(desk, desk.locator("#case-recover"))
    assert link_in_mail(demo, hugo.context.new_page(), to=hugo.listed["email"])


@pytest.mark.parametrize("width", [1280, 390])
def test_X6_no_page_of_the_console_scrolls_sideways(person: Callable[..., Person], width: int) -> None:
    desk = at_the_console(person("ana.fuentes"))
    desk.set_viewport_size({"width": width, "height": 800})
    for path in ("", "help", "directory", "directory/imports", "relying-parties", "keys", "outbox", "staff"):
        desk.goto(f"{desk.url.split('/console')[0]}/console/{path}")
        assert desk.locator("main h1").count() == 1, path
        sideways = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not desk.evaluate(sideways), path
