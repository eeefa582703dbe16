"""Clerk Maintenance in a browser (D6–D8): added by hand, roles moved by keyboard, a password of their own, and out."""

from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.demo import PROVIDER, Demo
from tests.journeys.keyboard import press_at
from tests.journeys.mails import link_in_mail
from tests.journeys.people import Person, PortalPage, expect_gone
from tests.journeys.test_managing import press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
PORTAL, TEMPORARY, OWN = "cascade-mmis", "Walnut-kettle-77", "Harbor-lantern-31"
_numbers = count(1)
Screenshots = Callable[[Page, str], None]


def maintenance(manager: Person) -> Page:
    """*Clerk Maintenance*, from the portal's own account menu (D5)."""
    page = manager.context.new_page()
    page.goto(f"{manager.demo.issuer}/manage/")
    with page.expect_navigation(url="**/manage/**"):
        manager.type_password(PortalPage(PROVIDER, manager.demo.issuer, page), login=manager.user_id)
    if page.url.rstrip("/").endswith("/manage"):
        page.get_by_role("row", name="Cascade MMIS").get_by_role("link", name="Open").first.click()
    expect(page.locator("h1")).to_have_text("Clerk Maintenance")
    return page


def move_by_keyboard(page: Page, role: str, *, arrow: str) -> None:
    """Tab and space and enter alone: no pointer."""
    press_at(page, page.get_by_role("checkbox", name=role, exact=True), "Space")
    press_at(page, page.get_by_role("button", name=arrow, exact=True))


def assigned(page: Page) -> Locator:
    return page.locator("#assigned li")


def add_clerk(desk: Page, *, user_name: str, email: str) -> None:
    desk.locator("#add-person").click()
    desk.locator("#add-new").click()
    expect(desk.locator("main")).to_contain_text("Type data below for new record")
    typed = {
        "user_id": user_name, "first_name": "Clara", "last_name": "Voss", "phone": "509-555-0143", "email": email,
        "confirm_email": email, "password": TEMPORARY, "confirm_password": TEMPORARY,
    }  # fmt: skip
    for name, text in typed.items():
        desk.locator(f"#clerk-form #{name}").fill(text)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without"])
def test_D6_D8_a_clerk_is_added_chooses_a_password_says_yes_acts_and_is_out_at_once(
    demo: Demo,
    person: Callable[..., Person],
    new_browser: Callable[..., BrowserContext],
    screenshots: Screenshots,
    scripts: bool,
) -> None:
    name = f"clerk.clara{next(_numbers)}{'s' if scripts else 'w'}"
    email = f"{name}@people.example"
    desk = maintenance(person("rosa.delgado", java_script_enabled=scripts))
    screenshots(desk, "clerk-maintenance")
    add_clerk(desk, user_name=name, email=email)
    move_by_keyboard(desk, "Claim Submission", arrow="Assign")
    move_by_keyboard(desk, "Eligibility Inquiry", arrow="Take away")
    expect(assigned(desk)).to_have_text(["Claim Inquiry", "Claim Submission"])
    screenshots(desk, "clerk-new")
    if not scripts:  # the page was sent twice by the arrows, and no page sends a password back
        for field in ("password", "confirm_password"):
            desk.locator(f"#{field}").fill(TEMPORARY)
    press(desk, "#add-clerk")
    expect(desk.locator("#done")).to_contain_text("Clerk added")
    expect(desk.locator("main .badge").first).to_have_text("Unverified")

    clara = new_browser().new_page()
    portal = PortalPage(PORTAL, demo.portal(PORTAL), clara)
    clara.goto(link_in_mail(demo, clara, to=email, path="/sign-in/prove-mailbox"))
    clara.locator("#password").fill(TEMPORARY)
    press(clara, "#prove-mailbox-form .btn.primary")
    clara.locator("#new_password").fill(OWN)
    clara.locator("#repeat_password").fill(OWN)
    press(clara, "#reset-form .btn.primary")
    expect(clara.locator("#done")).to_contain_text("Your new password is saved")
    Person(demo, clara.context, name, {"user_id": name, "email": email, "password": OWN}).sign_in(portal, login=name)
    assert portal.is_here, clara.url
    assert portal.me is not None
    assert set(portal.me["userinfo"]["entitlements"]) == {"claims.inquiry", "claims.submit"}
    assert portal.me["userinfo"]["provider_id"] == "604417290"

    desk.reload()
    expect(desk.locator("main .badge").first).to_have_text("Active")
    desk.get_by_role("link", name="Remove").click()
    press(desk, "#do-it")
    expect(desk.locator("#done")).to_contain_text("Removed")
    expect_gone(portal)
    clara.goto(demo.portal(PORTAL) + "/sign-in")
    assert "cannot-act" in clara.url, clara.url
    expect(clara.locator("main")).to_contain_text("not linked to any provider")


def test_D7_an_existing_user_is_found_by_user_name_and_last_name_and_asked_at_sign_in(
    demo: Demo, person: Callable[..., Person], screenshots: Screenshots
) -> None:
    desk, hugo = maintenance(person("rosa.delgado")), person("hugo.ibarra")
    desk.locator("#add-person").click()
    desk.locator("#add-existing").click()
    desk.locator("#user_name").fill(hugo.user_id)
    desk.locator("#last_name").fill("nobody")
    press(desk, "#search")
    expect(desk.locator("#found")).to_contain_text("Nobody")
    desk.locator("#last_name").fill(hugo.listed["family_name"])
    press(desk, "#search")
    expect(desk.locator("#found")).to_contain_text("H. I.")
    assert hugo.listed["email"] not in desk.content()
    screenshots(desk, "clerk-found")
    press(desk, "#found .btn")
    press(desk, "#add-clerk")
    expect(desk.locator("#done")).to_contain_text("asked to accept")
    portal = hugo.at(PORTAL)
    portal.page.goto(portal.base + "/sign-in")
    hugo.type_password(portal)
    while not portal.page.url.endswith("/access-offered"):
        hugo.press_on(portal.page)
    screenshots(portal.page, "clerk-offered")
    press(portal.page, "#accept-access")
    desk.reload()
    expect(desk.locator("main .badge").first).to_have_text("Active")
    desk.get_by_role("link", name="Remove").click()
    press(desk, "#do-it")
    expect(desk.locator("#done")).to_contain_text("Removed")
