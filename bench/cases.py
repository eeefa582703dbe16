"""The hot paths, each as what is asked of the product and of the bare views beside it."""

import json
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Final
from urllib.parse import urlencode

from bench.enrolling import account_typed, page_shown
from bench.flow import FORM, Browser, Client, address, code_in
from bench.load import CONNECTIONS, Busy, Caller, Case, Request, fixed, varied
from bench.people import PASSWORD, Turns
from bench.provider import Provider

CODES: Final = 500
"""So many codes are made before a round that exchanges them: they live for a minute."""
SIGN_INS: Final = 48
TOKEN_SECONDS: Final = 90
"""Tokens live for five minutes; a bench runs longer."""
CLIENT_CREDENTIALS: Final = "client credentials, JWT ES256"
SIGN_IN: Final = "sign-in to tokens, with argon2id"


@dataclass(frozen=True, slots=True)
class Pair:
    """A path of the product's and its bare view's; `at_least` or `at_most` is the bar that it is held to."""

    ours: Case
    bare: Case | None = None
    at_least: float | None = None
    """Of bare: bare's CPU ÷ ours."""
    at_most: float | None = None
    """Times bare: ours ÷ bare's CPU."""


def cases(provider: Provider, *, bare_port: int) -> Mapping[str, Pair]:
    """Every hot path; a person has signed in before."""
    live, portal = Live.of(provider), provider.portal
    app = Request("POST", "/oauth/token", provider.app.basic, urlencode({"grant_type": "client_credentials"}).encode())

    def userinfo() -> Request:
        return Request("GET", "/oauth/userinfo", {"Authorization": f"Bearer {live.token()}"})

    def introspection() -> Request:
        return Request("POST", "/oauth/introspect", portal.basic, urlencode({"token": live.token()}).encode())

    bare_live = live.beside(bare_port)
    return {
        "health (the floor)": _same(Request("GET", "/healthz")),
        "discovery": _same(Request("GET", "/.well-known/openid-configuration"), at_least=0.6),
        "JWKS": _same(Request("GET", "/oauth/jwks"), at_least=0.6),
        CLIENT_CREDENTIALS: _same(app, at_least=0.6),
        "UserInfo": Pair(varied(userinfo), varied(userinfo), at_least=0.6),
        "introspection": Pair(varied(introspection), varied(introspection), at_least=0.6),
        "authorize with a live session": Pair(varied(live.authorize), varied(bare_live.authorize)),
        "code exchange": Pair(live.exchanges(), bare_live.exchanges()),
        "refresh": Pair(live.refreshes(), bare_live.refreshes()),
        SIGN_IN: Pair(sign_ins(provider), _bare_sign_in(), at_most=1.3),
        "enrollment: first page": Pair(varied(page_shown)),
        "enrollment: account typed, with argon2id": Pair(varied(account_typed(provider.port))),
    }


def _same(request: Request, *, at_least: float | None = None) -> Pair:
    return Pair(fixed(request), fixed(request), at_least=at_least)


@dataclass(slots=True)
class Live:
    """A person signed in at the portal: their browser's cookies, and a token that is made anew before it runs out."""

    portal: Client
    cookies: Mapping[str, str]
    port: int
    _token: str = ""
    _made_at: float = -math.inf
    _making: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, provider: Provider) -> "Live":
        caller = Caller(provider.port)
        browser = Browser(caller)
        caller.ask(provider.portal.exchange(browser.sign_in(provider.portal, "bench.person0", PASSWORD)))
        caller.close()
        return cls(provider.portal, browser.cookies, provider.port)

    def beside(self, port: int) -> "Live":
        """The same person at the bare views."""
        return Live(self.portal, self.cookies, port)

    def token(self) -> str:
        """An access token with minutes to live."""
        with self._making:
            if time.monotonic() - self._made_at > TOKEN_SECONDS:
                caller = Caller(self.port)
                self._token = json.loads(caller.ask(self.portal.exchange(self.code(caller))).body)["access_token"]
                self._made_at = time.monotonic()
                caller.close()
            return self._token

    def authorize(self) -> Request:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return Request("GET", self.portal.authorize_path(prompt="none"), {"Cookie": cookie, **address()}, expect=303)

    def code(self, caller: Caller) -> str:
        return code_in(caller.ask(self.authorize()).location)

    def exchanges(self) -> Case:
        """A code exchanged; the codes were made before."""
        return Case(lambda caller, code: caller.ask(self.portal.exchange(code)) and None, self.code, CODES)

    def refreshes(self) -> Case:
        """A family turned; as many as there are connections were made before, and nobody turns one at the same time."""
        free: SimpleQueue[str] = SimpleQueue()

        def prepare(caller: Caller) -> None:
            while free.qsize() < CONNECTIONS:
                free.put(_refresh_token(caller, self.portal.exchange(self.code(caller))))

        def turn(caller: Caller, _: str) -> None:
            token = free.get_nowait()
            try:
                free.put(_refresh_token(caller, self.portal.refresh(token)))
            except Busy:
                free.put(token)
                raise

        return Case(turn, prepare=prepare)


def _refresh_token(caller: Caller, request: Request) -> str:
    found: str = json.loads(caller.ask(request).body)["refresh_token"]
    return found


def sign_ins(provider: Provider) -> Case:
    """A whole sign-in: the request, the page, the password, the code, the tokens."""
    turns = Turns()

    def sign_in(caller: Caller, _: str) -> None:
        with turns.somebody() as person:
            browser = Browser(caller, cookies=person.cookies, headers=person.headers)
            code = browser.sign_in(provider.portal, person.login, PASSWORD)
            person.remember(browser.cookies)
            caller.ask(provider.portal.exchange(code))

    return Case(sign_in, least=SIGN_INS)


def _bare_sign_in() -> Case:
    typed = urlencode({"username": "bench.person1", "password": PASSWORD}).encode()
    return replace(fixed(Request("POST", "/sign-in", dict(FORM), typed)), least=SIGN_INS)
