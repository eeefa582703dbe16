"""`python -m bench.revoking`: a manager ends people's access at one node; what a second node on the same database says then.

Each person's next requests are asked of the second node: UserInfo, introspection, a refresh, and an authorization by the live
session. Nothing waits for a cache: the count of refusals is the figure, and beside it the CPU µs that one costs.
"""

import argparse
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from sqlalchemy import select

from bench import report
from bench.cpu import seconds_of_tree
from bench.flow import Browser
from bench.load import Answer, Caller, Request
from bench.people import MANAGER, PASSWORD, PORTAL
from bench.provider import Provider, beside, running
from bench.report import Bar, Figure
from idp import create_app
from idp.affiliations.models import Affiliation
from idp.foundation import clock
from idp.foundation.database import reading, see_as, writing
from idp.sessions.models import BrowserSession
from idp.settings import load
from idp.subjects.models import Subject

PEOPLE: Final = 10
ROUNDS: Final = 5
REFUSALS: Final = 60
"""Asked once more for the CPU of a refusal."""
ASKED: Final = ("UserInfo", "introspection", "refresh", "authorize")
_HIDDEN: Final = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.revoking", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8940)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with running(data, port=asked.port) as first, beside(first, data, port=asked.port + 1) as second:
            with create_app(load(overrides=first.changed)).app_context():
                manager = Manager(first)
                refused, person = _ended(first, manager, asked.port + 1)
            each = [_refusal_us(person, second) for _ in range(ROUNDS)]
    figures = [
        Figure("people whose access a manager ended at the first node", "", [PEOPLE]),
        *(Figure(f"refused by the second node's next request: {path}", "", [refused[path]]) for path in ASKED),
        Figure("a refusal at UserInfo, with a new connection", "µs CPU", each),
    ]
    of_all = sum(refused.values()) / (PEOPLE * len(ASKED))
    report.tell("revoking", figures, [Bar("refused at once, of all", of_all, 1.0, at_least=True)])


def _ended(first: Provider, manager: "Manager", port: int) -> tuple[dict[str, int], "Person"]:
    """How many were refused at the second node, by what they asked; and the last of them."""
    refused = dict.fromkeys(ASKED, 0)
    for number in range(PEOPLE):
        person = Person.signed_in(first, f"bench.person{number}", port)
        before = person.asks()
        assert all(before.values()), f"before anything was ended: {before}"
        manager.end(person.login)
        for path, served in person.asks().items():
            refused[path] += not served
    return refused, person


@dataclass(slots=True)
class Person:
    """Signed in at the first node; their browser and portal are led to the second from then on."""

    first: Provider
    login: str
    port: int
    browser: Browser
    tokens: dict[str, str] = field(repr=False)

    @classmethod
    def signed_in(cls, first: Provider, login: str, port: int) -> "Person":
        caller = Caller(first.port)
        browser = Browser(caller)
        code = browser.sign_in(first.portal, login, PASSWORD)
        tokens: dict[str, str] = json.loads(caller.ask(first.portal.exchange(code)).body)
        caller.close()
        return cls(first, login, port, browser, tokens)

    def asks(self) -> Mapping[str, bool]:
        """What the second node serves them now."""
        portal = self.first.portal
        introspect = urlencode({"token": self.tokens["access_token"]}).encode()
        told = self.ask(Request("POST", "/oauth/introspect", portal.basic, introspect))
        turned = self.ask(portal.refresh(self.tokens["refresh_token"]), refused=400)
        served = {
            "UserInfo": self.userinfo(),
            "introspection": bool(json.loads(told.body)["active"]),
            "refresh": turned.status == 200,
            "authorize": self._authorized(),
        }
        if served["refresh"]:
            self.tokens = json.loads(turned.body)
        return served

    def userinfo(self) -> bool:
        bearer = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return self.ask(Request("GET", "/oauth/userinfo", bearer), refused=401).status == 200

    def _authorized(self) -> bool:
        asked = Request("GET", self.first.portal.authorize_path(prompt="none"), self.browser.headers, expect=303)
        answer = self.ask(asked)
        return "code" in parse_qs(urlsplit(answer.location).query)

    def ask(self, request: Request, *, refused: int = 0) -> Answer:
        """Under the issuer's name, as behind one proxy; `refused` is a status that may come as well."""
        caller = Caller(self.port)
        named = replace(request, headers={**request.headers, "Host": f"localhost:{self.first.port}"})
        try:
            return caller.ask(named, also=refused)
        finally:
            caller.close()


class Manager:
    """An account manager at the first node, who proved a factor a moment ago and ends access by its page."""

    def __init__(self, first: Provider) -> None:
        self._port = first.port
        caller = Caller(first.port)
        self._browser = Browser(caller)
        self._browser.sign_in(first.portal, MANAGER, PASSWORD)
        caller.close()
        with writing() as tx:
            theirs = select(BrowserSession).join(Subject, Subject.id == BrowserSession.subject_id)
            for session in tx.scalars(theirs.where(Subject.user_id == MANAGER)):
                session.proven = {**(session.proven or {}), "totp": clock.now().isoformat()}

    def end(self, login: str) -> None:
        target, affiliation = _access_of(login)
        self._browser.caller = caller = Caller(self._port)
        address = f"/manage/{PORTAL}/{target}/people/{affiliation}/act/remove"
        page = self._browser.ask("GET", address, expect=200).body.decode()
        form = page.split(f'action="{address}"', 1)[1].split("</form>", 1)[0]
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(form)}
        self._browser.ask("POST", address, urlencode(hidden).encode())
        caller.close()


def _access_of(login: str) -> tuple[UUID, UUID]:
    with reading() as tx:
        see_as(tx, everything=True)
        theirs = select(Affiliation.target_id, Affiliation.id).join(Subject, Subject.id == Affiliation.subject_id)
        target, affiliation = tx.execute(theirs.where(Subject.user_id == login)).one()
    return target, affiliation


def _refusal_us(person: Person, second: int) -> float:
    before = seconds_of_tree(second)
    for _ in range(REFUSALS):
        assert not person.userinfo()
    return (seconds_of_tree(second) - before) / REFUSALS * 1e6


if __name__ == "__main__":
    main()
