"""The scene of an attack: Rosa, who acts for one provider at one portal, and a browser in which every answer is watched.

`scene` is the fixture; import it. `Scene.sign_in_at` is a whole authorization; `Scene.token` the portal's call.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp.affiliations.models import Affiliation
from idp.directory.models import Provider
from idp.subjects.models import Subject
from tests.attacks import invariants
from tests.authenticators.browsing import post_form
from tests.conftest import ISSUER, Browser
from tests.factories import Make
from tests.factories.make import CLIENT_SECRET, PASSWORD

PORTAL = "ozark-secure"
CALLBACK = f"https://{PORTAL}.test/callback"
SCOPE = "openid profile email provider_id tin entitlements"
VERIFIER = "CNRY-verifier-" + "v" * 40
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{PORTAL}:{CLIENT_SECRET}".encode()).decode()}
SESSION, BROWSER = "__Host-credence_session", "__Host-credence_browser"


@dataclass
class Seen:
    """Everything that went over the wire in a scene."""

    answers: list[TestResponse] = field(default_factory=list)

    @property
    def locations(self) -> list[str]:
        return [found for answer in self.answers if (found := answer.headers.get("Location"))]

    @property
    def addresses(self) -> list[str]:
        return [str(answer.request.url) for answer in self.answers]


class Watched(Browser):
    """A browser whose every answer must keep G1, G2 and G8."""

    seen: Seen

    def open(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().open(*args, **kwargs)
        invariants.watch(answer)
        self.seen.answers.append(answer)
        return answer

    def cookie(self, name: str) -> str | None:
        kept = self.get_cookie(name, domain=urlsplit(ISSUER).netloc)
        return kept.value if kept is not None else None

    def plant(self, name: str, value: str) -> None:
        self.set_cookie(name, value, domain=urlsplit(ISSUER).netloc)


@dataclass
class Scene:
    """Who and what there is, and the ways through it."""

    app: Flask
    make: Make
    rosa: Subject
    provider: Provider
    affiliation: Affiliation
    seen: Seen = field(default_factory=Seen)

    def browser(self, address: str = "192.0.2.10") -> Watched:
        made = Watched(self.app, self.app.response_class, use_cookies=True)
        made.seen = self.seen
        made.environ_base["REMOTE_ADDR"] = address
        return made

    def request(self, **changed: str | None) -> str:
        """An authorization request; `None` leaves a parameter out."""
        asked = {
            "client_id": PORTAL, "redirect_uri": CALLBACK, "response_type": "code", "scope": SCOPE,
            "state": "a-state", "nonce": "a-nonce", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        } | changed  # fmt: skip
        return "/oauth/authorize?" + urlencode({name: value for name, value in asked.items() if value is not None})

    def follow(self, browser: Watched, answer: TestResponse) -> TestResponse:
        """Until a page of ours, or the answer that leaves for a portal."""
        while answer.status_code in {301, 302, 303} and answer.headers["Location"].startswith(("/", ISSUER)):
            answer = browser.get(answer.headers["Location"])
        return answer

    def open(self, browser: Watched, **changed: str | None) -> TestResponse:
        return self.follow(browser, browser.get(self.request(**changed)))

    def type_password(
        self, browser: Watched, page: TestResponse, *, login: str = "rosa.delgado", password: str = PASSWORD
    ) -> TestResponse:
        return self.follow(browser, post_form(browser, page, "login-form", username=login, password=password))

    def sign_in_at(self, browser: Watched, **changed: str | None) -> str:
        """A whole sign-in at the portal; the code it got."""
        answer = self.open(browser, **changed)
        if answer.status_code == 200 and 'id="login-form"' in answer.text:
            answer = self.type_password(browser, answer)
        for _ in range(3):
            if answer.status_code == 200 and "<form" in answer.text:
                boxes = dict.fromkeys(re.findall(r'type="checkbox"[^>]*name="([^"]+)"', answer.text), "on")
                answer = self.follow(browser, post_form(browser, answer, None, **boxes))
        assert answer.status_code == 303, (answer.status_code, answer.text[:2000])
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def exchange(self, code: str, *, browser: Watched | None = None, **changed: str) -> TestResponse:
        body = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.call("/oauth/token", body | changed)

    def refresh(self, token: str) -> TestResponse:
        return self.call("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token})

    def introspect(self, token: str) -> dict[str, Any]:
        told: dict[str, Any] = self.call("/oauth/introspect", {"token": token}).get_json()
        return told

    def userinfo(self, token: str) -> TestResponse:
        return self.browser().get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})

    def call(self, path: str, body: dict[str, str], **headers: str) -> TestResponse:
        """As the portal's server does."""
        return self.browser().post(path, data=body, headers=BASIC | headers)


def query_names(address: str) -> set[str]:
    """Names of an address's query parameters."""
    return {name for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)}


@pytest.fixture
def scene(app: Flask, make: Make) -> Scene:
    rosa = make.subject("rosa.delgado")
    provider = make.provider(registry_name="ozark")
    affiliation = make.affiliation(rosa, provider, levels=((PORTAL, "claims.inquiry"),))
    make.client(PORTAL)
    return Scene(app, make, rosa, provider, affiliation)


Scenery = Callable[[], Scene]
