"""Each portal's colours, logo and help texts, kept by browsers and harmless (LOOK; X7; DR-05)."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.relying_parties import views


def test_a_brand_is_seven_custom_properties(browser: FlaskClient) -> None:
    answer = browser.get("/brand/northlake.css")
    assert answer.mimetype == "text/css"
    assert answer.text.startswith(":root{--accent-light:#0B6468;--accent-dark:#5CC8CB;")
    assert answer.text.count("--") == 7


def test_a_brand_is_kept_for_ever_under_its_own_address_and_else_asked_again(bare_app: Flask, browser, party) -> None:
    with bare_app.test_request_context("/"):
        own = views.brand_url(party)
    assert "immutable" in browser.get(own).headers["Cache-Control"]
    plain = browser.get("/brand/northlake.css")
    assert plain.headers["Cache-Control"] == "public, max-age=3600"
    again = browser.get("/brand/northlake.css", headers={"If-None-Match": plain.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_DR_05_a_logo_may_do_nothing(browser: FlaskClient) -> None:
    answer = browser.get("/brand/northlake/logo.svg")
    assert answer.mimetype == "image/svg+xml"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/brand/unknown.css", "/brand/unknown/logo.svg", "/help/unknown/faq", "/help/northlake/secret", "/help/northlake/logo.svg"])  # fmt: skip
def test_what_is_not_of_the_manifest_is_not_found(browser: FlaskClient, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_X7_a_help_text_is_markdown_that_can_hold_no_script(browser: FlaskClient) -> None:
    page = browser.get("/help/northlake/faq").text
    main = page[page.index("<main") :]
    assert "<strong>bold</strong>" in main
    assert "&lt;script&gt;" in main
    assert "<script" not in main
    assert 'href="javascript' not in main


def test_X6_a_help_text_speaks_the_readers_language(browser: FlaskClient) -> None:
    page = browser.get("/help/northlake/faq?ui_locales=es").text
    assert "Hola" in page
    assert "<title>Preguntas – Northlake Exchange</title>" in page
