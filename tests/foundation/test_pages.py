"""Responses are closed by construction, templates strict, static files kept by their content (D9, SE-07)."""

from collections.abc import Iterator

import pytest
from flask import Flask, g, render_template
from jinja2 import DictLoader, UndefinedError

from idp.foundation import masks, pages


@pytest.fixture
def plain_app() -> Iterator[Flask]:
    app = Flask("idp", static_folder=str(pages.STATIC))
    app.config.update(SECRET_KEY="only for these tests")
    pages.attach(app)
    app.jinja_loader = DictLoader(
        {
            "typed.html": "<p>{{ typed }}</p>",
            "typed.txt": "{{ typed }}",
            "missing.html": "{{ nobody_gave_this }}",
            "peek.html": "{{ config }}",
            "form.html": "<form method=post>{{ csrf_field() }}</form>",
        }
    )

    @app.get("/page/<path:target>")
    def page(target: str) -> str:
        if target != "none":
            pages.allow_form_to(target)
        return render_template("typed.html", typed="x")

    @app.get("/data")
    def data() -> dict[str, str]:
        return {}

    return app


def directives(policy: str) -> dict[str, str]:
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))}


def test_SE_07_a_page_may_run_and_load_only_what_is_ours(plain_app: Flask) -> None:
    policy = directives(plain_app.test_client().get("/page/none").headers["Content-Security-Policy"])
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'self'",
    }


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("http://localhost:8001/callback?x=1", "'self' http://localhost:8001"),
        ("https://portal.test/callback", "'self' https://portal.test"),
        ("http://[::1]:8001/callback", "'self' http://[::1]:8001"),
        ("com.example.app:/callback", "'self' com.example.app:"),
        ("https://portal.test; script-src *", "'self'"),
        ("https://user@portal.test/", "'self'"),
        ("//portal.test/", "'self'"),
    ],
)
def test_ruling_14_a_transactions_form_may_end_at_the_portal(plain_app: Flask, target: str, allowed: str) -> None:
    answer = plain_app.test_client().get(f"/page/{target.replace('?', '%3F')}")
    policy = directives(answer.headers["Content-Security-Policy"])
    assert policy["form-action"] == allowed
    assert policy["script-src"] == "'self'"


def test_SE_07_what_is_no_page_may_do_nothing(plain_app: Flask) -> None:
    policy = directives(plain_app.test_client().get("/data").headers["Content-Security-Policy"])
    assert policy["default-src"] == "'none'"
    assert policy["form-action"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"


def test_one_response_does_not_open_another(plain_app: Flask) -> None:
    browser = plain_app.test_client()
    browser.get("/page/https://portal.test/")
    assert "portal.test" not in browser.get("/page/none").headers["Content-Security-Policy"]


def test_a_static_file_is_kept_for_ever_under_its_own_hash_only(plain_app: Flask) -> None:
    with plain_app.test_request_context("/"):
        url = pages.static_url("credence.css")
    browser = plain_app.test_client()
    assert browser.get(url).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/credence.css", "/static/credence.css?v=0123456789ab", "/static/nothing.css?v=x"):
        assert "immutable" not in browser.get(other).headers["Cache-Control"]


def test_SE_15_html_escapes_text_and_text_does_not(plain_app: Flask) -> None:
    typed = "<script>alert(1)</script>{{ 7*7 }}"
    with plain_app.test_request_context("/"):
        assert render_template("typed.html", typed=typed) == "<p>&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}</p>"
        assert render_template("typed.txt", typed=typed) == typed


@pytest.mark.parametrize("template", ["missing.html", "peek.html"])
def test_an_unknown_name_fails_and_settings_are_one(plain_app: Flask, template: str) -> None:
    plain_app.context_processor(dict)
    with plain_app.app_context(), pytest.raises(UndefinedError):
        plain_app.jinja_env.get_template(template).render()


def test_a_form_carries_its_token(plain_app: Flask) -> None:
    with plain_app.test_request_context("/"):
        assert 'type="hidden" name="csrf_token" value="' in render_template("form.html")


def test_the_way_back_leaves_an_error_pages_query_out(plain_app: Flask) -> None:
    with plain_app.test_request_context("/list?q=elm"):
        assert pages.here() == "/list?q=elm"
        g.is_error_page = True
        assert pages.here() == "/list"
    with plain_app.test_request_context("/list?q=elm", method="POST"):
        assert pages.here() == "/list?q=elm", "the page of a refused form is opened again by its address"


@pytest.mark.parametrize(
    ("mask", "shown"),
    [
        (masks.email("imani@northlake.example"), "im•••@northlake.example"),
        (masks.email("i@northlake.example"), "i•••@northlake.example"),
        (masks.email("io@northlake.example"), "i•••@northlake.example"),
        (masks.email(None), ""),
        (masks.email("no address"), ""),
        (masks.phone("+1 (405) 555-0134"), "•••-•••-0134"),
        (masks.phone("12"), ""),
        (masks.tin("12-3454410"), "**-***4410"),
        (masks.tin("4410"), ""),
    ],
)
def test_a_mask_shows_the_end_and_no_more(mask: str, shown: str) -> None:
    assert mask == shown
