"""What a person does in a browser, and what a portal shows them: the words of the journeys."""

import time
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.journeys.demo import PARTNER, Demo, code_of, people
from tests.journeys.keyboard import press_at, type_into

MOST_PAGES = 10


@dataclass
class PortalPage:
    """One portal in one person's browser."""

    client_id: str
    base: str
    page: Page

    def open(self, path: str = "/") -> int:
        """The status of the page that it ended at."""
        answer = self.page.goto(self.base + path)
        assert answer is not None
        return answer.status

    @property
    def is_here(self) -> bool:
        return self.page.url.startswith(self.base + "/")

    @property
    def me(self) -> dict[str, Any] | None:
        """What the portal was told of whoever is signed in; `None` when nobody is."""
        answer = self.page.request.get(self.base + "/me.json")
        if answer.status == 401:
            return None
        assert answer.status == 200, answer.text()
        told: dict[str, Any] = answer.json()
        return told


@dataclass
class Person:
    """Somebody of the demo, with a browser of their own."""

    demo: Demo
    context: BrowserContext
    user_id: str
    listed: dict[str, Any] = field(default_factory=dict)
    by_keyboard: bool = False
    """Signs in without a pointer."""

    def __post_init__(self) -> None:
        if not self.listed:
            self.listed = next(person for person in people() if person["user_id"] == self.user_id)

    @property
    def password(self) -> str:
        return str(self.listed["password"])

    def at(self, client_id: str) -> PortalPage:
        """A portal, or the partner, in a page of its own."""
        base = self.demo.partner if client_id == PARTNER else self.demo.portal(client_id)
        return PortalPage(client_id, base, self.context.new_page())

    def sign_in(self, portal: PortalPage, *, path: str = "/sign-in", login: str | None = None) -> None:
        """Signs in as a person does: user ID (or e-mail), password, and whatever is asked after it."""
        portal.page.goto(portal.base + path)
        self.type_password(portal, login=login)
        self.finish(portal)

    def type_password(self, portal: PortalPage, *, login: str | None = None, password: str | None = None) -> None:
        """On one page, or on two where the portal asks for the user ID first (A6); then the code, if one is asked."""
        page = portal.page
        self.type_user_id(portal, login=login)
        self._type(page, "#login-form #password", password or self.password)
        with page.expect_navigation():
            self._press(page, "#login-submit")
        self.type_code(page)

    def type_code(self, page: Page) -> None:
        """The code of the person's app, where one is asked."""
        if page.locator("#factor-form #code").count() == 0:
            return
        self._type(page, "#factor-form #code", code_of(self.demo, self.listed))
        with page.expect_navigation():
            self._press(page, "#factor-submit")

    def type_user_id(self, portal: PortalPage, *, login: str | None = None) -> None:
        """Until the page with the password is there."""
        page = portal.page
        username = page.locator("#login-form #username")
        if username.is_editable():
            self._type(page, "#login-form #username", login or self._login(portal))
        if page.locator("#login-form #password").count() == 0:
            self._press(page, "#login-submit")
            page.locator("#login-form #password").wait_for()

    def enter(self, portal: PortalPage, *, path: str = "/sign-in") -> None:
        """By the sign-in that is there already: no page on the way may ask for a password."""
        portal.page.goto(portal.base + path)
        self.finish(portal)

    def finish(self, portal: PortalPage) -> None:
        """Goes through what stands between here and the portal: banner, agreement, consent; never a password."""
        for _ in range(MOST_PAGES):
            if portal.is_here:
                return
            page = portal.page
            assert page.locator("#password").count() == 0, f"asked for a password at {page.url}"
            assert page.locator("#error").count() == 0, page.locator("main").inner_text()
            asked = page.locator("main input[type=radio]").count() > 0
            assert not asked or portal.client_id == PARTNER, f"asked for whom to act at {page.url}"
            self.press_on(page)
        raise AssertionError(f"no way through: {portal.page.url}")

    def agree(self, portal: PortalPage) -> None:
        """To the portal's agreement, where it still asks: another journey of the same person may have agreed before."""
        if portal.page.url.endswith("/agreement"):
            self.press_on(portal.page)

    def choose(self, portal: PortalPage, *, provider_id: str) -> None:
        """Picks for whom to act, on the page that asks."""
        card = portal.page.locator("label", has_text=provider_id).first
        card.locator("input[type=radio]").check()
        self.press_on(portal.page)
        self.finish(portal)

    def press_on(self, page: Page) -> None:
        """`go_on`, and waits until another page is there."""
        with page.expect_navigation():
            self.go_on(page)

    def go_on(self, page: Page) -> None:
        """Ticks what must be ticked and presses the main button."""
        for box in page.locator("main form input[type=checkbox][required]").all():
            box.check()
        choices = page.locator("main input[type=radio]")
        if choices.count() and not page.locator("main input[type=radio]:checked").count():
            choices.first.check()
        allow = page.locator("#consent-allow")
        (allow if allow.count() else page.locator("main form .btn.primary").first).click()

    def _type(self, page: Page, field: str, text: str) -> None:
        if self.by_keyboard:
            type_into(page, page.locator(field), text)
        else:
            page.locator(field).fill(text)

    def _press(self, page: Page, button: str) -> None:
        if self.by_keyboard:
            press_at(page, page.locator(button))
        else:
            page.locator(button).click()

    def _login(self, portal: PortalPage) -> str:
        is_email = portal.client_id in ("carebridge-provider", "ozark-secure")
        return str(self.listed["email"]) if is_email else self.user_id


def expect_gone(portal: PortalPage) -> None:
    """The back-channel logout is queued, so this waits for it, by asking."""
    closing = time.monotonic() + 15
    while portal.me is not None:
        assert time.monotonic() < closing, f"{portal.client_id} is still signed in"
        Event().wait(0.1)
