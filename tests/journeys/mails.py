"""Mails of the demo, read where a person reads them: at its outbox."""

import time
from threading import Event

from playwright.sync_api import Page

from tests.journeys.demo import Demo

SENT_WITHIN = 15.0


def link_in_mail(demo: Demo, page: Page, *, to: str, path: str = "/sign-in/reset") -> str:
    """The address in the newest mail with a link for that person; waits until the worker has sent one that is not used."""
    closing = time.monotonic() + SENT_WITHIN
    while time.monotonic() < closing:
        page.goto(f"{demo.issuer}/dev/outbox")
        row = page.locator("#outbox tbody tr", has_text=to).first
        if row.count():
            row.get_by_role("link").first.click()
            link = page.locator(f"#text a[href*='{path}']")
            if link.count():
                return str(link.get_attribute("href"))
        Event().wait(0.1)
    raise AssertionError(f"no mail with a link for {to}")


def wait_for_mail(demo: Demo, page: Page, *, to: str, subject: str) -> None:
    """Until the worker has sent that person a mail whose subject begins so."""
    closing = time.monotonic() + SENT_WITHIN
    while time.monotonic() < closing:
        page.goto(f"{demo.issuer}/dev/outbox")
        if page.locator("#outbox tbody tr", has_text=to).filter(has_text=subject).count():
            return
        Event().wait(0.1)
    raise AssertionError(f"no mail {subject!r} for {to}")
