"""A sign-in without a mouse, without scripts, and with more than one thing going on at once."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.demo import Demo, code_of
from tests.journeys.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


def tab_to(page: Page, selector: str) -> None:
    """By the Tab key alone, as somebody does who has no mouse; what has the focus must be seen to have it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert shown != "none", f"the focus on {selector} cannot be seen"
            return
    raise AssertionError(f"no way to {selector} by keyboard at {page.url}")


@pytest.mark.parametrize("client_id", ["ozark-exchange", "cascade-mmis"])
def test_X6_the_keyboard_is_enough(client_id: str, rosa: Person) -> None:
    portal = rosa.at(client_id)
    page = portal.page
    portal.open("/")
    tab_to(page, "main a[href^='/sign-in'], main a[href$='/sign-in']")
    page.keyboard.press("Enter")
    page.locator("#username").wait_for()
    if not page.evaluate("document.activeElement.id === 'username'"):
        tab_to(page, "#username")
    page.keyboard.type(rosa.user_id)
    if page.locator("#login-form #password").count() == 0:
        with page.expect_navigation():
            page.keyboard.press("Enter")
    if not page.evaluate("document.activeElement.id === 'password'"):
        tab_to(page, "#password")
    page.keyboard.type(rosa.password)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id === 'code'")
    page.keyboard.type(code_of(rosa.demo, rosa.listed))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{portal.base}/**")
    assert portal.me is not None
    portal.open("/me")
    tab_to(page, "a[href='/sign-out']")
    page.keyboard.press("Enter")
    page.locator("#sign-out-everywhere").wait_for()
    tab_to(page, "#sign-out-everywhere")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("signed out everywhere")


def test_X6_no_script_is_needed(person: Callable[..., Person]) -> None:
    marcus = person("marcus.oyelaran", java_script_enabled=False)
    portal = marcus.at("cascade-mmis")
    page = portal.page
    portal.open("/")
    page.locator("main a[href*='/sign-in']").first.click()
    marcus.type_password(portal)
    page.locator("input[name=q]").fill("053918418")
    page.locator("form[role=search] button").click()
    page.locator("main input[type=radio]").first.wait_for()
    marcus.choose(portal, provider_id="053918418")
    me = portal.me
    assert me is not None
    assert me["userinfo"]["provider_id"] == "053918418"
    portal.open("/sign-out")
    page.locator("#sign-out-everywhere").click()
    expect(page.locator("main")).to_contain_text("signed out everywhere")
    assert portal.me is None


def test_two_tabs_each_come_to_their_own_portal(rosa: Person) -> None:
    """Each tab has its own transaction: the password typed into one leaves the other able to go on."""
    first, second = rosa.at("heartland-selfservice"), rosa.at("carebridge-provider")
    first.open("/sign-in")
    second.open("/sign-in")
    rosa.type_password(first)
    rosa.finish(first)
    rosa.type_password(second)
    rosa.finish(second)
    assert first.me is not None
    assert second.me is not None
    assert first.me["id_token"]["aud"] != second.me["id_token"]["aud"]


def test_the_back_button_after_signing_out_shows_nothing_of_the_person(rosa: Person) -> None:
    portal = rosa.at("cascade-mmis")
    rosa.sign_in(portal)
    portal.open("/me")
    portal.open("/sign-out")
    portal.page.locator("#sign-out-everywhere").click()
    expect(portal.page.locator("main")).to_contain_text("signed out everywhere")
    portal.page.go_back()
    portal.page.go_back()
    assert "Delgado" not in portal.page.content()


def test_MODEL_5_somebody_without_access_is_told_and_sent_back(person: Callable[..., Person]) -> None:
    wren = person("wren.castellano")
    portal = wren.at("heartland-selfservice")
    portal.open("/sign-in")
    with portal.page.expect_navigation():
        wren.type_password(portal)
    wren.agree(portal)
    expect(portal.page.locator("h1")).to_contain_text("you cannot act at")
    portal.page.locator("#go-back").click()
    portal.page.wait_for_url(f"{portal.base}/**")
    assert portal.me is None


def test_SI_08_somebody_disabled_is_answered_like_a_wrong_password(person: Callable[..., Person]) -> None:
    said = []
    for password in (None, "Wrong-password-00"):
        victor = person("victor.lindgren")
        portal = victor.at("ozark-secure")
        portal.open("/sign-in")
        victor.type_password(portal, password=password)
        portal.page.locator("[role=alert]").first.wait_for()
        said.append(portal.page.locator("[role=alert]").first.inner_text())
    assert said[0] == said[1]


def test_C10_an_agreement_is_asked_once(person: Callable[..., Person]) -> None:
    """Of a demo that was just begun: whoever accepted it is not asked again."""
    sofia = person("sofia.reyes")
    portal = sofia.at("carebridge-provider")
    portal.open("/sign-in")
    sofia.type_password(portal)
    expect(portal.page.locator("h1")).to_contain_text("Provider Agreement")
    portal.page.locator("main form .btn.primary").first.click()
    expect(portal.page.locator("h1")).to_contain_text("Provider Agreement")
    assert not portal.is_here, "without the tick nobody goes on"
    sofia.press_on(portal.page)
    assert "/agreement" not in portal.page.url
    again = person("sofia.reyes")
    there = again.at("carebridge-provider")
    there.open("/sign-in")
    again.type_password(there)
    expect(there.page.locator("h1")).not_to_contain_text("Provider Agreement")


def test_X4_what_the_person_sees_of_themself(rosa: Person, demo: Demo) -> None:
    """Their sessions and apps, and an app's access taken back from there ends at the portal too."""
    portal = rosa.at("cascade-mmis")
    rosa.sign_in(portal)
    page = portal.page
    page.goto(f"{demo.issuer}/account/access")
    expect(page.locator("main")).to_contain_text("604417290")
    page.goto(f"{demo.issuer}/account/apps")
    page.locator("a[href*='/apps/cascade-mmis/revoke']").click()
    page.locator("main form .btn").first.click()
    expect(page.locator("[role=status]").first).to_be_visible()
    assert portal.me is None, "the tokens died, so the portal learns nothing more"
