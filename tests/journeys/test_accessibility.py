"""X6: axe finds no violation on any page, light and dark, in English and Spanish, on a desk and on a phone."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.demo import PARTNER, PORTALS, PROVIDER, ROOT, Demo
from tests.journeys.mails import link_in_mail
from tests.journeys.people import Person, PortalPage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
VIEWS = [
    pytest.param({"locale": "en-US", "color_scheme": "light", "viewport": DESK}, id="en-light-desk"),
    pytest.param({"locale": "en-US", "color_scheme": "dark", "viewport": PHONE}, id="en-dark-phone"),
    pytest.param({"locale": "es-MX", "color_scheme": "light", "viewport": PHONE}, id="es-light-phone"),
    pytest.param({"locale": "es-MX", "color_scheme": "dark", "viewport": DESK}, id="es-dark-desk"),
]
HELP = ("registration-instructions", "account-setup", "faqs", "minimum-system-requirements")
OWN = (
    "",
    "profile",
    "email",
    "email/mailed",
    "phone",
    "data",
    "close",
    "security",
    "factors",
    "devices",
    "identities",
    "activity",
    "messages",
    "sessions",
    "sessions/end-others",
    "access",
    "apps",
    f"apps/{PARTNER}/revoke",
    "merge",
    "merge/mailed",
)


@dataclass(frozen=True)
class Look:
    """One way of looking at pages: a language, a colour scheme and a screen."""

    options: dict[str, object]
    keep: Callable[[Page, str], None]
    come: Callable[..., Person]

    @property
    def language(self) -> str:
        return str(self.options["locale"])[:2]

    def person(self, user_id: str = "rosa.delgado") -> Person:
        return self.come(user_id, **self.options)

    def check(self, page: Page, name: str) -> None:
        """No violation, the page's language is the browser's, and nothing is wider than the screen."""
        assert page.viewport_size is not None
        self.keep(page, f"{name}-{self.language}-{self.options['color_scheme']}-{page.viewport_size['width']}")
        found = Axe().run(page).response["violations"]
        assert [(row["id"], [node["html"][:200] for node in row["nodes"]]) for row in found] == [], page.url
        assert page.locator("html").get_attribute("lang") == self.language, page.url
        width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width[0] <= width[1], f"{page.url} is wider than the screen"

    def visit(self, page: Page, url: str, name: str) -> None:
        page.goto(url)
        self.check(page, name)


@pytest.fixture(params=VIEWS)
def look(
    request: pytest.FixtureRequest, person: Callable[..., Person], screenshots: Callable[[Page, str], None]
) -> Look:
    return Look(request.param, screenshots, person)


@pytest.mark.parametrize("client_id", PORTALS)
def test_X6_a_portal_and_its_sign_in(client_id: str, look: Look) -> None:
    rosa = look.person()
    portal = rosa.at(client_id)
    look.visit(portal.page, f"{portal.base}/", f"{client_id}-landing")
    look.visit(portal.page, f"{portal.base}/sign-in", f"{client_id}-sign-in")
    rosa.type_user_id(portal)
    if client_id == "ozark-exchange":
        look.check(portal.page, f"{client_id}-password")
    rosa.type_password(portal)
    rosa.finish(portal)
    look.visit(portal.page, f"{portal.base}/", f"{client_id}-home")
    look.visit(portal.page, f"{portal.base}/me", f"{client_id}-me")


def test_X6_the_other_pages_of_a_portal(look: Look) -> None:
    rosa = look.person()
    portal = rosa.at("cascade-mmis")
    rosa.sign_in(portal)
    for path in ("claims", "sign-out", "no-such-page", "sensitive"):
        look.visit(portal.page, f"{portal.base}/{path}", f"portal-{path}")
    rosa.type_password(portal)
    rosa.finish(portal)
    look.check(portal.page, "portal-sensitive-after")
    portal.open("/sign-out")
    portal.page.locator("#sign-out-here").click()
    look.check(portal.page, "portal-signed-out")
    clerk = look.person("otis.kramer")
    there = clerk.at("cascade-mmis")
    clerk.sign_in(there)
    look.visit(there.page, f"{there.base}/task/claims.void", "portal-not-yours")


def test_X6_a_wrong_password_and_a_missing_one(look: Look) -> None:
    rosa = look.person()
    portal = rosa.at("heartland-selfservice")
    portal.open("/sign-in")
    rosa.type_password(portal, login=f"nobody.{look.language}", password="Wrong-password-00")
    look.check(portal.page, "step-wrong-password")


@pytest.mark.parametrize("client_id", ["cascade-mmis", "carebridge-provider"])
def test_X6_an_agreement(client_id: str, look: Look) -> None:
    june = look.person("june.harwood")
    portal = june.at(client_id)
    portal.open("/sign-in")
    with portal.page.expect_navigation():
        june.type_password(portal)
    assert portal.page.url.endswith("/agreement")
    look.check(portal.page, f"step-agreement-{client_id}")


def test_X6_choosing_for_whom_to_act(look: Look) -> None:
    marcus = look.person("marcus.oyelaran")
    portal = marcus.at("cascade-mmis")
    portal.open("/sign-in")
    with portal.page.expect_navigation():
        marcus.type_password(portal)
    look.check(portal.page, "step-choose")
    chooser = portal.page.url
    look.visit(portal.page, f"{chooser}?q=a", "step-choose-found")
    look.visit(portal.page, f"{chooser}?q=zzzz", "step-choose-nobody")


@pytest.mark.parametrize("user_id", ["amara.nwosu", "wren.castellano"])
def test_X6_somebody_who_cannot_act(user_id: str, look: Look) -> None:
    someone = look.person(user_id)
    portal = someone.at("heartland-selfservice")
    portal.open("/sign-in")
    with portal.page.expect_navigation():
        someone.type_password(portal)
    someone.agree(portal)
    assert portal.page.url.endswith("/cannot-act")
    look.check(portal.page, f"step-cannot-act-{user_id}")


def test_X6_a_password_that_must_be_changed(look: Look) -> None:
    temperance = look.person("temperance.vale")
    portal = temperance.at("cascade-mmis")
    portal.open("/sign-in")
    with portal.page.expect_navigation():
        temperance.type_password(portal)
    look.check(portal.page, "step-change-password")


def test_X6_the_partner_and_the_consent_page(look: Look) -> None:
    otis = look.person("otis.kramer")
    app = otis.at(PARTNER)
    look.visit(app.page, f"{app.base}/", "partner-home")
    app.open("/connect")
    look.check(app.page, "partner-sign-in")
    with app.page.expect_navigation():
        otis.type_password(app)
    look.check(app.page, "step-consent")
    app.page.locator("#consent-deny").click()
    look.check(app.page, "partner-denied")
    rosa = look.person()
    theirs = rosa.at(PARTNER)
    rosa.sign_in(theirs, path="/connect")
    look.check(theirs.page, "partner-connected")
    look.visit(theirs.page, f"{theirs.base}/by-itself", "partner-by-itself")


def test_X6_getting_back_in(look: Look, demo: Demo) -> None:
    forgetful = look.person("felix.arroyo" if look.language == "es" else "dana.whitfield")
    portal = forgetful.at("ozark-secure")
    page = portal.page
    portal.open("/sign-in")
    page.locator("a[href*='forgot-password']").first.click()
    look.check(page, "recovery-forgot-password")
    page.locator("#forgot-password-form [name=username]").fill(forgetful.user_id)
    with page.expect_navigation():
        page.locator("#forgot-password-form .btn.primary").click()
    look.check(page, "recovery-mailed")
    look.visit(page, f"{demo.issuer}/sign-in/forgot-user-id", "recovery-forgot-user-id")
    link = link_in_mail(demo, page, to=str(forgetful.listed["email"]))
    look.check(page, "dev-outbox-message")
    look.visit(page, link, "recovery-reset")
    page.locator("#reset-form [name=new_password]").fill("short")
    page.locator("#reset-form [name=repeat_password]").fill("short")
    page.locator("#reset-form .btn.primary").click()
    page.locator("[role=alert]").first.wait_for()
    look.check(page, "recovery-reset-weak")
    secret = f"Quartz-lantern-{look.language}-{look.options['color_scheme']}-71"
    page.locator("#reset-form [name=new_password]").fill(secret)
    page.locator("#reset-form [name=repeat_password]").fill(secret)
    with page.expect_navigation():
        page.locator("#reset-form .btn.primary").click()
    look.check(page, "recovery-reset-done")
    look.visit(page, link, "recovery-dead-link")


def test_X6_the_providers_own_pages(look: Look, demo: Demo) -> None:
    page = look.person().context.new_page()
    for path in ("no-such-page", "oauth/authorize", "dev/outbox", "oauth/logout", "sign-in"):
        look.visit(page, f"{demo.issuer}/{path}", f"provider-{path.replace('/', '-')}")
    for client_id in PORTALS:
        for name in HELP:
            if (ROOT / f"clients/manifests/{client_id}/{name}.en.md").is_file():
                look.visit(page, f"{demo.issuer}/help/{client_id}/{name}", f"help-{client_id}-{name}")
                break


def test_X6_the_persons_own_pages(look: Look, demo: Demo) -> None:
    """They are in the person's language, whatever the browser's is."""
    owner = look.person("ximena.avila" if look.language == "es" else "rosa.delgado")
    if look.language == "en":
        owner.sign_in(owner.at(PARTNER), path="/connect")
    here = PortalPage(PROVIDER, demo.issuer, owner.context.new_page())
    page = here.page
    page.goto(f"{demo.issuer}/account/")
    if page.locator("#login-form").count():
        with page.expect_navigation():
            owner.type_password(here)
    for path in OWN:
        if PARTNER not in path or look.language == "en":
            look.visit(page, f"{demo.issuer}/account/{path}", f"account-{path.replace('/', '-')}")
    page.goto(f"{demo.issuer}/account/sessions")
    page.locator("main a[href$='/end']").first.click()
    look.check(page, "account-end-session")
    look.visit(page, f"{demo.issuer}/oauth/logout", "provider-logout-confirm")
    page.locator("#logout-confirm").click()
    look.check(page, "provider-signed-out")


CONSOLE = {
    "nora.whitlock": ("", "registrants", "directory", "directory/imports", "reviews"),
    "edith.sorensen": ("audit?event=affiliation_stands", "access", "relying-parties", "keys", "outbox", "staff"),
}
"""By whose eyes: what a registrar and an auditor see."""


def _signed_in(look: Look, user_id: str, path: str) -> Page:
    member = look.person(user_id)
    page = member.context.new_page()
    page.goto(f"{member.demo.issuer}{path}")
    with page.expect_navigation(url=f"**{path}**"):
        member.type_password(PortalPage(PROVIDER, member.demo.issuer, page), login=user_id)
    return page


@pytest.mark.parametrize("look", VIEWS[:2], indirect=True)
@pytest.mark.parametrize("user_id", CONSOLE)
def test_X6_the_console(user_id: str, look: Look) -> None:
    page = _signed_in(look, user_id, "/console/")
    root = page.url.split("/console")[0]
    for path in CONSOLE[user_id]:
        look.visit(page, f"{root}/console/{path}", f"console-{path.split('?')[0].replace('/', '-') or 'home'}")


@pytest.mark.parametrize("look", VIEWS[:2], indirect=True)
def test_X6_an_account_manager_s_places(look: Look) -> None:
    page = _signed_in(look, "graham.tillery", "/manage/")
    if page.url.rstrip("/").endswith("/manage"):
        look.check(page, "manage-start")
        page.locator("main tbody a").first.click()
    look.check(page, "manage-people")
    place = page.url.split("/people")[0]
    for path in ("access", "reviews", "requests", "invitations"):
        look.visit(page, f"{place}/{path}", f"manage-{path}")
