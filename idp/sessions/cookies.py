"""The cookies: one names the browser, one the session, one remembered devices; all random, the server keeps digests.

In production all carry `__Host-` and `Secure`, so no subdomain can plant them (SE-02); the demo on plain http cannot.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, request
from flask.sessions import SessionInterface, SessionMixin

from idp.foundation import clock, csrf_tokens, house, outage
from idp.foundation.artefacts import digest_of
from idp.foundation.database import looking_up, writing
from idp.foundation.front_door import policy_of
from idp.keyring.service import Keyring
from idp.sessions import presence, service
from idp.sessions.rules import SessionFacts
from idp.sessions.service import NewSession
from idp.settings import Settings
from idp.vocabulary.secret import Secret

_CSRF: Final = "csrf_token"
MOST_DEVICES: Final = 8
"""People whom one browser remembers; the one longest unused gives way."""
_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z", re.ASCII)
_DEVICE: Final = re.compile(r"(?:[0-9a-f]{32}~)?[A-Za-z0-9_-]{43}\Z", re.ASCII)
"""A selector and a secret; the secret alone in cookies of before there were selectors."""


def browser_cookie_name(settings: Settings) -> str:
    return _name("browser", settings)


def session_cookie_name(settings: Settings) -> str:
    return _name("session", settings)


def device_cookie_name(settings: Settings) -> str:
    return _name("device", settings)


def _name(what: str, settings: Settings) -> str:
    """Cookies know hosts and no ports, and the demo has two providers on `localhost`: there the name tells them apart."""
    if not settings.demo:
        return f"__Host-credence_{what}"
    return f"credence_{what}_{urlsplit(settings.issuer).port or 80}"


class BrowserState(dict[str, Any], SessionMixin):
    """What Flask-WTF sees as `session`: only the CSRF secret, derived from the browser's cookie, never stored.

    It is made at the first look: the endpoints of machines never look, and should not pay for it.
    """

    def __contains__(self, name: object) -> bool:
        return name == _CSRF or super().__contains__(name)

    def __missing__(self, name: str) -> str:
        if name != _CSRF:
            raise KeyError(name)
        secret: str = self.setdefault(_CSRF, csrf_secret(_browser()))
        return secret


class BrowserCookies(SessionInterface):
    """Flask's `session` for this house: no state of its own, and a browser cookie once a page has a form."""

    def open_session(self, app: Flask, request: Request) -> BrowserState:
        return BrowserState()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if g.get("browser_is_new") and (g.get("browser_needed") or g.get("csrf_token") is not None):
            _set(response, browser_cookie_name(house.get(Settings)), _browser())


def attach(app: Flask) -> None:
    """Give the application these cookies, and each page request its `g.session`."""
    app.session_interface = BrowserCookies()
    csrf_tokens.attach(app, secret=lambda: csrf_secret(_browser()))
    app.before_request(_load_session)
    app.after_request(_note_presence)


def known_browser(sent: Mapping[str, str]) -> Secret | None:
    """The browser that these cookies name, where nobody is signed in at it."""
    settings = house.get(Settings)
    value = sent.get(browser_cookie_name(settings), "")
    return Secret(value) if _VALUE.match(value) and session_cookie_name(settings) not in sent else None


def browser_digest() -> bytes:
    """Digest of this browser's cookie; asking for it makes sure that the browser gets one."""
    g.browser_needed = True
    return digest_of(_browser().reveal())


def set_session(response: Response, cookie: Secret) -> None:
    """Hand the browser its new session."""
    _set(response, session_cookie_name(house.get(Settings)), cookie)


def signed_in(response: Response, session: NewSession) -> Response:
    """Hand the browser its new session, and the device's new cookie where it was remembered or recognised."""
    set_session(response, session.cookie)
    if session.device is not None:
        kept = [value for value in sent_devices() if value != session.device.replaces][: MOST_DEVICES - 1]
        value = Secret(".".join(each.reveal() for each in (session.device.value, *kept)))
        max_age = int((session.device.until - clock.now()).total_seconds())
        _set(response, device_cookie_name(house.get(Settings)), value, max_age=max_age)
    return response


def sent_devices() -> tuple[Secret, ...]:
    """What this browser was remembered by: a value for each person who asked for it (several share a desk)."""
    values = _sent(request, device_cookie_name(house.get(Settings))).split(".")[:MOST_DEVICES]
    return tuple(Secret(value) for value in values if _DEVICE.match(value))


def forget_session(response: Response) -> None:
    """Take the session's cookie away; the server has ended it already."""
    settings = house.get(Settings)
    response.delete_cookie(
        session_cookie_name(settings), path="/", secure=not settings.demo, httponly=True, samesite="Lax"
    )


def current_session() -> SessionFacts | None:
    """The live session of this request's browser."""
    session: SessionFacts | None = g.get("session")
    return session


def _set(response: Response, name: str, value: Secret, *, max_age: int | None = None) -> None:
    secure = not house.get(Settings).demo
    response.set_cookie(name, value.reveal(), path="/", secure=secure, httponly=True, samesite="Lax", max_age=max_age)


def _browser() -> Secret:
    """What names this browser: its cookie, or a new value for one that has none."""
    browser: Secret | None = g.get("browser")
    if browser is None:
        value = _sent(request, browser_cookie_name(house.get(Settings)))
        known = bool(_VALUE.match(value))
        browser = g.browser = Secret(value if known else secrets.token_urlsafe(32))
        g.browser_is_new = not known
    return browser


def _sent(sent: Request, name: str) -> str:
    """The cookie's value; one that came twice was tossed in by somebody, and names nobody (SE-02)."""
    values = sent.cookies.getlist(name)
    return values[0] if len(values) == 1 else ""


def csrf_secret(browser: Secret) -> str:
    """What a browser's forms are signed with, known by its cookie alone."""
    return hmac.digest(house.get(Keyring).derive("csrf"), browser.reveal().encode(), "sha256").hex()


def _load_session() -> None:
    g.session = None
    policy = policy_of(request.endpoint)
    if policy is None or policy.auth in {"public", "client", "token"}:
        return
    cookie = _sent(request, session_cookie_name(house.get(Settings)))
    if _VALUE.match(cookie):
        with looking_up() as tx:
            g.session = service.find_live(tx, cookie=cookie, now=clock.now())


def _note_presence(response: Response) -> Response:
    """Once a minute. A page that could be read stands even where nothing can be written: the session then ends no later for it."""
    session = g.get("session")
    now = clock.now()
    if session is not None and request.method == "GET" and presence.wants_touch(session, now=now):
        try:
            with writing() as tx:
                presence.touch(tx, session_id=session.id, now=now)
        except outage.AWAY as error:
            outage.note(error)
    return response
