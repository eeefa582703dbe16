"""A portal with a ceremony of the test's own, and a browser that walks through it as a person would."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.messaging import service as messaging
from tests.authenticators.browsing import post_form
from tests.factories import Make
from tests.factories.make import PASSWORD

PORTAL = "ozark-secure"
TEXT = {"en": "Register", "es": "Registrarse"}
ACCOUNT = {
    "email": "june@harwood.test",
    "confirm_email": "june@harwood.test",
    "password": PASSWORD,
    "confirm_password": PASSWORD,
    "first_name": "June",
    "last_name": "Harwood",
    "phone": "417-555-0142",
}


def portal(make: Make, *steps: str, options: Mapping[str, Any] | None = None, **changed: Any) -> None:
    """Register the portal with one ceremony, `register`; it is taken as it is, not planned."""
    enrollment = {"register": {"title": TEXT, "steps": list(steps), "options": dict(options or {})}}
    make.client(PORTAL, enrollment=enrollment, agreement={"version": "1", "title": TEXT}, **changed)


def open_ceremony(browser: FlaskClient, ceremony: str = "register") -> TestResponse:
    """Its first page, or wherever this browser stands."""
    return follow(browser, browser.get(f"/enroll/{PORTAL}/{ceremony}/"))


def follow(browser: FlaskClient, page: TestResponse) -> TestResponse:
    """Go where redirects lead, as long as it is on this site."""
    while page.status_code in {301, 302, 303} and not page.location.startswith("https://ozark-secure.test"):
        page = browser.get(page.location)
    return page


def send(browser: FlaskClient, page: TestResponse, **typed: Any) -> TestResponse:
    """Fill the page's form and go on."""
    return follow(browser, post_form(browser, page, "enroll-form", **typed))


def mailed(make: Make, notice: str) -> list[dict[str, Any]]:
    """What every message of this kind will say, oldest first."""
    from idp.foundation.database import reading

    with reading() as tx:
        rows = [row for row in make.rows(messaging.OutboxMessage) if row.notice == notice]
        del tx
    return [
        dict(messaging.opened(row).payload.context) for row in sorted(rows, key=lambda row: (row.created_at, row.id))
    ]


def link_of(make: Make, notice: str = "verify_email") -> str:
    """The newest link of this kind, without our own address."""
    url = str(mailed(make, notice)[-1]["url"])
    return re.sub(r"^https://credence\.test", "", unescape(url))


def press(browser: FlaskClient, link: str, **typed: Any) -> TestResponse:
    """Open a mailed link and press its button."""
    return follow(browser, post_form(browser, browser.get(link), "link-form", **typed))
