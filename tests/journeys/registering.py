"""What a newcomer does at each portal, from its *Register* link to its token; only who and for whom differs by test."""

from dataclasses import dataclass, field
from typing import Any

import pyotp
from playwright.sync_api import Page, expect

from tests.journeys.demo import Demo
from tests.journeys.keyboard import press_at, type_into
from tests.journeys.mails import link_in_mail
from tests.journeys.people import PortalPage


@dataclass
class Newcomer:
    """Somebody whom nobody knows yet, with a browser of their own."""

    demo: Demo
    page: Page
    key: str
    password: str = "Thornbury-kestrel46"
    typed: dict[str, Any] = field(default_factory=dict)

    @property
    def email(self) -> str:
        return f"{self.key}@newcomers.example"

    def at(self, client_id: str) -> PortalPage:
        return PortalPage(client_id, self.demo.portal(client_id), self.page)

    def begin(self, portal: PortalPage, link: str) -> None:
        """By the link on the portal's own first page."""
        self.page.goto(f"{portal.base}/")
        self.page.get_by_role("link", name=link).first.click()
        expect(self.page).to_have_url(f"{self.demo.issuer}/enroll/{portal.client_id}/{_ceremony(self.page)}/")

    def fill(self, **typed: str) -> None:
        """Fields by their names; choices by their values."""
        for name, value in typed.items():
            target = self.page.locator(f"#enroll-form [name='{name}']").first
            kind = target.evaluate("node => node.type || node.tagName")
            if kind == "radio":
                self.page.locator(f"#enroll-form [name='{name}'][value='{value}']").check()
            elif kind == "select-one":
                target.select_option(value)
            elif kind == "checkbox":
                target.check()
            else:
                target.fill(value)

    def go_on_by_keyboard(self, **typed: str) -> None:
        """Fields by their names, each reached by Tab, and the page's main button."""
        for name, value in typed.items():
            type_into(self.page, self.page.locator(f"#enroll-form [name='{name}']"), value)
        with self.page.expect_navigation():
            press_at(self.page, self.page.locator("#enroll-submit"))
        assert self.page.locator("#error").count() == 0, self.page.locator("main").inner_text()

    def go_on(self) -> None:
        """The page's main button; what is wrong on the next page is a failure here."""
        with self.page.expect_navigation():
            self.page.locator("#enroll-submit").click()
        assert self.page.locator("#error").count() == 0, self.page.locator("main").inner_text()

    def open_mail(self) -> None:
        """The link of the newest mail, and its button; the password where the page asks for it."""
        here = self.page.context.new_page()
        link = link_in_mail(self.demo, here, to=self.email, path="/enroll/link")
        here.close()
        self.page.goto(link)
        if self.page.locator("#link-form [name='password']").count():
            self.page.locator("#link-form [name='password']").fill(self.password)
        with self.page.expect_navigation():
            self.page.locator("#link-submit").click()

    def sign_in(self, login: str | None = None) -> None:
        """With the password chosen at registration, on one page or on two."""
        username = self.page.locator("#login-form #username")
        if username.is_editable():
            username.fill(login or self.email)
        if self.page.locator("#login-form #password").count() == 0:
            self.page.locator("#login-submit").click()
        self.page.locator("#login-form #password").fill(self.password)
        with self.page.expect_navigation():
            self.page.locator("#login-submit").click()

    def account(self) -> dict[str, str]:
        """What every portal asks for in its own words."""
        return {
            "email": self.email,
            "confirm_email": self.email,
            "password": self.password,
            "confirm_password": self.password,
        }


def set_up_app(page: Page) -> None:
    """Where a second proof is asked for the first time: an authenticator app, its recovery codes saved."""
    if "/set-up-mfa" not in page.url:
        return
    page.locator("main a[href$='/set-up-mfa/totp']").click()
    page.locator("#totp-begin").click()
    key = (page.locator("#totp-key").text_content() or "").replace(" ", "")
    page.locator("#totp-form #code").fill(pyotp.TOTP(key).now())
    page.locator("#totp-submit").click()
    expect(page.locator("main")).to_contain_text("Added")
    page.locator("#set-up-continue").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    with page.expect_navigation():
        page.locator("#codes-saved").click()


def _ceremony(page: Page) -> str:
    return page.url.rstrip("/").rsplit("/", 1)[1]


