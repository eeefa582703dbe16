"""A kept page is, byte for byte, the page that would be rendered for this reader now; nothing of another reader is in it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.federation.connections.models import AppliedConnection
from idp.foundation import house, kept_pages
from idp.foundation.database import writing
from idp.foundation.kept_pages import Kept
from tests.factories import Make
from tests.federation.conftest import world
from tests.sign_in.visiting import ask, token_in, txn_of

__all__ = ["world"]
Browsers = Callable[[], FlaskClient]


@pytest.fixture
def rendered(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the templates that were really rendered."""
    made: list[str] = []
    plain = kept_pages.render_template

    def render_template(template: str, **shown: Any) -> str:
        made.append(template)
        return plain(template, **shown)

    monkeypatch.setattr(kept_pages, "render_template", render_template)
    return made


def bare(page: Any) -> str:
    return str(page.text).replace(txn_of(page), "TXN").replace(token_in(page), "TOKEN")


def test_the_second_reader_gets_the_page_with_their_own_transaction_and_token(
    new_browser: Browsers, make: Make, rendered: list[str]
) -> None:
    make.client()
    pages = [ask(new_browser()) for _ in range(3)]
    assert len(rendered) == 1
    assert len({bare(page) for page in pages}) == 1
    for page in pages:
        mine, others = (txn_of(page), token_in(page)), {txn_of(each) for each in pages} - {txn_of(page)}
        assert all(value in page.text for value in mine)
        assert not any(value in page.text for value in others)
        assert len(set(re.findall(r'name="csrf_token" value="([^"]+)"', page.text))) == 1


def test_the_token_of_a_kept_page_holds(new_browser: Browsers, make: Make) -> None:
    make.client()
    ask(new_browser())
    browser = new_browser()
    page = ask(browser)
    data = {"csrf_token": token_in(page), "username": "nobody", "password": "wrong-wrong-wrong"}
    answer = browser.post(page.request.path, data=data, headers={"Origin": "https://credence.test"})
    assert answer.status_code == 422


@pytest.mark.parametrize("more", [{"ui_locales": "es"}, {"login_hint": "rosa@mail.test"}, {"client_id": "another"}])
def test_what_a_page_shows_of_the_request_is_never_anothers(
    app: Flask, new_browser: Browsers, make: Make, more: dict[str, str]
) -> None:
    make.client()
    make.client("another")
    first = bare(ask(new_browser()))
    other = bare(ask(new_browser(), **more))
    assert other != first
    assert bare(ask(new_browser())) == first
    with app.app_context():
        house.get(Kept).forget()
    assert bare(ask(new_browser(), **more)) == other


def test_a_language_chosen_by_cookie_or_browser_has_its_own_page(new_browser: Browsers, make: Make) -> None:
    make.client()
    assert 'lang="en"' in ask(new_browser()).text
    spanish = new_browser()
    spanish.set_cookie("lang", "es", domain="credence.test", secure=True)
    assert '<html lang="es"' in ask(spanish).text
    assert '<html lang="en"' in ask(new_browser()).text


def test_a_changed_portal_and_a_switched_connection_show_at_once(new_browser: Browsers, world: Any) -> None:
    assert 'id="with-saint-anne"' in ask(new_browser()).text
    assert 'id="with-saint-anne"' in ask(new_browser()).text
    with writing() as tx:
        tx.execute(update(AppliedConnection).values(enabled=False))
    assert 'id="with-saint-anne"' not in ask(new_browser()).text


def test_an_address_spelled_otherwise_leaves_no_trace(app: Flask, new_browser: Browsers, make: Make) -> None:
    """`return_to` tells the path as it was asked: a foreign spelling of it must not reach the next reader."""
    make.client()
    browser = new_browser()
    path = ask(browser).request.path
    with app.app_context():
        house.get(Kept).forget()
    browser.get(f"/sign-in/{txn_of_path(path).upper()}/password")
    browser.get(f"{path}?x=elsewhere")
    page = ask(new_browser())
    assert txn_of_path(path).upper() not in page.text
    assert "elsewhere" not in page.text
    assert f'name="return_to" value="{page.request.path}"' in page.text


def txn_of_path(path: str) -> str:
    return path.split("/")[2]
