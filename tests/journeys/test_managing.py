"""Account managers at work in a browser: a request approved (B), a registrant verified and given access (E)."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.demo import PROVIDER, Demo
from tests.journeys.mails import link_in_mail, wait_for_mail
from tests.journeys.people import Person, PortalPage
from tests.journeys.registering import Newcomer, claim_practice, request_access
from tests.journeys.test_registering import card

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
People = Callable[..., Person]
Newcomers = Callable[..., Newcomer]
_numbers = count(1)
SEED_004 = ("<script>alert(1)</script>", ";alert(1)//</xmp><script>alert(1)</script>")


@pytest.fixture
def newcomer(demo: Demo, new_browser: Callable[..., BrowserContext]) -> Newcomers:
    def come(key: str, **options: Any) -> Newcomer:
        return Newcomer(demo, new_browser(**options).new_page(), f"{key}.m{next(_numbers)}")

    return come


def at_their_desk(manager: Person, portal_name: str) -> Page:
    """*Manage Users* of the manager's target at this portal."""
    page = manager.context.new_page()
    page.goto(f"{manager.demo.issuer}/manage/")
    desk = PortalPage(PROVIDER, manager.demo.issuer, page)
    with page.expect_navigation(url="**/manage/**"):
        manager.type_password(desk, login=manager.user_id)
    if page.url.rstrip("/").endswith("/manage"):
        page.get_by_role("row", name=portal_name).get_by_role("link", name="Open").first.click()
    expect(page.locator("h1")).to_have_text("Manage Users")
    return page


def press(page: Page, selector: str) -> None:
    with page.expect_navigation():
        page.locator(selector).click()


def test_B5_B7_a_request_is_approved_and_the_requester_registers_and_acts(newcomer: Newcomers, person: People) -> None:
    typed = card("heartland-selfservice", "Request access", note=True)
    one = newcomer("ike")
    portal = request_access(one, program=typed["Program"].lower(), state=typed["State"], npi=typed["NPI"])
    manager = person("graham.tillery")
    desk = at_their_desk(manager, "Heartland Provider Self Services")
    press(desk, "#view-requests")
    row = desk.get_by_role("row", name="Ike Sandoval").last
    expect(row).to_contain_text("4 d 23 h")
    row.get_by_role("link").click()
    expect(desk.locator("main")).to_contain_text("I prepare the claims of this provider from January on.")
    expect(desk.locator("main")).to_contain_text(one.email)
    press(desk, "#approve")
    expect(desk.locator("#done")).to_contain_text("Approved")
    register_invited(one, manager.demo)
    agree_to_terms(one, portal)
    assert portal.is_here, one.page.url
    me = portal.me
    assert me is not None
    assert me["userinfo"]["provider_id"] == "500200"
    assert set(me["userinfo"]["entitlements"]) == {"claims.inquiry", "eligibility.inquiry"}


def test_B8_without_an_answer_in_five_days_a_late_yes_is_refused_and_the_request_is_gone(
    demo: Demo, newcomer: Newcomers, person: People
) -> None:
    typed = card("heartland-selfservice", "Request access", note=True)
    one = newcomer("ike")
    request_access(one, program=typed["Program"].lower(), state=typed["State"], npi=typed["NPI"])
    desk = at_their_desk(person("graham.tillery"), "Heartland Provider Self Services")
    press(desk, "#view-requests")
    desk.get_by_role("row", name="Ike Sandoval").last.get_by_role("link").click()
    expect(desk.locator("main")).to_contain_text(one.email)
    five_days_pass(demo, email=one.email)
    press(desk, "#approve")
    expect(desk.locator("#error")).to_contain_text("five days are over")
    desk.goto(desk.url.partition("/requests")[0] + "/requests")
    expect(desk.locator("main")).not_to_contain_text("Ike Sandoval")


def five_days_pass(demo: Demo, *, email: str) -> None:
    """For this request alone: it was made five days earlier than it was."""
    with closing(sqlite3.connect(demo.data_dir / "credence.sqlite3", timeout=20)) as database, database:
        made = database.execute("SELECT submitted_at FROM access_request WHERE email = ?", (email,)).fetchone()[0]
        earlier = datetime.fromisoformat(made) - timedelta(days=5)
        database.execute(
            "UPDATE access_request SET submitted_at = ? WHERE email = ?", (earlier.isoformat(sep=" "), email)
        )


def register_invited(one: Newcomer, demo: Demo) -> None:
    """From the invitation in the mailbox to the portal, with a new account."""
    here = one.page.context.new_page()
    link = link_in_mail(demo, here, to=one.email, path="/invitation")
    here.close()
    one.page.goto(link)
    press(one.page, "#open-invitation")
    press(one.page, "#register")
    one.go_on()
    one.fill(**one.account(), user_id=one.key, first_name="Ike", last_name="Sandoval", phone="509-555-0144")
    one.go_on()
    one.open_mail()
    one.sign_in()
    one.fill(agree="yes")
    press(one.page, "#enroll-submit")


def agree_to_terms(one: Newcomer, portal: PortalPage) -> None:
    """What the portal's own sign-in button would have accepted is asked of who came by another way (B1)."""
    if not portal.is_here:
        one.page.locator("main form input[type=checkbox][required]").check()
        press(one.page, "main form .btn.primary")


def test_E2_E9_a_registrant_is_verified_given_access_and_commented_on(newcomer: Newcomers, person: People) -> None:
    typed = card("ozark-secure", "Practice", note=True)
    one, manager = newcomer("nadia"), person("lena.fairbanks")
    portal = claim_practice(one, tin=typed["TIN"], zip_code=typed["ZIP Code"])
    desk = at_their_desk(manager, "Ozark Health & Wellness Secure Portal")
    wait_for_mail(manager.demo, manager.context.new_page(), to=manager.listed["email"], subject="Somebody waits")
    desk.get_by_role("link", name="Verification Pending").click()
    desk.get_by_role("row", name=one.email).get_by_role("link").click()
    desk.get_by_role("link", name="Verify Account").click()
    press(desk, "#do-it")
    expect(desk.locator("#done")).to_contain_text("Verified")
    expect(desk.locator("main .badge").first).to_have_text("Unverified")
    accept(one, manager.demo)
    portal.open("/sign-in")
    assert portal.is_here, one.page.url
    assert portal.me is not None
    assert set(portal.me["userinfo"]["entitlements"]) == {"claims", "eligibility"}
    desk.reload()
    desk.get_by_label("Health Records").check()
    press(desk, "#save-access")
    expect(desk.locator("#done")).to_contain_text("Access saved")
    portal.open("/sign-in")
    assert portal.me is not None
    assert set(portal.me["userinfo"]["entitlements"]) == {"claims", "eligibility", "health_records"}
    for said in SEED_004:
        desk.locator("#text").fill(said)
        press(desk, "#add-comment")
        expect(desk.locator(".history li").first).to_contain_text(said)


def accept(one: Newcomer, demo: Demo) -> None:
    """The registration mail, opened in the browser that is signed in, and the yes."""
    here = one.page.context.new_page()
    link = link_in_mail(demo, here, to=one.email, path="/invitation")
    here.close()
    one.page.goto(link)
    press(one.page, "#open-invitation")
    with one.page.expect_navigation():
        one.page.get_by_role("button", name="Accept the invitation").click()
    expect(one.page.locator("#done")).to_contain_text("You can act for")
