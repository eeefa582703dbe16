"""Every way of C4 at portal C: offered on its set-up page, set up there, and good at the next sign-in (passkeys: their own)."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from random import randrange
from threading import Event

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.demo import Demo, code_of
from tests.journeys.mails import SENT_WITHIN
from tests.journeys.people import Person, PortalPage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
C = "carebridge-provider"
WHOSE = "(SELECT id FROM subject WHERE user_id_key = ?)"
PIXEL = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"


@pytest.fixture
def bare(demo: Demo) -> Iterator[Callable[[str], None]]:
    """`bare("mei.tanaka")`: she holds no second factor during this journey; afterwards what she held is hers again."""
    parked: list[str] = []
    with closing(sqlite3.connect(demo.data_dir / "credence.sqlite3", timeout=20, isolation_level=None)) as database:

        def strip(user_id: str) -> None:
            parked.append(user_id)
            database.execute(f"DELETE FROM artefact WHERE kind = 'recovery_code' AND subject_id IN {WHOSE}", (user_id,))
            database.execute(f"UPDATE factor SET subject_id = ? WHERE subject_id IN {WHOSE}", (user_id, user_id))

        yield strip
        for user_id in parked:
            database.execute("PRAGMA foreign_keys=ON")
            database.execute(f"DELETE FROM factor WHERE subject_id IN {WHOSE}", (user_id,))
            database.execute("PRAGMA foreign_keys=OFF")
            database.execute(
                "UPDATE factor SET subject_id = (SELECT id FROM subject WHERE user_id_key = ?) WHERE subject_id = ?",
                (user_id, user_id),
            )


class Codes:
    """Codes that the demo sent to one person, each read once."""

    def __init__(self, demo: Demo, page: Page) -> None:
        self._demo, self._page = demo, page
        self._read: set[str] = set()

    def next(self, *, to: str) -> str:
        """The newest one for that address; waits until the worker has sent it."""
        closing_time = time.monotonic() + SENT_WITHIN
        while time.monotonic() < closing_time:
            self._page.goto(f"{self._demo.issuer}/dev/outbox")
            row = self._page.locator("#outbox tbody tr", has_text=to).first
            if row.count():
                row.get_by_role("link").first.click()
                found = re.search(
                    r"(?m)(?:^|: )([0-9]{6})(?: is your code|$)", self._page.locator("#text").inner_text()
                )
                if found and found[1] not in self._read:
                    self._read.add(found[1])
                    return found[1]
            Event().wait(0.1)
        raise AssertionError(f"no code for {to}")


def check(page: Page) -> None:
    """X6: axe finds nothing."""
    assert [row["id"] for row in Axe().run(page).response["violations"]] == [], page.url


def come(portal: PortalPage, someone: Person) -> None:
    """To the portal with no cookie left, past the password."""
    page = portal.page
    page.context.clear_cookies()
    page.goto(f"{portal.base}/sign-in")
    someone.type_user_id(portal)
    page.locator("#login-form #password").fill(someone.password)
    with page.expect_navigation():
        page.locator("#login-submit").click()


def leave_set_up(portal: PortalPage, someone: Person) -> None:
    """Recovery codes saved, then into the portal."""
    portal.page.locator("#set-up-continue").click()
    with portal.page.expect_navigation():
        portal.page.locator("#codes-saved").click()
    someone.finish(portal)
    assert portal.me is not None


def test_C4_a_phone_is_connected_at_portal_C_approves_with_the_number_and_denies(
    demo: Demo, person: Callable[..., Person], bare: Callable[[str], None], screenshots: Callable[[Page, str], None]
) -> None:
    bare("mei.tanaka")
    mei = person("mei.tanaka")
    portal = mei.at(C)
    page = portal.page
    come(portal, mei)
    page.wait_for_url("**/set-up-mfa")
    ways = [link.get_attribute("href") or "" for link in page.locator("#kinds a").all()]
    assert {way.rsplit("/", 1)[1] for way in ways} == {"passkey", "push", "totp", "sms", "email"}
    page.locator("#kinds a[href$='/push']").click()
    page.locator("#phone-begin").click()
    expect(page.locator("svg.qr")).to_be_visible()
    check(page)
    screenshots(page, "push-set-up")
    page.locator("main details summary").click()
    code = page.locator("#phone-code").inner_text()

    phone = person(
        "mei.tanaka", viewport={"width": 390, "height": 780}, has_touch=True, user_agent=PIXEL
    ).context.new_page()
    phone.goto(f"{demo.issuer}/phone/#{code.replace('-', '')}")
    expect(phone.locator("#code")).to_have_value(code.replace("-", ""))
    assert "#" not in phone.url, "the code stands in no history"
    screenshots(phone, "phone-connect")
    check(phone)
    phone.locator("#connect-submit").click()
    expect(phone.locator("#check")).to_have_text(re.compile("[0-9]{3} [0-9]{3}"))
    expect(page.locator("#phone-check")).to_have_text(phone.locator("#check").inner_text(), use_inner_text=True)
    screenshots(page, "push-compare")
    screenshots(phone, "phone-compare")
    expect(page.locator("#name")).to_have_value(re.compile("Android"))
    check(page)
    page.locator("#phone-submit").click()
    expect(page.locator("main")).to_contain_text("Android")
    expect(phone.get_by_role("heading", name="Nothing is waiting")).to_be_visible()
    screenshots(phone, "phone-ready")
    leave_set_up(portal, mei)

    come(portal, mei)
    page.wait_for_url("**/second-factor/push")
    page.locator("#send-push").click()
    number = page.locator("#push-number").inner_text()
    check(page)
    screenshots(page, "push-number")
    expect(phone.locator("#portal")).to_have_text("CareBridge Provider Portal")
    expect(phone.locator("#browser")).to_contain_text("Chrome")
    assert number not in phone.locator("main").inner_text().split(), "only the desk shows it"
    screenshots(phone, "phone-request")
    check(phone)
    phone.locator("#number").fill(number)
    phone.locator("#approve").click()
    expect(phone.locator("#result")).to_contain_text("Approved")
    page.wait_for_url(lambda url: "/second-factor/" not in url)
    mei.finish(portal)
    assert portal.me is not None
    assert (portal.me["id_token"]["acr"], portal.me["id_token"]["amr"]) == ("aal2", ["pwd", "pop", "mfa"])

    come(portal, mei)
    page.locator("#send-push").click()
    expect(page.locator("#push-number")).to_be_visible()
    expect(phone.locator("#portal")).to_be_visible()
    phone.locator("#deny").click()
    expect(phone.locator("#result")).to_contain_text("Denied")
    expect(page.locator("#error")).to_contain_text("not approved")
    screenshots(page, "push-denied")
    phone.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    phone.context.set_offline(True)
    phone.goto(f"{demo.issuer}/phone/")
    expect(phone.get_by_role("heading", name="No connection")).to_be_visible()
    screenshots(phone, "phone-offline")


def test_C4_app_text_message_and_mail_are_set_up_at_portal_C_and_each_signs_in(
    demo: Demo, person: Callable[..., Person], bare: Callable[[str], None]
) -> None:
    bare("mei.tanaka")
    mei = person("mei.tanaka")
    portal = mei.at(C)
    page, codes = portal.page, Codes(demo, mei.context.new_page())
    phone = f"555{randrange(110, 200):04}"
    to = {"sms": phone[-4:], "email": str(mei.listed["email"])}
    come(portal, mei)
    page.wait_for_url("**/set-up-mfa")
    page.locator("#kinds a[href$='/totp']").click()
    page.locator("#totp-begin").click()
    page.locator("main details summary").click()
    secret = page.locator("#totp-key").inner_text().replace(" ", "")
    page.locator("#code").fill(pyotp.TOTP(secret).now())
    page.locator("#totp-submit").click()
    for kind in ("sms", "email"):
        page.locator(f"#kinds a[href$='/{kind}']").click()
        if kind == "sms":
            page.locator("#phone").fill(f"417{phone}")
        page.locator("main form .btn.primary").first.click()
        page.locator("#code").wait_for()
        page.locator("#code").fill(codes.next(to=to[kind]))
        page.locator("main form .btn.primary").first.click()
        expect(page.locator("#kinds")).to_be_visible()
    leave_set_up(portal, mei)
    for kind, amr in (("totp", ["pwd", "otp", "mfa"]), ("sms", ["pwd", "sms", "mfa"]), ("email", ["pwd"])):
        come(portal, mei)
        if kind != "totp":
            page.get_by_role("link", name="Another way").click()
            page.locator(f"main a[href$='/{kind}']").click()
            page.locator("#send-code").click()
            page.locator("#code").wait_for()
        page.locator("#code").fill(
            code_of(demo, {"totp_secret": secret}) if kind == "totp" else codes.next(to=to[kind])
        )
        with page.expect_navigation():
            page.locator("#factor-submit").click()
        mei.finish(portal)
        assert portal.me is not None
        assert portal.me["id_token"]["amr"] == amr
