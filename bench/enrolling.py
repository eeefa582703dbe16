"""A registrant of the bench: every request is another person at another address, so that no limit is met."""

import itertools
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urlencode

from bench.flow import FORM, Browser, address
from bench.load import Caller, Request

PATH = "/enroll/carebridge-provider/register/"


def page_shown() -> Request:
    """The ceremony's first page, as a newcomer opens it."""
    return Request("GET", PATH, address())


def account_typed(port: int) -> Callable[[], Request]:
    """The first page posted: checked, hashed by argon2id, sealed, its mail owed, all in one transaction."""
    browser = Browser(Caller(port))
    page = browser.ask("GET", PATH, expect=200).body.decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None, "the page has a form"
    secret, numbers = unescape(token[1]), itertools.count()
    browser.caller.close()

    def make() -> Request:
        typed = {
            "csrf_token": secret,
            "email": f"person.{next(numbers)}@bench.example",
            "password": "Thornbury-kestrel-46!",
            "first_name": "Bench",
            "last_name": "Person",
        }
        headers = browser.headers | FORM | address()
        return Request("POST", PATH, headers, urlencode(typed).encode(), expect=303)

    return make
