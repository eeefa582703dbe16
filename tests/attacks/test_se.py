# ruff: noqa: F811 - fixtures are imported, and asked for by name
"""SE: sessions, cookies, headers and what browsers make of them (SECURITY §4)."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask

from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.keyring.service import Keyring
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession, LogoutDelivery
from tests.attacks import invariants
from tests.attacks.scene import BROWSER, CALLBACK, PORTAL, SESSION, Scene, Watched, scene  # noqa: F401 - a fixture
from tests.attacks.strings import CRLF, POLYGLOTS, TEMPLATES
from tests.authenticators.browsing import post_form, press
from tests.conftest import ISSUER, Browser

PAGES = ("/account/", "/account/profile", "/account/security", "/account/sessions", "/account/access", "/account/apps")


@pytest.fixture
def rosas(scene: Scene) -> Watched:
    """A browser in which Rosa is signed in at the portal."""
    browser = scene.browser()
    scene.sign_in_at(browser)
    return browser


def alive(browser: Browser) -> bool:
    answer = browser.get("/account/")
    assert answer.status_code in {200, 303}
    return answer.status_code == 200


# SE-02


@pytest.mark.parametrize(
    "header",
    [
        "=__Host-credence_session={value}",
        "credence_session={value}",
        "__host-credence_session={value}",
        "__Host-credence_session ={value}",
        '__Host-credence_session="{value}"x',
        "__Host-credence_session={value}%00",
        "__Host-credence_session={value}, x=1",
        "$Version=1; $__Host-credence_session={value}",
    ],
)
def test_SE_02_a_tossed_or_nameless_cookie_is_not_a_session(scene: Scene, rosas: Watched, header: str) -> None:
    value = rosas.cookie(SESSION)
    other = scene.browser()
    answer = other.get("/account/", headers={"Cookie": header.format(value=value)})
    assert answer.status_code == 303


def test_SE_02_the_same_cookie_twice_names_nobody(scene: Scene, rosas: Watched) -> None:
    """Whichever came first may have been planted; neither is believed."""
    value = rosas.cookie(SESSION)
    for planted in ("p" * 43, ""):
        for pair in ((planted, value), (value, planted)):
            sent = "; ".join(f"{SESSION}={each}" for each in pair)
            assert scene.browser().get("/account/", headers={"Cookie": sent}).status_code == 303


def test_SE_02_cookies_are_host_only_secure_http_only_and_lax(scene: Scene, rosas: Watched) -> None:
    sent = [value for answer in scene.seen.answers for value in answer.headers.getlist("Set-Cookie")]
    assert {value.partition("=")[0] for value in sent} == {SESSION, BROWSER}
    for value in sent:
        marks = {part.strip().lower() for part in value.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= marks
        assert not any(mark.startswith("domain") for mark in marks)


# SE-03


@pytest.mark.both
@pytest.mark.parametrize(("steps", "minutes"), [(1, 30), (30, 25)])
def test_SE_03_a_session_ends_by_idleness_and_by_age_and_its_portal_is_told(
    scene: Scene,
    rosas: Watched,
    hands,
    steps: int,
    minutes: int,
) -> None:
    """30 minutes idle, or 12 hours of steady work."""
    for _ in range(steps):
        was_alive = alive(rosas)
        hands.forward(minutes=minutes)
        if not was_alive:
            break
    assert not alive(rosas)
    with writing() as tx:
        sessions.close_dead(tx, now=hands.now)
    told = scene.make.rows(LogoutDelivery)
    assert [row.client_id for row in told] == [PORTAL]
    assert ("session_ended", "ok") in invariants.events_of()
    row = scene.make.rows(BrowserSession)[0]
    assert row.ended_reason == ("idle" if steps == 1 else "expired")
    invariants.hold()


def test_SE_03_one_second_before_its_end_it_lives(rosas: Watched, hands) -> None:
    hands.forward(minutes=29, seconds=59)
    assert alive(rosas)
    hands.forward(minutes=29, seconds=59)
    assert alive(rosas)
    hands.forward(minutes=30)
    assert not alive(rosas)


def test_SE_03_no_work_outlasts_twelve_hours(rosas: Watched, hands) -> None:
    started = hands.now
    while hands.now - started < timedelta(hours=11, minutes=55):
        assert alive(rosas)
        hands.forward(minutes=15)
    hands.at(started + timedelta(hours=12))
    assert not alive(rosas)


def test_SE_03_a_portal_that_refreshes_by_itself_does_not_stand_in_for_its_person(scene: Scene, hands) -> None:
    """Ruling 18: a portal left open would else keep `/manage` and `/console` open to whoever comes by."""
    browser = scene.browser()
    tokens = scene.exchange(scene.sign_in_at(browser)).get_json()
    for _ in range(4):
        hands.forward(minutes=10)
        tokens = scene.refresh(tokens["refresh_token"]).get_json()
    assert browser.get("/account/").status_code == 200, "they worked at the portal: the session is not idle"
    (session,) = scene.make.rows(BrowserSession)
    assert session.resumed_at == hands.now, "and nobody has looked at a page here for forty minutes"


def test_SE_03_a_dead_session_gives_no_code_and_no_refresh(scene: Scene, hands) -> None:
    browser = scene.browser()
    tokens = scene.exchange(scene.sign_in_at(browser)).get_json()
    hands.forward(minutes=31)
    page = scene.open(browser)
    assert page.status_code == 200
    assert 'id="login-form"' in page.text
    assert scene.refresh(tokens["refresh_token"]).status_code == 400
    assert scene.userinfo(tokens["access_token"]).status_code == 401


# SE-04


@pytest.mark.both
def test_SE_04_sessions_are_listed_and_ended_one_or_all(scene: Scene) -> None:
    here, there, third = scene.browser(), scene.browser("192.0.2.11"), scene.browser("192.0.2.12")
    tokens = {}
    for browser in (here, there, third):
        tokens[browser] = scene.exchange(scene.sign_in_at(browser)).get_json()
    page = here.get("/account/sessions")
    ends = list(dict.fromkeys(re.findall(r"/account/sessions/[0-9a-f-]{36}/end", page.text)))
    assert len(ends) >= 2
    by_address = {row.address: row.id for row in scene.make.rows(BrowserSession)}
    path = f"/account/sessions/{by_address['192.0.2.11']}/end"
    assert press(here, here.get(path), path).status_code == 303
    assert [alive(browser) for browser in (here, there, third)] == [True, False, True]
    assert scene.refresh(tokens[there]["refresh_token"]).status_code == 400
    press(here, here.get("/account/sessions/end-others"), "/account/sessions/end-others")
    assert [alive(browser) for browser in (here, there, third)] == [True, False, False]
    assert scene.userinfo(tokens[third]["access_token"]).status_code == 401
    assert {row.client_id for row in scene.make.rows(LogoutDelivery)} == {PORTAL}


def test_SE_04_nobody_ends_the_session_of_somebody_else(scene: Scene, rosas: Watched) -> None:
    scene.make.subject("someone.else")
    other = scene.browser()
    page = scene.follow(other, other.get("/account/"))
    scene.type_password(other, page, login="someone.else")
    row = next(row for row in scene.make.rows(BrowserSession) if row.subject_id == scene.rosa.id)
    token = re.search(r'name="csrf_token" value="([^"]+)"', other.get("/account/profile").text)
    assert token is not None
    path = f"/account/sessions/{row.id}/end"
    unknown = "/account/sessions/00000000-0000-7000-8000-000000000000/end"
    answers = [other.post(each, data={"csrf_token": token[1]}, headers={"Origin": ISSUER}) for each in (path, unknown)]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].headers.get("Location") == answers[1].headers.get("Location")
    assert alive(rosas)


# SE-07, SE-08


def pages(scene: Scene) -> list:
    """Every page that a walk through a sign-in and the account shows, with error pages."""
    browser, shown = scene.browser(), []
    login = scene.open(browser)
    shown += [login, post_form(browser, login, "login-form", username="nobody", password="x")]
    txn = urlsplit(login.request.path).path.split("/")[2]
    shown += [browser.get(f"/sign-in/forgot-password?txn={txn}"), browser.get("/sign-in/forgot-user-id")]
    scene.type_password(browser, login)
    shown += [browser.get(path) for path in PAGES]
    shown += [browser.get("/account/sessions/end-others"), browser.get("/oauth/logout")]
    shown.append(scene.follow(browser, browser.get("/oauth/logout?" + urlencode({"client_id": PORTAL}))))
    shown += [browser.get("/nothing/here"), browser.get(scene.request(redirect_uri="https://evil.test/cb"))]
    shown += [browser.post("/account/profile", data={}), browser.get("/sign-in/reset?token=x"), browser.put("/sign-in")]
    shown += [browser.get(f"/brand/{PORTAL}.css"), browser.get(f"/help/{PORTAL}/contact"), browser.get("/oauth/jwks")]
    return shown


def policy_of(answer) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: value for name, _, value in parts}


def test_SE_07_every_page_has_a_closed_policy_and_nothing_inline(scene: Scene) -> None:
    html = [answer for answer in pages(scene) if answer.mimetype == "text/html" and answer.status_code != 303]
    assert len(html) >= 15
    for answer in html:
        policy = policy_of(answer)
        assert (
            policy["default-src"] == policy["base-uri"] == policy["object-src"] == policy["frame-ancestors"] == "'none'"
        )
        assert "unsafe" not in str(policy)
        assert "*" not in str(policy)
        assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text), answer.request.path
        assert not re.search(r"<style|<base|<[a-z][^>]*\s(?:style|on[a-z]+)\s*=", answer.text), answer.request.path
        assert not re.search(r'(?:href|src|action)="(?:javascript|data):', answer.text), answer.request.path


def test_SE_07_a_sign_in_may_post_home_and_to_its_portal_only(scene: Scene) -> None:
    browser = scene.browser()
    login = scene.open(browser)
    portal = "{0.scheme}://{0.netloc}".format(urlsplit(CALLBACK))
    assert policy_of(login)["form-action"] == f"'self' {portal}"
    refused = post_form(browser, login, "login-form", username="nobody", password="x")
    assert policy_of(refused)["form-action"] == f"'self' {portal}"
    scene.type_password(browser, login)
    assert policy_of(browser.get("/account/"))["form-action"] == "'self'"


EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def has_all_headers(answer) -> bool:
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE, answer.request.path
    assert "max-age=" in answer.headers["Strict-Transport-Security"]
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Request-ID"]
    return True


def test_SE_08_the_headers_stand_on_2xx_3xx_and_4xx(scene: Scene) -> None:
    pages(scene)
    seen = {answer.status_code // 100: has_all_headers(answer) for answer in scene.seen.answers}
    assert set(seen) == {2, 3, 4}
    for path, status in (("/oauth/token?x=1", 400), ("/oauth/introspect", 415), ("/oauth/userinfo", 401)):
        answer = scene.browser().post(path)
        assert answer.status_code in {status, 401, 415}
        has_all_headers(answer)
    evil = Browser(scene.app, scene.app.response_class)
    assert has_all_headers(evil.get("/sign-in", base_url="https://evil.test"))


@pytest.mark.parametrize("status", [500, 503])
def test_SE_08_and_on_5xx_which_say_nothing_of_us(
    scene: Scene,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    from werkzeug.exceptions import ServiceUnavailable

    def fail(*_: object, **__: object) -> None:
        raise ServiceUnavailable if status == 503 else RuntimeError("CNRY-inside /srv/credence/secret.py")

    monkeypatch.setitem(app.view_functions, "recovery.forgot_password", fail)
    monkeypatch.setattr(fail, "route_policy", _policy(app), raising=False)
    monkeypatch.setattr(app, "testing", False)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = Browser(app, app.response_class).get("/sign-in/forgot-password")
    assert answer.status_code == status
    has_all_headers(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "CNRY" not in answer.text
    assert status == 500 or int(answer.headers["Retry-After"]) >= 1


def _policy(app: Flask) -> object:
    return app.view_functions["recovery.forgot_user_id"].route_policy  # type: ignore[attr-defined]


# SE-10


@pytest.mark.parametrize("value", CRLF)
def test_SE_10_no_value_splits_a_header(scene: Scene, value: str) -> None:
    browser = scene.browser()
    paths = [scene.request(**{name: value}) for name in ("state", "nonce", "login_hint", "ui_locales", "redirect_uri")]
    paths += ["/oauth/logout?" + urlencode({"state": value, "client_id": PORTAL})]
    paths += ["/sign-in?" + urlencode({"to": value}), "/account/?" + urlencode({"next": value})]
    for path in paths:
        answer = browser.get(path)
        assert "planted" not in str(answer.headers.getlist("Set-Cookie"))
        assert not any("\n" in part or "\r" in part for pair in answer.headers for part in pair)
    login = scene.open(browser, state=value) if "\r" not in value and "\n" not in value else None
    if login is not None and 'id="login-form"' in login.text:
        answer = scene.type_password(browser, login)
        assert answer.headers.get("Location", "").count("\n") == 0


# SE-12


def test_SE_12_a_cookie_with_any_bit_flipped_is_nobodys(scene: Scene, rosas: Watched) -> None:
    value = rosas.cookie(SESSION)
    assert value is not None
    for place in range(0, len(value), 3):
        flipped = value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
        thief = scene.browser()
        thief.plant(SESSION, flipped)
        assert not alive(thief)
    for changed in (value[:-1], value + "A", value.swapcase(), value + "=", value[::-1], ""):
        thief = scene.browser()
        thief.plant(SESSION, changed)
        assert not alive(thief)


def test_SE_12_nothing_signed_with_any_key_is_a_session(scene: Scene, rosas: Watched, app: Flask) -> None:
    """Flask's own signed cookie, even with the true key: sessions are rows, not signatures."""
    from flask.sessions import SecureCookieSessionInterface

    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    row = scene.make.rows(BrowserSession)[0]
    forged = signer.dumps({"session_id": str(row.id), "subject_id": row.subject_id, "_user_id": row.subject_id})
    for name in ("session", SESSION, BROWSER):
        thief = scene.browser()
        thief.plant(name, forged)
        assert not alive(thief)
    assert house.get(Keyring).derive("flask") != house.get(Keyring).derive("csrf")


