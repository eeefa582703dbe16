"""Rosa of the demo, who is `grace` at a hospital with its own provider, in a browser without a screen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from random import randrange
from typing import Any, Protocol
from urllib.parse import urljoin

import httpx2

from tests.interop.relying_parties import rosa
from tests.interop.scripted_browser import Form, ScriptedBrowser, _Forms, _origin
from tests.journeys.demo import Demo, code_of

LOGIN, PASSWORD = "grace", "a-password-of-the-hospital"
_REFRESH = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')
_MOST = 30


class Hospital(Protocol):
    """A provider beside the demo, and its connection's name there."""

    @property
    def demo(self) -> Demo: ...
    @property
    def name(self) -> str: ...
    @property
    def log(self) -> str: ...


class Person:
    """Rosa, who is `grace` at the hospital, in a browser of her own; she takes its way in wherever it is offered."""

    def __init__(self, at: Hospital) -> None:
        self._at, self.seen, self.pages = at, list[str](), dict[str, str]()
        person = rosa()
        self._typed = {
            "username": person["user_id"],
            "password": person["password"],
            "login": LOGIN,
            "secret": PASSWORD,
        }
        self._code = lambda: code_of(at.demo, person)
        address = f"10.{randrange(256)}.{randrange(256)}.{randrange(1, 255)}"
        self.browser = ScriptedBrowser(login="", password="", headers={"X-Forwarded-For": address})
        self._went = False

    def once_more(self) -> None:
        """Take the hospital's way in again where it is offered."""
        self._went = False

    def go(self, url: str, *, until: str) -> httpx2.Response:
        """Through every page on the way; the first page below `until`."""
        answer = self.browser.send("GET", url)
        for _ in range(_MOST):
            at = str(answer.url)
            if answer.is_redirect:
                answer = self.browser.send("GET", urljoin(at, answer.headers["Location"]))
            elif found := _REFRESH.search(answer.text):
                answer = self.browser.send("GET", urljoin(at, unescape(found[1])))
            elif at.startswith(until):
                return answer
            else:
                answer = self._through(answer)
        raise AssertionError(f"too many pages: {self.seen}")

    def _through(self, page: httpx2.Response) -> httpx2.Response:
        assert page.status_code == 200, f"{page.status_code} at {page.url}: {page.text[-1500:]} {self._at.log}"
        form = self._form(page.text)
        self.seen.append(form.identity or str(page.url.path))
        self.pages[self.seen[-1]] = page.text
        typed = {name: text for name, text in self._typed.items() if name in form.names}
        if "code" in form.names:
            typed["code"] = self._code()
        more: dict[str, Any] = {"choice": "link"} if form.identity in ("have-account-form", "link-form") else {}
        action = urljoin(str(page.url), form.action)
        return self.browser.send(
            "POST", action, data={**form.fields, **typed, **more}, headers={"Origin": _origin(str(page.url))}
        )

    def _form(self, text: str) -> Form:
        parser = _Forms()
        parser.feed(text)
        by_id = {form.identity: form for form in parser.forms}
        wanted = f"with-form-{self._at.name}"
        if wanted in by_id and not self._went:
            self._went = True
            return by_id[wanted]
        for identity in ("have-account-form", "link-form"):
            if identity in by_id:
                return by_id[identity]
        return next(form for form in parser.forms if form.is_main)


@contextmanager
def person(at: Hospital) -> Iterator[Person]:
    """A new one, with nothing in the browser yet."""
    who = Person(at)
    with who.browser:
        yield who
