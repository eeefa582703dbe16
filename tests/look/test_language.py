"""Which language and zone a page speaks, and how it is changed (X6, SE-16, SE-10)."""

import importlib.util
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from idp.foundation import i18n, pages


@pytest.mark.parametrize(
    ("known", "answer"),
    [
        ({}, "en"),
        ({"accepted": ["de", "es-MX", "en"]}, "es"),
        ({"accepted": ["fr"]}, "en"),
        ({"profile": "es_US", "accepted": ["en"]}, "es"),
        ({"cookie": "en", "profile": "es"}, "en"),
        ({"wish": "es", "cookie": "en"}, "es"),
        ({"wish": "fr de es-419 en"}, "es"),
        ({"wish": "fr", "cookie": "es"}, "es"),
        ({"wish": "en", "cookie": "es~en"}, "es"),
        ({"wish": "es", "cookie": "es~en"}, "es"),
        ({"cookie": "es~en"}, "es"),
        ({"cookie": "xx~../../etc"}, "en"),
    ],
)
def test_the_wish_comes_first_then_the_choice_then_the_profile_then_the_browser(known, answer: str) -> None:
    assert i18n.choose(**known) == answer


@pytest.mark.parametrize(
    "wish", ["../../x", "x" * 5000, "es/../../etc/passwd", "%00", "\u202ees", "C", "root", "-", "e\u0301s"]
)
def test_SE_16_an_unknown_wish_falls_back(browser: FlaskClient, wish: str) -> None:
    answer = browser.get("/nowhere", query_string={"ui_locales": wish})
    assert answer.status_code == 404
    assert '<html lang="en" dir="ltr"' in answer.text


def test_X6_a_page_speaks_spanish_where_it_is_wished(browser: FlaskClient) -> None:
    page = browser.get("/nowhere?ui_locales=es").text
    assert '<html lang="es"' in page
    assert "No encontramos esta página" in page


def test_the_footers_switch_works_without_script_and_returns(bare_app: Flask, browser: FlaskClient) -> None:
    page = browser.get("/help/northlake/faq").text
    assert 'action="/language"' in page
    assert 'name="lang" value="es" lang="es">Español</button>' in page
    answer = browser.post("/language", data={"lang": "es", "return_to": "/help/northlake/faq?x=1"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/help/northlake/faq?x=1")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert '<html lang="es"' in browser.get("/help/northlake/faq").text


def test_the_switch_overrules_the_wish_that_the_page_was_opened_with(browser: FlaskClient) -> None:
    page = browser.get("/help/northlake/faq?ui_locales=en").text
    assert 'name="instead_of" value="en"' in page
    browser.post("/language", data={"lang": "es", "instead_of": "en", "return_to": "/"})
    assert '<html lang="es"' in browser.get("/help/northlake/faq?ui_locales=en").text


@pytest.mark.parametrize(
    "target",
    ["https://evil.test/", "//evil.test", "/\\evil.test", "\\/evil.test", "javascript:alert(1)", "evil", "", "/x\r\nSet-Cookie: a=b", "/\tx"],
)  # fmt: skip
def test_SE_10_the_switch_returns_to_no_other_site(browser: FlaskClient, target: str) -> None:
    answer = browser.post("/language", data={"lang": "es", "return_to": target})
    assert answer.headers["Location"] == "/"


def test_an_unknown_language_is_not_remembered(browser: FlaskClient) -> None:
    assert "Set-Cookie" not in browser.post("/language", data={"lang": "../x"}).headers


def test_moments_are_written_in_the_persons_zone() -> None:
    at = datetime(2026, 11, 26, 23, 10, tzinfo=UTC)
    pacific = ZoneInfo("America/Los_Angeles")
    assert plain(i18n.moment_text(at, code="en", zone=pacific)) == "Nov 26, 2026, 3:10 pm PST"
    assert plain(i18n.moment_text(at, code="es", zone=pacific)) == "26 nov 2026, 3:10 p. m. PST"
    assert plain(i18n.day_text(at, code="en", zone=ZoneInfo("Asia/Tokyo"))) == "Nov 27, 2026"
    assert plain(i18n.day_text(date(2026, 11, 26), code="es", zone=pacific)) == "26 nov 2026"


def test_summer_time_and_a_moment_before_noon() -> None:
    at = datetime(2026, 7, 1, 14, 5, tzinfo=UTC)
    assert plain(i18n.moment_text(at, code="en", zone=ZoneInfo("America/Chicago"))) == "Jul 1, 2026, 9:05 am CDT"


def test_an_unknown_zone_is_the_deployments(bare_app: Flask) -> None:
    with bare_app.test_request_context("/"):
        g.zoneinfo = "../../etc/localtime"
        assert str(i18n.zone()) == "America/Chicago"
        g.zoneinfo = "Asia/Tokyo"
        assert str(i18n.zone()) == "Asia/Tokyo"


def test_a_moment_stands_inside_time(rendered) -> None:
    html = rendered(
        '{% from "_macros/dates.html" import moment %}{{ moment(at) }}', at=datetime(2026, 11, 26, 21, 10, tzinfo=UTC)
    )
    assert '<time class="num" datetime="2026-11-26T21:10:00+00:00">' in html


def test_X6_the_spanish_catalogue_is_complete() -> None:
    path = pages.TEMPLATES.parent / "tools" / "translations.py"
    spec = importlib.util.spec_from_file_location("translations_tool", path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.faults("es", tool.extracted()) == []


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")
