"""The sign-in page that is answered before Flask is Flask's own; whatever is odd about a request is left to Flask."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from idp.foundation import house
from idp.foundation.database import writing
from idp.foundation.kept_pages import Kept
from idp.foundation.short_cuts import OF_BROWSERS
from idp.sessions.models import Transaction
from tests.oidc.sides import Sides
from tests.sign_in.visiting import BROWSER, SESSION, ask, txn_of


@pytest.fixture
def sides(app: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Sides:
    return Sides(app, settings, monkeypatch)


class Visit:
    """A browser that was led to the sign-in page of a portal."""

    def __init__(self, browser: Any, **asked: str) -> None:
        self.page = ask(browser, **asked)
        self.path = self.page.request.path
        self.cookie = f"{BROWSER}={browser.get_cookie(BROWSER, domain='credence.test').value}"

    def change(self, **values: Any) -> None:
        with writing() as tx:
            tx.execute(update(Transaction).where(Transaction.id == UUID(txn_of(self.page))).values(**values))


def alike(side: Any) -> Any:
    """An answer and what was told of it, without what is new in each: ids, a new browser's name, the token's second."""
    (status, sent, body), told = side
    text, tokens = re.subn(r'(name="csrf_token" value=")[^"]+', r"\1", (body or b"").decode())
    headers = [pair for pair in sent if pair[0] not in {"X-Request-ID", "Content-Length"}]
    headers = [(name, value.partition("=")[0] if name == "Set-Cookie" else value) for name, value in headers]
    return status, headers, text, tokens, told


def both(sides: Sides, method: str, path: str, headers: dict[str, str]) -> tuple[Any, Any, bool]:
    """Flask first, so that the page is kept."""
    sides.ask(sides.whole, method, path, headers, b"")
    return sides.both(method, path, headers)


def test_PERFORMANCE_SI_the_page_before_flask_is_that_of_flask(sides: Sides, new_browser: Any, make: Any) -> None:
    make.client()
    usual, wishing, hinted = (
        Visit(new_browser(), **more) for more in ({}, {"ui_locales": "es"}, {"login_hint": "rosa@mail.test"})
    )
    elsewhere, finished, further = (Visit(new_browser()) for _ in range(3))
    finished.change(finished_at=make.now)
    further.change(awaiting="choose")
    every = dict.fromkeys(OF_BROWSERS - {"host", "authorization", "content-type", "content-length", "cookie"}, "en")
    sent = {"cookie": usual.cookie}
    path, value = usual.path, usual.cookie.partition("=")[2]
    for name, left_out, method, where, headers in (
        ("usual", True, "GET", path, sent),
        ("every header that changes nothing", True, "GET", path, every | sent),
        ("in Spanish", True, "GET", path, sent | {"accept-language": "es-MX,en;q=0.5"}),
        ("Spanish chosen", True, "GET", path, {"cookie": f"lang=es; {usual.cookie}"}),
        ("a wish", True, "GET", wishing.path, {"cookie": wishing.cookie}),
        ("a wish overruled", True, "GET", wishing.path, {"cookie": f"{wishing.cookie}; lang=en~es"}),
        ("other cookies", True, "GET", path, {"cookie": f"a=b; {usual.cookie}; __Host-credence_device={'x' * 43}"}),
        ("a hint", False, "GET", hinted.path, {"cookie": hinted.cookie}),
        ("a session", False, "GET", path, {"cookie": f"{usual.cookie}; {SESSION}={'x' * 43}"}),
        ("no cookie", False, "GET", path, {}),
        ("another browser's", False, "GET", path, {"cookie": elsewhere.cookie}),
        ("two cookies", False, "GET", path, {"cookie": f"{usual.cookie}; {usual.cookie}"}),
        ("a cookie in quotes", False, "GET", path, {"cookie": f'{BROWSER}="{value}"'}),
        ("a short cookie", False, "GET", path, {"cookie": f"{BROWSER}=x"}),
        ("finished", False, "GET", finished.path, {"cookie": finished.cookie}),
        ("another step", False, "GET", further.path, {"cookie": further.cookie}),
        ("nobody's", False, "GET", f"/sign-in/{uuid4()}/password", sent),
        ("in capitals", False, "GET", path.replace(txn_of(usual.page), txn_of(usual.page).upper()), sent),
        ("a query", False, "GET", f"{path}?x=1", sent),
        ("HEAD", False, "HEAD", path, sent),
        ("a header that is not known", False, "GET", path, sent | {"x-more": "1"}),
        ("another host", False, "GET", path, sent | {"host": "evil.test"}),
    ):  # fmt: skip
        short, whole, skipped = both(sides, method, where, headers)
        assert alike(short) == alike(whole), name
        assert skipped is left_out, name
        assert short[0][0] == 200 or not left_out, name


def test_PERFORMANCE_SI_what_a_page_would_show_is_asked_at_each_request(
    app: Any, sides: Sides, new_browser: Any, make: Any
) -> None:
    """Its portal and its transaction are read as the view reads them; a page that nobody rendered yet is Flask's."""
    make.client()
    visit, sent = Visit(new_browser()), {}
    sent["cookie"] = visit.cookie
    for change in ({"login": "x"}, {"expires_at": make.now}, {"awaiting": "identify"}, {"client_id": None}):
        visit = Visit(new_browser())
        assert both(sides, "GET", visit.path, {"cookie": visit.cookie})[2]
        visit.change(**change)
        short, whole, skipped = both(sides, "GET", visit.path, {"cookie": visit.cookie})
        assert not skipped and alike(short) == alike(whole), change
    with app.app_context():
        house.get(Kept).forget()
    visit = Visit(new_browser())
    with app.app_context():
        house.get(Kept).forget()
    assert not sides.both("GET", visit.path, {"cookie": visit.cookie})[2]
    assert sides.both("GET", visit.path, {"cookie": visit.cookie})[2]


def test_D9_the_token_of_a_page_before_flask_holds_for_its_browser_alone(
    sides: Sides, new_browser: Any, make: Any
) -> None:
    make.client()
    browser, other = new_browser(), new_browser()
    visit, foreign = Visit(browser), Visit(other)
    (answer, _), _, skipped = both(sides, "GET", visit.path, {"cookie": visit.cookie})
    token = re.search(r'name="csrf_token" value="([^"]+)', answer[2].decode())
    assert skipped and token is not None
    typed = {"csrf_token": token[1], "username": "nobody", "password": "wrong-wrong-wrong"}
    assert browser.post(visit.path, data=typed).status_code == 422
    assert other.post(foreign.path, data=typed).status_code == 403
