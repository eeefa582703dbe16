"""Changing the address and the telephone through the pages, and what is mailed about it."""

from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient

from tests.attacks.test_rc import mails
from tests.authenticators.browsing import post_form, signed_in


def letters(notice: str) -> list[tuple[str, dict[str, Any]]]:
    """Whom each message of this kind goes to, and what it says; oldest first."""
    found = [mail.payload for mail in mails() if mail.notice == notice]
    return [(each.recipient.email or each.recipient.phone or "", dict(each.context)) for each in found]


def path_in(notice: str) -> str:
    """The path and query that the only message of this kind leads to."""
    (url,) = {context["url"] for _to, context in letters(notice)}
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def ask(browser: FlaskClient, email: str) -> Any:
    return post_form(browser, browser.get("/account/email"), "email-form", email=email)


def press(browser: FlaskClient, path: str) -> Any:
    """Open the link, and press its button."""
    return post_form(browser, browser.get(path), "confirm-email-form")


def change(browser: FlaskClient, email: str) -> Any:
    """Ask, and prove."""
    assert ask(browser, email).location == "/account/email/mailed"
    return press(browser, newest("confirm_email", email))


def newest(notice: str, to: str) -> str:
    """The path and query that the newest such message to this address leads to."""
    url = urlsplit([context["url"] for address, context in letters(notice) if address == to][-1])
    return f"{url.path}?{url.query}"


def disown(browser: FlaskClient, path: str) -> Any:
    """*This wasn't me*."""
    return post_form(browser, browser.get(path), "not-me-form")


__all__ = ["ask", "change", "disown", "letters", "newest", "path_in", "press", "signed_in"]
