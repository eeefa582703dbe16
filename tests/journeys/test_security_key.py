"""Portal C: a roaming security key made on its set-up page, a recovery code, and a browser that is remembered (C4, C5)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.demo import Demo
from tests.journeys.people import Person
from tests.journeys.test_passkeys import WITHOUT_SUGGESTIONS, Authenticator
from tests.journeys.test_ways_of_c4 import C, bare, check, come  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


def test_C4_C5_a_security_key_and_a_recovery_code_sign_in_and_a_browser_is_remembered(
    demo: Demo,
    person: Callable[..., Person],
    bare: Callable[[str], None],  # noqa: F811
    screenshots: Callable[[Page, str], None],
) -> None:
    bare("mei.tanaka")
    mei = person("mei.tanaka")
    mei.context.add_init_script(WITHOUT_SUGGESTIONS)
    portal = mei.at(C)
    page = portal.page
    come(portal, mei)
    page.wait_for_url("**/set-up-mfa")
    Authenticator(page, transport="usb")
    page.locator("#kinds a[href$='/passkey']").click()
    page.locator("#name").fill("Key on my ring")
    page.locator("#passkey-submit").click()
    expect(page.locator("main")).to_contain_text("Key on my ring")
    page.locator("#set-up-continue").click()
    code = page.locator("#recovery-codes code").first.inner_text()
    check(page)
    with page.expect_navigation():
        page.locator("#codes-saved").click()
    mei.finish(portal)

    come(portal, mei)
    page.wait_for_url("**/second-factor/passkey")
    with page.expect_navigation():
        page.locator("#passkey-submit").click()
    mei.finish(portal)
    assert portal.me is not None
    assert portal.me["id_token"]["acr"] in ("aal2", "phr"), portal.me["id_token"]
    assert {"hwk", "pop", "mfa"} & set(portal.me["id_token"]["amr"]), portal.me["id_token"]

    come(portal, mei)
    page.get_by_role("link", name="Another way").click()
    page.locator("main a[href$='/recovery']").click()
    page.locator("#code").fill(code)
    with page.expect_navigation():
        page.locator("#factor-submit").click()
    mei.finish(portal)
    assert portal.me is not None

    come(portal, mei)
    page.locator("main input[name=remember]").check()
    screenshots(page, "remember")
    with page.expect_navigation():
        page.locator("#passkey-submit").click()
    mei.finish(portal)
    page.goto(f"{portal.base}/sign-out?scope=everywhere")
    portal.open("/sign-in")
    mei.type_password(portal)
    assert "/second-factor/" not in page.url, "this browser was remembered"
    mei.finish(portal)
    assert portal.me is not None
    assert portal.me["id_token"]["amr"] == ["pwd"], "a remembered device never adds to amr"
