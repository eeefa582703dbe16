"""How a test signs somebody in at a portal, by its own requests and a provider that may lie."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.clients.lying_provider import LyingProvider


def query_of(answer: TestResponse) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def go_to_sign_in(browser: FlaskClient, lying: LyingProvider, *, path: str = "/sign-in") -> dict[str, str]:
    asked = query_of(browser.get(path))
    lying.nonce, lying.auth_time = asked["nonce"], int(lying.clock().timestamp())
    return asked


def come_back(browser: FlaskClient, lying: LyingProvider, asked: dict[str, str], **changed: Any) -> TestResponse:
    answer = {"code": "code-1", "state": asked["state"], "iss": lying.issuer, **changed}
    return browser.get("/callback", query_string={name: value for name, value in answer.items() if value is not None})


def sign_in(browser: FlaskClient, lying: LyingProvider, *, path: str = "/sign-in") -> TestResponse:
    return come_back(browser, lying, go_to_sign_in(browser, lying, path=path))
