"""Signing in with a second factor, as a browser does it."""

from datetime import datetime, timedelta

import pyotp
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.authenticators.browsing import press
from tests.sign_in.visiting import send, step_of, walk


def code_of(secret: str, now: datetime, *, steps: int = 0) -> str:
    """What the app shows at `now`, or some steps of 30 seconds later."""
    return pyotp.TOTP(secret).at(now + timedelta(seconds=30 * steps))


def type_code(client: FlaskClient, page: TestResponse, code: str) -> TestResponse:
    """Type it on the page that asks, and walk on."""
    assert step_of(page) in {"totp", "recovery", "email", "sms"}, step_of(page)
    return send(client, page, "factor-form", code=code)


def set_up_totp(client: FlaskClient, page: TestResponse, now: datetime, *, name: str = "") -> tuple[TestResponse, str]:
    """From the set-up page to an app that is added; the page after it, and the app's secret."""
    page = client.get(page.request.path + "/totp")
    page = walk(client, press(client, page, page.request.path + "/new"))
    secret = page.text.split('id="totp-key">', 1)[1].split("<", 1)[0].replace(" ", "")
    return send(client, page, "totp-form", code=code_of(secret, now), name=name), secret