# SE-14


def test_SE_14_what_another_window_can_measure_is_the_same(scene: Scene, rosas: Watched) -> None:
    """COOP and CORP on everything, no CORS, and one answer for foreign and unknown ids."""
    for path in ("/account/", "/sign-in", "/oauth/userinfo", f"/brand/{PORTAL}/logo.svg"):
        for browser in (rosas, scene.browser()):
            answer = browser.get(path, headers={"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"})
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    first, second = (rosas.get(f"/account/sessions/{n:08d}-0000-7000-8000-000000000000/end") for n in (1, 2))
    assert (first.status_code, len(first.text)) == (second.status_code, len(second.text))


# SE-15, AD-15


@pytest.mark.parametrize("chunk", range(6))
def test_SE_15_AD_15_what_people_are_called_is_shown_as_text(make, app: Flask, chunk: int) -> None:
    """Template language and polyglots in names, in a browser's name and in what was typed: literal everywhere."""
    strings = (*TEMPLATES, *POLYGLOTS)[chunk::6]
    for number, evil in enumerate(strings):
        make.subject(f"person.{chunk}.{number}", given_name=evil[:80], family_name=evil[-80:], display_name=evil[:160])
        browser = Browser(app, app.response_class)
        browser.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
        page = browser.get("/sign-in", headers={"User-Agent": "agent"})
        while page.status_code == 303:
            page = browser.get(page.location)
        wrong = post_form(browser, page, "login-form", username=evil[:250].replace("\u202e", ""), password="x")
        _is_text(wrong.text)
        answer = post_form(
            browser, page, "login-form", username=f"person.{chunk}.{number}", password="kettle-orbit-walnut-42"
        )
        assert answer.status_code == 303
        for path in ("/account/", "/account/profile", "/account/sessions"):
            shown = browser.get(
                path, headers={"User-Agent": evil.encode("ascii", "replace").decode().replace("\n", " ")}
            )
            assert shown.status_code == 200
            _is_text(shown.text)
            assert "{{7*7}}" not in evil or "{{7*7}}" in shown.text


