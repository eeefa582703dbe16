"""A newcomer registers at each demo portal with what the demo's card prints, and the portal's token says for whom."""

import tomllib
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.demo import ROOT, Demo
from tests.journeys.mails import link_in_mail, wait_for_mail
from tests.journeys.registering import (
    Newcomer,
    claim_practice,
    enter_by_user_id,
    register_practitioner,
    register_trading_partner,
    request_access,
    set_up_app,
)
from tests.journeys.verifying import verify_at

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
Newcomers = Callable[..., Newcomer]
_numbers = count(1)


def card(portal: str, way: str, *, note: bool = False) -> dict[str, str]:
    """What the card of `make demo` says to type."""
    listed = tomllib.loads((ROOT / "clients/demo/registering.toml").read_text("utf-8"))["registering"]
    row = next(row for row in listed if (row["portal"], row["as"], "note" in row) == (portal, way, note))
    return {"name": row["name"], **row["fields"]}


@pytest.fixture
def newcomer(demo: Demo, new_browser: Callable[..., BrowserContext]) -> Newcomers:
    def come(key: str, **options: Any) -> Newcomer:
        return Newcomer(demo, new_browser(**options).new_page(), f"{key}.{next(_numbers)}")

    return come


def test_A1_A10_a_trading_partner_registers_and_lands_signed_in(newcomer: Newcomers) -> None:
    typed = card("ozark-exchange", "Trading Partner")
    partner = typed["TPartner Qualifier"]
    one = newcomer("kettle")
    portal = register_trading_partner(one, zip_code=typed["ZIP Code"], trading_partner_id=partner)
    expect(one.page.locator("#enroll-done")).to_contain_text(typed["name"])
    with one.page.expect_navigation():
        one.page.locator("#enroll-finish").click()
    assert portal.is_here, one.page.url
    me = portal.me
    assert me is not None
    assert me["id_token"]["trading_partner_id"] == me["access_token"]["payload"]["trading_partner_id"] == partner
    wait_for_mail(one.demo, one.page, to=one.email, subject="Your registration is confirmed")


def test_A6_the_picture_and_phrase_greet_them_at_the_next_sign_in(
    newcomer: Newcomers, new_browser: Callable[..., BrowserContext]
) -> None:
    typed = card("ozark-exchange", "Trading Partner")
    one = newcomer("kettle")
    register_trading_partner(one, zip_code=typed["ZIP Code"], trading_partner_id=typed["TPartner Qualifier"])
    page = new_browser().new_page()
    page.goto(f"{one.demo.portal('ozark-exchange')}/sign-in")
    page.locator("#login-form #username").fill(one.key)
    page.locator("#login-submit").click()
    expect(page.locator("main")).to_contain_text("Ozark spring")


def test_B2_B5_a_newcomer_asks_for_access_and_the_request_waits(newcomer: Newcomers) -> None:
    typed = card("heartland-selfservice", "Request access", note=True)
    one = newcomer("ike")
    request_access(one, program=typed["Program"].lower(), state=typed["State"], npi=typed["NPI"])
    expect(one.page.locator("#enroll-done")).to_have_attribute("data-outcome", "requested")
    link = link_in_mail(one.demo, one.page, to=one.email, path="/access-request")
    one.page.goto(link)
    expect(one.page.locator("main")).to_contain_text(typed["name"])
    wait_for_mail(one.demo, one.page, to="graham.tillery@people.example", subject="Somebody asks to act for")


@pytest.mark.parametrize("size", [{"width": 390, "height": 844}])
def test_C1_C10_X6_a_practitioner_registers_on_a_phone(newcomer: Newcomers, size: dict[str, int]) -> None:
    typed = card("carebridge-provider", "Practitioner")
    first, last = typed["name"].split(" ")
    one = newcomer("june", viewport=size, color_scheme="dark")
    portal = register_practitioner(
        one, provider_type="practitioner", practitioner_first_name=first, practitioner_last_name=last,
        practitioner_tin=typed["Tax ID"], practitioner_provider_id=typed["Provider Number"],
        practitioner_zip_code=typed["ZIP Code"],
    )  # fmt: skip
    assert portal.is_here, one.page.url
    me = portal.me
    assert me is not None
    assert me["id_token"]["provider_id"] == me["userinfo"]["provider_id"] == typed["Provider Number"]
    assert me["userinfo"]["tin"] == typed["Tax ID"]
    assert _scrolls_sideways(one.page) is False


def test_D2_D4_X6_a_letter_opens_an_account_by_keyboard_alone(newcomer: Newcomers) -> None:
    typed = card("cascade-mmis", "PIN letter", note=True)
    one = newcomer("james")
    one.password = "Zinc-lantern-82"
    portal = one.at("cascade-mmis")
    page = one.page
    page.goto(f"{portal.base}/")
    _press_until(page, "Account Setup")
    _type(page, login_id=typed["Login ID"], pin=typed["PIN"])
    _enter(page)
    _type(
        page, user_id=one.key, last_name="Jones", first_name="James", phone="503-555-1212",
        password=one.password, confirm_password=one.password, email=one.email, confirm_email=one.email,
        question_1="Color of the barn", answer_1="Rust",
    )  # fmt: skip
    _tick(page, "agree")
    _enter(page)
    expect(page.locator("main")).to_contain_text("e-mail")
    one.open_mail()
    enter_by_user_id(one, portal)
    me = portal.me
    assert me is not None
    assert me["id_token"]["provider_id"] == typed["Login ID"]
    assert "clerks.maintain" in me["userinfo"]["entitlements"], "whoever redeems the letter is the account manager"


def test_E0_E2_a_practice_is_claimed_and_waits_until_it_is_verified(newcomer: Newcomers) -> None:
    typed = card("ozark-secure", "Practice", note=True)
    one = newcomer("nadia")
    portal = claim_practice(one, tin=typed["TIN"], zip_code=typed["ZIP Code"])
    expect(one.page.locator("#enroll-done")).to_have_attribute("data-outcome", "verification_pending")
    expect(one.page.locator("main")).to_contain_text("Verification Pending")
    portal.open("/sign-in")
    expect(one.page.locator("main")).to_contain_text("cannot act")
    verify_at(one.demo, one.email, registry="ozark", portal="ozark-secure")
    portal.open("/sign-in")
    set_up_app(one.page)
    assert portal.is_here, one.page.url
    me = portal.me
    assert me is not None
    assert me["userinfo"]["tin"] == typed["TIN"]


def _scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def _press_until(page: Page, name: str) -> None:
    """Walks by Tab to the link of that name, and follows it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText || ''").strip() == name:
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is not reached by Tab")


def _focus(page: Page, name: str) -> None:
    for _ in range(80):
        if page.evaluate("document.activeElement.name || ''") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the field {name} is not reached by Tab")


def _type(page: Page, **typed: str) -> None:
    for name, value in typed.items():
        _focus(page, name)
        page.keyboard.type(value)


def _tick(page: Page, name: str) -> None:
    _focus(page, name)
    page.keyboard.press("Space")


def _enter(page: Page) -> None:
    """The page's main button is reached by Tab and pressed."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "enroll-submit":
            with page.expect_navigation():
                page.keyboard.press("Enter")
            assert page.locator("#error").count() == 0, page.locator("main").inner_text()
            return
    raise AssertionError("the main button is not reached by Tab")
