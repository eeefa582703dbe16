"""Passkeys in Chromium, with the authenticator that its DevTools protocol offers (CDP `WebAuthn`)."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.demo import Demo
from tests.journeys.mails import wait_for_mail
from tests.journeys.people import Person, PortalPage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
WITHOUT_SUGGESTIONS = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
"""The authenticator of these tests is always touched at once: it would answer the suggestions before a button is pressed."""


class Authenticator:
    """An authenticator of one page, of its platform or a roaming key's: makes discoverable keys, and verifies its user unless
    told otherwise."""

    def __init__(self, page: Page, *, keys: list[dict[str, Any]] | None = None, transport: str = "internal") -> None:
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable", {"enableUI": False})
        self._id = self._cdp.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": transport,
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )["authenticatorId"]
        for key in keys or ():
            self._tell("addCredential", credential=key)

    @property
    def keys(self) -> list[dict[str, Any]]:
        """What it holds, private keys and all: enough for a copy."""
        found: list[dict[str, Any]] = self._tell("getCredentials")["credentials"]
        return found

    def verifies(self, on: bool) -> None:
        self._tell("setUserVerified", isUserVerified=on)

    def put_back(self, key: dict[str, Any]) -> None:
        """Take a key away and put a copy in its place."""
        self._tell("removeCredential", credentialId=key["credentialId"])
        self._tell("addCredential", credential=key)

    def _tell(self, what: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._cdp.send(f"WebAuthn.{what}", {"authenticatorId": self._id, **more})
        return answer


def open_sign_in(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.issuer}/sign-in?to=account.overview")
    expect(page.locator("#login-form")).to_be_visible()


def make_passkey(demo: Demo, someone: Person, page: Page, name: str) -> None:
    """Sign in by password, and make a passkey at the set-up page."""
    page.goto(f"{demo.issuer}/sign-in?to=account.overview&set-up=1")
    page.locator("#username").fill(someone.user_id)
    page.locator("#password").fill(someone.password)
    with page.expect_navigation():
        page.locator("#login-submit").click()
    someone.type_code(page)
    page.locator("main a[href$='/set-up-mfa/passkey']").click()
    check(page)
    page.locator("#name").fill(name)
    page.locator("#passkey-submit").click()
    expect(page.locator("main")).to_contain_text(name)
    page.locator("#set-up-continue").click()
    expect(page.locator("main")).to_contain_text("ecovery codes")


def check(page: Page) -> None:
    """X6: axe finds nothing."""
    assert [row["id"] for row in Axe().run(page).response["violations"]] == [], page.url


def at_account(demo: Demo, page: Page) -> None:
    page.wait_for_url(f"{demo.issuer}/account/")


@pytest.fixture
def equipped(demo: Demo, person: Callable[..., Person]) -> Callable[[str], tuple[Page, Authenticator]]:
    """Somebody who has just made a passkey and signed out, at the page whose authenticator holds it."""

    def equip(user_id: str, *, suggests: bool = False) -> tuple[Page, Authenticator]:
        someone = person(user_id)
        if not suggests:
            someone.context.add_init_script(WITHOUT_SUGGESTIONS)
        page = someone.context.new_page()
        authenticator = Authenticator(page)
        make_passkey(demo, someone, page, "Front desk")
        someone.context.clear_cookies()
        return page, authenticator

    return equip


def test_C4_a_passkey_is_made_and_signs_in_without_a_user_id(
    demo: Demo, equipped: Callable[..., Any], screenshots: Callable[[Page, str], None]
) -> None:
    page, _ = equipped("colin.maddox")
    open_sign_in(demo, page)
    screenshots(page, "passkey-sign-in")
    page.locator("#passkey-submit").click()
    at_account(demo, page)
    expect(page.locator("body")).to_contain_text("Colin")


def test_C4_a_passkey_stands_among_the_suggestions_of_the_user_id(demo: Demo, equipped: Callable[..., Any]) -> None:
    """Conditional mediation: nobody presses our button; the browser's suggestion is picked (here: by the simulation)."""
    page, _ = equipped("priya.menon", suggests=True)
    page.goto(f"{demo.issuer}/sign-in?to=account.overview")
    at_account(demo, page)


def test_C4_a_passkey_is_the_second_factor_after_the_password(
    demo: Demo, equipped: Callable[..., Any], person: Callable[..., Person]
) -> None:
    page, _ = equipped("lena.fairbanks")
    lena = person("lena.fairbanks")
    open_sign_in(demo, page)
    page.locator("#username").fill(lena.user_id)
    page.locator("#password").fill(lena.password)
    page.locator("#login-submit").click()
    page.wait_for_url("**/second-factor/passkey")
    check(page)
    expect(page.get_by_role("link", name="Another way")).to_be_visible()
    page.locator("#passkey-submit").click()
    at_account(demo, page)
    portal = PortalPage("carebridge-provider", demo.portal("carebridge-provider"), page)
    page.goto(f"{portal.base}/sign-in")
    lena.finish(portal)
    assert portal.me is not None
    told = portal.me["id_token"]
    assert (told["acr"], told["amr"]) == ("aal2", ["pwd", "swk", "user", "mfa"])


def test_MF_27_without_user_verification_nothing_is_sent(demo: Demo, equipped: Callable[..., Any]) -> None:
    page, authenticator = equipped("andre.boisvert")
    open_sign_in(demo, page)
    authenticator.verifies(False)
    page.locator("#passkey-submit").click()
    expect(page.locator("[data-passkey-status]")).to_contain_text("Nothing was sent")
    expect(page.locator("#login-form #password")).to_be_visible()
    authenticator.verifies(True)
    page.locator("#passkey-submit").click()
    at_account(demo, page)


def test_MF_28_a_copy_that_lags_behind_raises_the_alarm(demo: Demo, equipped: Callable[..., Any]) -> None:
    page, authenticator = equipped("graham.tillery")
    (copy,) = authenticator.keys
    for _ in range(2):
        open_sign_in(demo, page)
        page.locator("#passkey-submit").click()
        at_account(demo, page)
        page.context.clear_cookies()
    authenticator.put_back(copy)
    open_sign_in(demo, page)
    page.locator("#passkey-submit").click()
    expect(page.locator("#error")).to_contain_text("stopped")
    check(page)
    wait_for_mail(demo, page, to="graham.tillery@people.example", subject="A passkey of yours was stopped")


def test_without_script_the_password_remains_and_no_passkey_is_offered(
    demo: Demo, person: Callable[..., Person]
) -> None:
    page = person("rosa.delgado", java_script_enabled=False).context.new_page()
    open_sign_in(demo, page)
    expect(page.locator("#passkey-submit")).to_be_hidden()
    expect(page.locator("#login-submit")).to_be_visible()