def register_trading_partner(one: Newcomer, *, zip_code: str, trading_partner_id: str) -> PortalPage:
    """Portal A: account type, partner, account with picture and questions, the password at the link, signed in."""
    portal = one.at("ozark-exchange")
    one.begin(portal, "Register Now")
    one.page.get_by_label("Trading Partner").check()
    one.go_on()
    expect(one.page.locator("main")).to_contain_text("Step 1 of 2")
    one.go_on_by_keyboard(zip_code=zip_code, trading_partner_id=trading_partner_id)
    expect(one.page.locator("main")).to_contain_text("Step 2 of 2")
    for number, answer in enumerate(("Maple Street", "Juniper", "Blue heron"), start=1):
        choice = one.page.locator(f"[name='challenge_question_{number}'], [name='question_{number}']").first
        choice.select_option(index=number)
        one.page.locator(f"[name='answer_{number}'], [name='challenge_answer_{number}']").first.fill(answer)
    one.page.get_by_role("button", name="Check Availability").click()
    one.fill(
        user_id=one.key, password=one.password, confirm_password=one.password, display_name="ABC Provider Group",
        phone="417-555-0142", email=one.email, confirm_email=one.email, site_key="balloon", passphrase="Ozark spring",
    )  # fmt: skip
    one.page.get_by_role("button", name="Check Availability").click()
    expect(one.page.locator("#user_id-available")).to_contain_text("is available")
    one.go_on()
    expect(one.page.locator("main")).to_contain_text("registration has been accepted")
    one.open_mail()
    return portal


def register_practitioner(one: Newcomer, **typed: str) -> PortalPage:
    """Portal C: account, the activating link, sign-in, a second factor, association, agreement, the portal itself."""
    portal = one.at("carebridge-provider")
    one.begin(portal, "Sign-up")
    one.fill(email=one.email, password=one.password, first_name="June", last_name="Calloway")
    one.go_on()
    one.open_mail()
    one.sign_in()
    expect(one.page.locator("h1")).to_contain_text("Set Up Multifactor Authentication")
    one.page.locator("#set-up-now").click()
    set_up_app(one.page)
    one.fill(**typed)
    one.go_on()
    one.fill(agree="yes")
    with one.page.expect_navigation():
        one.page.locator("#enroll-submit").click()
    return portal


def claim_practice(one: Newcomer, *, tin: str, zip_code: str) -> PortalPage:
    """Portal E: account, link, sign-in, the practice, the agreement; then it waits to be verified."""
    portal = one.at("ozark-secure")
    one.begin(portal, "Create an account")
    one.fill(**one.account(), first_name="Nadia", last_name="Brightwater", phone="(417) 555-0143")
    one.go_on()
    one.open_mail()
    one.sign_in()
    one.fill(tin=tin, zip_code=zip_code)
    one.go_on()
    one.fill(agree="yes")
    one.go_on()
    return portal


def request_access(one: Newcomer, *, program: str, state: str, npi: str) -> PortalPage:
    """Portal B: coverage, provider, details, and the request waits for an administrator."""
    portal = one.at("heartland-selfservice")
    one.begin(portal, "Request Access for New User")
    one.fill(program=program, state=state)
    one.go_on()
    one.fill(npi=npi)
    one.go_on()
    one.fill(
        first_name="Ike", last_name="Sandoval", position="Biller", email=one.email, confirm_email=one.email,
        phone="509-555-0144", extension="12", reason="I prepare the claims of this provider from January on.",
    )  # fmt: skip
    one.go_on()
    return portal


def redeem_letter(one: Newcomer, *, login_id: str, pin: str) -> PortalPage:
    """Portal D: the letter, the account, the link, then the portal's own sign-in."""
    portal = one.at("cascade-mmis")
    one.begin(portal, "Account Setup")
    one.fill(login_id=login_id, pin=pin)
    one.go_on()
    one.fill(
        **one.account(), user_id=one.key, first_name="James", last_name="Jones", phone="503-555-1212",
        question_1="Color of the barn", answer_1="Rust", agree="yes",
    )  # fmt: skip
    one.go_on()
    one.open_mail()
    enter_by_user_id(one, portal)
    return portal


def enter_by_user_id(one: Newcomer, portal: PortalPage) -> None:
    """The portal's sign-in, its banner and whatever else it wants accepted."""
    page = one.page
    if page.locator("#login-form").count() == 0:
        portal.open("/sign-in")
    one.sign_in(one.key)
    for _ in range(4):
        set_up_app(page)
        if portal.is_here:
            return
        for box in page.locator("main form input[type=checkbox][required]").all():
            box.check()
        with page.expect_navigation():
            page.locator("main form .btn.primary").first.click()
