"""The scripted person of the bench: a browser that goes from the authorization request to the code."""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from http.cookies import SimpleCookie
from random import randrange
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.load import Answer, Caller, Request

VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SCOPE = "openid profile email provider_id tin entitlements"
MOST_PAGES = 12
COUNTED = 2
"""Commits of a sign-in that count a request; Redis counts them where there is one."""
SIGN_IN_COMMITS = COUNTED + 4
"""All of them: parked, password tried, session and code made, code used. `tests/oidc/test_commits.py` counts the product's."""


@dataclass(frozen=True, slots=True)
class Client:
    """A confidential client of the bench."""

    client_id: str
    secret: str
    redirect_uri: str

    @property
    def basic(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}", **FORM}

    def authorize_path(self, **more: str) -> str:
        return "/oauth/authorize?" + urlencode(
            {
                "client_id": self.client_id,
                "redirect_uri": self.redirect_uri,
                "response_type": "code",
                "scope": SCOPE,
                "state": "bench",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
                **more,
            }
        )

    def exchange(self, code: str) -> Request:
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        body = urlencode({**asked, "code_verifier": VERIFIER}).encode()
        return Request("POST", "/oauth/token", self.basic, body)

    def refresh(self, token: str) -> Request:
        body = urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
        return Request("POST", "/oauth/token", self.basic, body)


def address() -> dict[str, str]:
    """Another network each time, as through a proxy: the load of one machine is no flood."""
    return {"X-Forwarded-For": f"10.{randrange(256)}.{randrange(256)}.{randrange(1, 255)}"}


class Browser:
    """Cookies, redirects, and the one form of the sign-in page."""

    def __init__(
        self, caller: Caller, *, cookies: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.caller, self._sent = caller, headers or address()
        self.cookies = dict(cookies or {})

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **self._sent}

    def ask(self, method: str, path: str, body: bytes = b"", *, expect: int = 303) -> Answer:
        headers = {**self.headers, **(FORM if body else {})}
        answer = self.caller.ask(Request(method, path, headers, body, expect))
        for header in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        return answer

    def sign_in(self, client: Client, login: str, password: str) -> str:
        """A code, by way of the page that asks for the password."""
        location = self.ask("GET", client.authorize_path()).location
        for _ in range(MOST_PAGES):
            if location.startswith(client.redirect_uri):
                return code_in(location)
            parts = urlsplit(location)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            if path.endswith("/password"):
                page = self.ask("GET", path, expect=200).body.decode()
                location = self._submit(page, login, password)
            else:
                location = self.ask("GET", path).location
        raise SystemExit("the bench could not sign in")

    def _submit(self, page: str, login: str, password: str) -> str:
        form = re.search(r'<form[^>]*id="login-form".*?</form>', page, re.S)
        if form is None:
            raise SystemExit("the bench met a page that it does not know")
        action = re.search(r'action="([^"]+)"', form[0])
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form[0])
        assert action is not None and token is not None
        typed = {"csrf_token": unescape(token[1]), "username": login, "password": password}
        return self.ask("POST", unescape(action[1]), urlencode(typed).encode()).location


def code_in(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]
