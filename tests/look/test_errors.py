"""One family of error pages: what is wrong, what to do, nothing about us (SE-18)."""

import re

import pytest
from flask import Flask, Response, abort, g, jsonify
from flask.testing import FlaskClient

from idp.foundation import error_pages
from idp.foundation.error_pages import PAGES, Kind

ANSWERED = [400, 403, 404, 405, 408, 413, 414, 415, 429, 431, 500, 503]


@pytest.fixture
def failing(bare_app: Flask) -> FlaskClient:
    @bare_app.get("/fail/<int:status>")
    def fail(status: int) -> str:
        abort(status)

    @bare_app.get("/crash")
    def crash() -> str:
        raise RuntimeError("the database said: password=hunter2")

    @bare_app.get("/oauth/token/fail")
    def machine() -> str:
        abort(413)

    @bare_app.get("/busy")
    def busy() -> str:
        g.retry_after = 77
        abort(429)

    return bare_app.test_client()


@pytest.mark.parametrize("status", ANSWERED)
def test_every_http_error_has_a_page_of_the_family(failing: FlaskClient, status: int) -> None:
    answer = failing.get(f"/fail/{status}?secret=value-of-the-query")
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    assert 'id="error" role="alert"' in main
    assert re.search(r"<h1>[^<]+</h1>\s*<p>[^<]+</p>\s*<p>[^<]+</p>", main), "what is wrong, and what to do"
    assert "<title>Error: " in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "value-of-the-query" not in answer.text
    assert not re.search(r"werkzeug|flask|python|jinja|traceback", answer.text + str(answer.headers), re.IGNORECASE)


def test_SE_18_a_crash_tells_nothing_of_itself(failing: FlaskClient) -> None:
    answer = failing.get("/crash")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "Something went wrong on our side" in answer.text


def test_a_page_that_cannot_be_rendered_still_answers(failing: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> str:
        raise OSError("the disk is gone")

    monkeypatch.setattr(error_pages, "render_template", broken)
    answer = failing.get("/fail/404")
    assert answer.status_code == 404
    assert "<main id=error>" in answer.text
    assert "disk" not in answer.text


@pytest.mark.parametrize(("path", "seconds"), [("/fail/503", "30"), ("/fail/429", "30"), ("/busy", "77")])
def test_who_must_wait_is_told_how_long(failing: FlaskClient, path: str, seconds: str) -> None:
    assert failing.get(path).headers["Retry-After"] == seconds


def test_a_wrong_method_says_which_are_right(failing: FlaskClient) -> None:
    answer = failing.post("/crash")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_path_in_the_page_is_escaped(failing: FlaskClient) -> None:
    assert "<script>x" not in failing.get("/<script>x</script>").text


def test_machines_get_their_own_format(bare_app: Flask, failing: FlaskClient) -> None:
    def answer(status: int, path: str) -> Response:
        response = jsonify(error="invalid_request")
        response.status_code = status
        return response

    error_pages.register_json_prefix(bare_app, prefix="/oauth/token", answer=answer)
    told = failing.get("/oauth/token/fail")
    assert (told.status_code, told.json) == (413, {"error": "invalid_request"})
    assert failing.get("/oauth/tokenish").mimetype == "text/html", "a prefix is a whole path segment"


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_kind_has_a_page_in_both_languages(bare_app: Flask, party, kind: Kind, lang: str) -> None:
    with bare_app.test_request_context("/x", headers={"Accept-Language": lang}):
        response = error_pages.show(kind, party=party)
        assert response.status_code == PAGES[kind].status
        html = response.get_data(as_text=True)
        assert str(PAGES[kind].title) in html
        assert 'href="https://portal.test/"' in html
        assert (lang == "en") == ("Go to Northlake" in html)


def test_PROTOCOL_a_page_names_the_bad_parameter(bare_app: Flask) -> None:
    with bare_app.test_request_context("/oauth/authorize"):
        html = error_pages.show(Kind.BAD_REQUEST, parameter="redirect_uri").get_data(as_text=True)
    assert '<b class="mono">redirect_uri</b>' in html


def test_PROTOCOL_the_page_after_sign_out_says_so(bare_app: Flask, party) -> None:
    with bare_app.test_request_context("/oauth/logout"):
        html = error_pages.signed_out(party=party).get_data(as_text=True)
    assert "<h1>Signed out</h1>" in html
    assert 'id="error"' not in html


@pytest.mark.parametrize(
    ("kind", "leads_on"),
    [(Kind.NOT_FOUND, True), (Kind.EXPIRED_LINK, True), (Kind.TOO_MANY, False), (Kind.BROKEN, False)],
)
def test_X6_without_a_portal_a_page_still_leads_somewhere_unless_that_would_fail_too(
    bare_app: Flask, kind: Kind, leads_on: bool
) -> None:
    with bare_app.test_request_context("/x"):
        html = error_pages.show(kind).get_data(as_text=True)
    assert ('href="/account/"' in html) == leads_on


def test_X5_a_dead_link_leads_to_where_a_new_one_is_asked_for(bare_app: Flask, party) -> None:
    with bare_app.test_request_context("/x"):
        html = error_pages.show(Kind.EXPIRED_LINK, party=party, again_url="/ask").get_data(as_text=True)
    assert re.search(r'<a class="btn primary" href="/ask" id="ask-again">', html)
    assert html.count('class="btn') == 1
