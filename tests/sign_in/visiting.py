"""A browser on its way through a sign-in for a portal: asks, follows what is ours, stops at the portal's door."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.authenticators.browsing import post_form
from tests.conftest import ISSUER
from tests.factories.make import PASSWORD
from tests.oidc.flow import VERIFIER, challenge_of

SESSION, BROWSER = "__Host-credence_session", "__Host-credence_browser"


def walk(client: FlaskClient, page: TestResponse) -> TestResponse:
    """On while the way stays on this site."""
    while page.status_code in {302, 303} and page.location.startswith(("/", ISSUER)):
        page = client.get(page.location)
    return page


def ask(client: FlaskClient, client_id: str = "ozark-secure", **more: Any) -> TestResponse:
    """An authorization request, walked to the first page or back to the client."""
    asked = {
        "response_type": "code", "client_id": client_id, "redirect_uri": f"https://{client_id}.test/callback",
        "scope": "openid tin", "state": "s", "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
    }  # fmt: skip
    return walk(client, client.get("/oauth/authorize?" + urlencode(asked | more)))


def send(client: FlaskClient, page: TestResponse, form: str | None = None, **typed: Any) -> TestResponse:
    """Fill in the page's form, send it, and walk on."""
    return walk(client, post_form(client, page, form, **typed))


def enter(client: FlaskClient, page: TestResponse, user_id: str) -> TestResponse:
    return send(client, page, "login-form", username=user_id, password=PASSWORD)


def come(
    client: FlaskClient, user_id: str = "rosa.delgado", client_id: str = "ozark-secure", **more: Any
) -> TestResponse:
    """Ask and sign in."""
    return enter(client, ask(client, client_id, **more), user_id)


def step_of(page: TestResponse) -> str:
    """Which step this page is, `code` for the way back with a code, or the error told to the client."""
    if page.status_code in {302, 303}:
        told = parse_qs(urlsplit(page.location).query)
        return "code" if "code" in told else told["error"][0]
    return page.request.path.rsplit("/", 1)[-1]


def txn_of(page: TestResponse) -> str:
    return str(page.request.path.split("/")[2])


def token_in(page: TestResponse) -> str:
    """The CSRF token of a page, for a POST that no form of ours would send."""
    return page.text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def force(client: FlaskClient, page: TestResponse, path: str, **data: str) -> TestResponse:
    """A direct POST to any address with a token that holds."""
    return client.post(path, data={"csrf_token": token_in(page), **data}, headers={"Origin": ISSUER})