class _Read(HTMLParser):
    """A page as a browser reads it: its tags and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.extend(attrs)


def _is_text(html: str) -> None:
    """Nothing in the page but what our templates put there."""
    read = _Read()
    read.feed(html)
    assert "<b>bold" not in html
    assert not read.tags & {"iframe", "object", "embed", "base", "math", "xmp", "x:script"}
    assert not [name for name, _ in read.attributes if name.startswith("on") or name in {"srcdoc", "style"}]
    led = [value or "" for name, value in read.attributes if name in {"href", "src", "action", "formaction", "data"}]
    assert not [value for value in led if not value.startswith(("/", "#", "tel:", "https://ozark-secure.test"))]
    assert "49" not in re.findall(r"\{\{|(?<=>)49(?=<)", html)


# SE-16, SE-18


@pytest.mark.parametrize(
    "locales",
    [
        "../../x",
        "../../../../etc/passwd",
        "es/../../x",
        "%00",
        "es\x00",
        "x" * 5000,
        "es-MX;DROP",
        "C",
        "🔑",
        "-",
        "es es es",
    ],
)
def test_SE_16_a_language_from_outside_never_becomes_a_path(scene: Scene, locales: str) -> None:
    browser = scene.browser()
    answer = scene.follow(browser, browser.get(scene.request(ui_locales=locales)))
    assert answer.status_code in {200, 303, 400}
    again = browser.get(
        "/sign-in/forgot-password",
        headers={"Accept-Language": locales[:200].encode("ascii", "ignore").decode().replace("\x00", "")},
    )
    assert again.status_code == 200


def test_SE_18_error_pages_name_no_part_of_us(scene: Scene) -> None:
    browser = scene.browser()
    answers = [
        browser.get("/nothing?CNRY-query=1"), browser.get("/account/../etc"), browser.put("/oauth/token"),
        browser.get("/sign-in/reset?token=CNRY"), browser.get(scene.request(client_id="CNRY-nobody")),
        browser.get("/static/../settings.py"), browser.get("/help/nobody/nothing"), browser.post("/language", data={"x": "CNRY"}),
        browser.get("/sign-in/not-a-uuid"), browser.get("/oauth/authorize?" + "CNRY" * 100),
        browser.get("/sign-in/00000000-0000-0000-0000-000000000000"), browser.delete("/account/"),
    ]  # fmt: skip
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert "CNRY" not in answer.text
        assert not re.search(r"(?i)werkzeug|flask|python|sqlalchemy|granian|traceback|/[a-z]+\.py", answer.text)
        assert "Server" not in answer.headers


def test_SE_18_the_debugger_is_nowhere(scene: Scene) -> None:
    for path in (
        "/?__debugger__=yes&cmd=resource&f=style.css",
        "/console",
        "/_debug",
        "/debug",
        "/.env",
        "/.git/config",
    ):
        answer = scene.browser().get(path)
        assert answer.status_code in {303, 308, 404}, path
        assert "debugger" not in answer.text.lower()


def test_SE_sessions_of_the_reader_are_untouched_by_reading(scene: Scene, rosas: Watched) -> None:
    """A walk over all pages makes no event and ends nothing (SE-06 in small)."""
    before = invariants.events_of()
    for path in PAGES:
        rosas.get(path)
    assert invariants.events_of() == before
    with reading() as tx:
        assert tx.query(BrowserSession).filter(BrowserSession.ended_at.is_(None)).count() == 1
