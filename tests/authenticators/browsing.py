"""Driving the sign-in pages as a browser does: forms are read from the page and posted back."""

import re
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import ISSUER
from tests.factories.make import PASSWORD

_FORM = re.compile(
    r'<form[^>]*id="(?P<id>[^"]+)"[^>]*action="(?P<action>[^"]+)"[^>]*>(?P<inside>.*?)</form>', re.DOTALL
)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_TOKEN = re.compile(r'name="csrf_token" value="[^"]*"')
_ONE_MOMENT = re.compile(r'<meta http-equiv="refresh" content="0; url=(/[^"]*)">')
_TXN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def post_form(client: FlaskClient, page: TestResponse, form: str | None, **typed: Any) -> TestResponse:
    """Fill in the form called `form` of a page (or its only card's form) and send it."""
    found = [match for match in _FORM.finditer(page.text) if form is None or match["id"] == form]
    assert found, f"no form {form} on the page"
    hidden = dict(_HIDDEN.findall(found[0]["inside"]))
    data = {name: unescape(value) for name, value in hidden.items()} | typed
    return client.post(unescape(found[0]["action"]), data=data, headers={"Origin": ISSUER})


def press(client: FlaskClient, page: TestResponse, action: str, **more: Any) -> TestResponse:
    """Send the confirmation whose form posts to `action`."""
    part = page.text.split(f'action="{action}"', 1)[1]
    hidden = dict(_HIDDEN.findall(part.split("</form>", 1)[0]))
    return client.post(action, data={**hidden, **more}, headers={"Origin": ISSUER})


def follow(client: FlaskClient, page: TestResponse) -> TestResponse:
    """Go where redirects lead, on this site only."""
    while True:
        onward = page.location if page.status_code in {301, 302, 303} else _by_itself(page)
        if onward is None:
            return page
        assert onward.startswith(("/", ISSUER)), onward
        page = client.get(onward)


def _by_itself(page: TestResponse) -> str | None:
    """Where a page that only says *one moment* goes."""
    found = _ONE_MOMENT.search(page.text) if page.status_code == 200 else None
    return unescape(found[1]) if found is not None else None


def open_sign_in(client: FlaskClient) -> TestResponse:
    """The sign-in page for the account's own pages."""
    page = follow(client, client.get("/account/"))
    assert 'id="login-form"' in page.text
    return page


def sign_in(client: FlaskClient, login: str, password: str = PASSWORD) -> TestResponse:
    """Sign in for the account's pages; the answer to the posted form."""
    return post_form(client, open_sign_in(client), "login-form", username=login, password=password)


def signed_in(client: FlaskClient, login: str, password: str = PASSWORD) -> FlaskClient:
    """The browser after a sign-in that must succeed."""
    answer = sign_in(client, login, password)
    assert answer.status_code == 303, answer.status_code
    landed = follow(client, answer)
    assert landed.request.path == "/account/", landed.request.path
    return client


def bare(page: TestResponse, *typed: str) -> str:
    """A page's text without what differs by request: the token, the transaction, what was typed."""
    text = _TXN.sub("TXN", _TOKEN.sub("TOKEN", page.text))
    for word in typed:
        text = text.replace(word, "TYPED")
    return text
