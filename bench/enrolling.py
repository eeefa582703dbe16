"""A registrant of the bench: every request is another person at another address, so that no limit is met."""

import itertools
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urlencode

from bench.flow import Browser
from bench.load import Request

PATH = "/enroll/carebridge-provider/register/"
_ENOUGH = 250


def page_shown(port: int) -> Callable[[], Request]:
    """The ceremony's first page, as a newcomer opens it."""
    return lambda: Request("GET", PATH, {})


def account_typed(port: int) -> Callable[[], Request]:
    """The first page posted: checked, hashed by argon2id, sealed, its mail owed, all in one transaction."""
    browser = Browser(port)
    _, _, page = browser.ask("GET", PATH)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None, "the page has a form"
    secret, numbers = unescape(token[1]), itertools.count()

    def make() -> Request:
        number = next(numbers)
        address = f"10.{number // 62500 % _ENOUGH}.{number // _ENOUGH % _ENOUGH}.{number % _ENOUGH + 1}"
        typed = {
            "csrf_token": secret,
            "email": f"person.{number}@bench.example",
            "password": "Thornbury-kestrel-46!",
            "first_name": "Bench",
            "last_name": "Person",
        }
        headers = browser.headers | {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Forwarded-For": address,
        }
        return Request("POST", PATH, headers, urlencode(typed).encode(), expect=303)

    return make
