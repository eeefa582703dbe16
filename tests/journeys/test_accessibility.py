"""X6: axe finds no violation on any page, light and dark, in English and Spanish, on a desk and on a phone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.demo import PARTNER, PORTALS, Demo
from tests.journeys.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
VIEWS = [
    pytest.param({"locale": "en-US", "color_scheme": "light", "viewport": DESK}, id="en-light-desk"),
    pytest.param({"locale": "en-US", "color_scheme": "dark", "viewport": PHONE}, id="en-dark-phone"),
    pytest.param({"locale": "es-MX", "color_scheme": "light", "viewport": PHONE}, id="es-light-phone"),
    pytest.param({"locale": "es-MX", "color_scheme": "dark", "viewport": DESK}, id="es-dark-desk"),
]
Keep = Callable[[Page, str], object]


def check(page: Page, *, view: dict[str, object], keep: Keep, name: str) -> None:
    """No violation, the page's language is the browser's, and nothing is wider than the screen."""
    language = str(view["locale"])[:2]
    keep(page, f"{name}-{language}-{view['color_scheme']}-{page.viewport_size['width']}")  # type: ignore[index]
    found = Axe().run(page).response["violations"]
    assert [(row["id"], [node["html"][:200] for node in row["nodes"]]) for row in found] == [], page.url
    assert page.locator("html").get_attribute("lang") == language, page.url
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1], f"{page.url} is wider than the screen"


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("client_id", PORTALS)
def test_X6_a_portal_and_its_sign_in(
    client_id: str, view: dict[str, object], person: Callable[..., Person], screenshots: Keep
) -> None:
    rosa = person("rosa.delgado", **view)
    portal = rosa.at(client_id)
    portal.open("/")
    check(portal.page, view=view, keep=screenshots, name=f"{client_id}-landing")
    portal.open("/sign-in")
    check(portal.page, view=view, keep=screenshots, name=f"{client_id}-sign-in")
    rosa.type_password(portal)
    while not portal.is_here:
        step = portal.page.url.rstrip("/").rsplit("/", 1)[-1].split("?")[0]
        check(portal.page, view=view, keep=screenshots, name=f"{client_id}-{step}")
        rosa.press_on(portal.page)
    for path in ("/", "/me", "/claims", "/sign-out", "/no-such-page"):
        portal.open(path)
        check(portal.page, view=view, keep=screenshots, name=f"{client_id}{path.replace('/', '-')}")


@pytest.mark.parametrize("view", VIEWS)
def test_X6_the_partner_and_the_consent_page(
    view: dict[str, object], person: Callable[..., Person], screenshots: Keep
) -> None:
    rosa = person("rosa.delgado", **view)
    app = rosa.at(PARTNER)
    app.open("/")
    check(app.page, view=view, keep=screenshots, name="partner-home")
    app.open("/connect")
    rosa.type_password(app)
    app.page.wait_for_url(lambda url: "/password" not in url)
    check(app.page, view=view, keep=screenshots, name="partner-after-sign-in")
    rosa.finish(app)
    check(app.page, view=view, keep=screenshots, name="partner-connected")
    app.open("/by-itself")
    check(app.page, view=view, keep=screenshots, name="partner-by-itself")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "path", ["/sign-in/forgot-password", "/sign-in/forgot-user-id", "/no-such-page", "/oauth/authorize", "/dev/outbox"]
)
def test_X6_the_providers_own_pages(
    path: str, view: dict[str, object], demo: Demo, person: Callable[..., Person], screenshots: Keep
) -> None:
    page = person("rosa.delgado", **view).context.new_page()
    page.goto(demo.issuer + path)
    check(page, view=view, keep=screenshots, name=f"provider{path.replace('/', '-')}")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("path", ["/account", "/account/security", "/account/sessions", "/account/apps"])
def test_X6_the_persons_own_pages(
    path: str, view: dict[str, object], demo: Demo, person: Callable[..., Person], screenshots: Keep
) -> None:
    rosa = person("rosa.delgado", **view)
    portal = rosa.at("cascade-mmis")
    rosa.sign_in(portal)
    portal.page.goto(demo.issuer + path)
    check(portal.page, view=view, keep=screenshots, name=f"provider{path.replace('/', '-')}")


@pytest.mark.parametrize("view", VIEWS)
def test_X6_choosing_for_whom_to_act(view: dict[str, object], person: Callable[..., Person], screenshots: Keep) -> None:
    marcus = person("marcus.oyelaran", **view)
    portal = marcus.at("cascade-mmis")
    portal.open("/sign-in")
    marcus.type_password(portal)
    for _ in range(4):
        check(portal.page, view=view, keep=screenshots, name=f"choice-{portal.page.url.rsplit('/', 1)[-1]}")
        if portal.page.locator("main input[type=radio]").count():
            return
        marcus.press_on(portal.page)
    raise AssertionError("no choice was offered")
