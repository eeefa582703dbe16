"""A running demo and Debian's Chromium, each once per session; a fresh profile for every test."""

import os
import shutil
from collections.abc import Callable, Iterator
from random import randrange

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.journeys.demo import Demo, shared
from tests.journeys.people import Person

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def demo() -> Demo:
    return shared()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium: apt-get install -y --no-install-recommends chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_browser(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """`new_browser(locale="es-MX", color_scheme="dark")`: another browser, with nothing in it.

    Whatever a journey does, no page of it may offend against its own Content-Security-Policy (SE-07).
    """
    opened: list[BrowserContext] = []
    offences: list[str] = []

    def new(**options: object) -> BrowserContext:
        address = {"X-Forwarded-For": f"10.{randrange(256)}.{randrange(256)}.{randrange(1, 255)}"}
        context = chromium.new_context(**{"locale": "en-US", "extra_http_headers": address, **options})  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        context.on(
            "console", lambda said: offences.append(said.text) if "Content Security Policy" in said.text else None
        )
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()
    assert offences == []


@pytest.fixture
def person(demo: Demo, new_browser: Callable[..., BrowserContext]) -> Callable[..., Person]:
    """`person("rosa.delgado")`: somebody of the demo, in a browser of their own."""

    def come(user_id: str, **options: object) -> Person:
        return Person(demo, new_browser(**options), user_id)

    return come


@pytest.fixture
def rosa(person: Callable[..., Person]) -> Person:
    """The first demo person: one choice at each of the five portals."""
    return person("rosa.delgado")


@pytest.fixture
def screenshots(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keeps a picture under screenshots/ (git ignores it), to be looked at; only with CREDENCE_SCREENSHOTS=1."""
    folder = request.config.rootpath / "screenshots"
    wanted = os.environ.get("CREDENCE_SCREENSHOTS") == "1"

    def keep(page: Page, name: str) -> None:
        if wanted:
            folder.mkdir(exist_ok=True)
            page.screenshot(path=folder / f"{name}.png", full_page=True)

    return keep
