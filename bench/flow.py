"""The scripted person of the bench: signs in once, then authorizes again and again by the live session."""

import base64
import hashlib
import http.client
import re
import secrets
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Client:
    """A confidential client of the bench."""

    client_id: str
    secret: str
    redirect_uri: str

    @property
    def basic(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}", **_FORM}

    def authorize_path(self, **more: str) -> str:
        return "/oauth/authorize?" + urlencode(
            {
                "client_id": self.client_id,
                "redirect_uri": self.redirect_uri,
                "response_type": "code",
                "scope": "openid profile email provider_id tin entitlements",
                "state": "bench",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
                **more,
            }
        )

    def exchange_body(self, code: str) -> bytes:
        return urlencode(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.redirect_uri,
                "code_verifier": VERIFIER,
            }
        ).encode()


class Browser:
    """Cookies, redirects, and the one form of the sign-in page."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cookies: dict[str, str] = {}

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str, str]:
        """Status, Location and page."""
        connection = http.client.HTTPConnection("localhost", self._port, timeout=30)
        connection.request(method, path, body or None, {**self.headers, **(_FORM if body else {})})
        answer = connection.getresponse()
        page = answer.read().decode()
        for header in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = header.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        connection.close()
        return answer.status, answer.headers.get("Location", ""), page

    def sign_in(self, client: Client, login: str, password: str) -> str:
        """A code, by way of every page that comes."""
        status, location, page = self.ask("GET", client.authorize_path())
        while not location.startswith(client.redirect_uri):
            if status == 200:
                status, location, page = self._submit(page, login, password)
            elif status == 303:
                parts = urlsplit(location)
                status, location, page = self.ask("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
            else:
                raise SystemExit(f"the bench could not sign in: {status}")
        return code_in(location)

    def _submit(self, page: str, login: str, password: str) -> tuple[int, str, str]:
        form = re.search(r'<form[^>]*id="login-form".*?</form>', page, re.S)
        if form is None:
            raise SystemExit("the bench met a page that it does not know")
        action = re.search(r'action="([^"]+)"', form[0])
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form[0])
        assert action is not None and token is not None
        typed = {"csrf_token": unescape(token[1]), "username": login, "password": password}
        return self.ask("POST", unescape(action[1]), urlencode(typed).encode())


def code_in(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]
