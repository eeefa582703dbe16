"""What no view ever sees: joined headers, foreign hosts, floods, multipart (ruling 17; SE-08, RX-04, RX-05, RX-07, DI-01, DI-03)."""

import io
from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import EnvironBuilder, run_wsgi_app

from idp.foundation.front_door import route_policy
from idp.foundation.outer_wall import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_QUERY_BYTES, Bounded, OuterWall
from idp.settings import Settings
from tests.conftest import ISSUER
from tests.factories import Make

HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def sent(app: Flask, path: str = "/account/", **changed: Any) -> tuple[int, dict[str, str], str]:
    """A request as the server hands it over, raw."""
    environ = EnvironBuilder(path=path, base_url=ISSUER).get_environ() | changed
    body, status, headers = run_wsgi_app(app, environ, buffered=True)
    return int(status.split()[0]), dict(headers), b"".join(body).decode()


@pytest.mark.parametrize(
    "header",
    [
        {"HTTP_HOST": "credence.test, evil.test"},
        {"HTTP_AUTHORIZATION": "Basic YTpi, Basic Yzpk"},
        {"HTTP_DPOP": "a.b.c, d.e.f"},
        {"CONTENT_TYPE": "application/x-www-form-urlencoded, text/html"},
        {"CONTENT_LENGTH": "1, 2"},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "0x10"},
        {"CONTENT_LENGTH": "١"},
    ],
)
def test_ruling_17_headers_joined_by_the_server_are_refused(app: Flask, header: dict[str, str]) -> None:
    status, headers, _ = sent(app, "/oauth/token", REQUEST_METHOD="POST", **header)
    assert status == 400
    assert HEADERS.items() <= headers.items()


@pytest.mark.parametrize(
    "host",
    ["evil.test", "credence.test.evil.test", "credence.test:444", "user@credence.test", "credence.test ", "", "[", "é", "a b", "\x00"],
)  # fmt: skip
def test_DI_01_DI_03_another_host_gets_an_error_page_and_nothing_of_its_own_words(app: Flask, host: str) -> None:
    status, headers, body = sent(app, "/.well-known/openid-configuration", HTTP_HOST=host)
    assert status == 400
    assert HEADERS.items() <= headers.items()
    assert "evil" not in body
    assert "evil" not in str(headers)


@pytest.mark.parametrize(
    "forged", ["HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_X_ORIGINAL_URL", "HTTP_X_FORWARDED_PROTO"]
)
def test_DI_02_forwarding_headers_of_a_stranger_change_nothing(app: Flask, forged: str) -> None:
    status, _, body = sent(app, "/.well-known/openid-configuration", **{forged: "evil.test;host=evil.test"})
    assert status == 200
    assert "evil" not in body
    assert f'"issuer":"{ISSUER}"' in body


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_is_asked_by_any_host(app: Flask, path: str) -> None:
    assert sent(app, path, HTTP_HOST="10.0.0.7:8000")[0] in {200, 404}
    assert sent(app, "/healthz", HTTP_HOST="10.0.0.7:8000")[0] == 200


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"HTTP_X_LONG": "a" * MAX_HEADER_BYTES}, 431),
        ({f"HTTP_X_{number}": "a" * 700 for number in range(60)}, 431),
        ({"HTTP_COOKIE": "a" * MAX_HEADER_BYTES}, 431),
        ({"QUERY_STRING": "a" * (MAX_QUERY_BYTES + 1)}, 414),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)}, 413),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "9" * 5000}, 413),
        ({"REQUEST_METHOD": "POST", "CONTENT_TYPE": "multipart/form-data; boundary=x"}, 415),
        ({"REQUEST_METHOD": "POST", "CONTENT_TYPE": "Multipart/Mixed"}, 415),
    ],
)
def test_RX_04_RX_05_RX_07_too_much_is_refused_unread(app: Flask, changed: dict[str, str], status: int) -> None:
    stream = Counting(b"a" * 100)
    got, headers, body = sent(app, "/oauth/authorize", **changed, **{"wsgi.input": stream})
    assert got == status
    assert HEADERS.items() <= headers.items()
    assert stream.taken == 0
    assert "Traceback" not in body


class Counting(io.BytesIO):
    """A stream that knows how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def test_RX_04_an_endless_chunked_body_stops_at_the_limit() -> None:
    class Endless:
        taken = 0

        def read(self, size: int) -> bytes:
            self.taken += size
            return b"a" * size

    stream = Endless()
    bounded = Bounded(stream, None)
    with pytest.raises(RequestEntityTooLarge):
        for _ in range(1000):
            bounded.read(4096)
    assert stream.taken <= MAX_BODY_BYTES + 4096


def test_a_body_ends_at_its_announced_length_whatever_follows() -> None:
    stream = io.BytesIO(b"a=1GET /evil HTTP/1.1")
    assert Bounded(stream, 3).read() == b"a=1"
    assert b"".join(Bounded(io.BytesIO(b"abc"), None)) == b"abc"


def test_RX_04_a_chunked_flood_is_413_at_the_endpoint(app: Flask) -> None:
    environ = {
        "REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True, "wsgi.input": io.BytesIO(b"a" * (MAX_BODY_BYTES + 5)),
    }  # fmt: skip
    status, headers, _ = sent(app, "/oauth/token", **environ)
    assert status == 413
    assert HEADERS.items() <= headers.items()


ANSWERS = {
    200: ("/.well-known/openid-configuration", {}),
    303: ("/account/", {}),
    400: ("/oauth/authorize", {}),
    404: ("/nowhere", {}),
    405: ("/oauth/token", {}),
    401: ("/oauth/userinfo", {}),
}


@pytest.mark.parametrize("status", ANSWERS)
def test_SE_08_every_answer_carries_the_security_headers(app: Flask, client: FlaskClient, status: int) -> None:
    path, more = ANSWERS[status]
    answer = client.get(path, headers=more)
    assert answer.status_code == status
    assert HEADERS.items() <= dict(answer.headers).items()
    assert "Cache-Control" in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert len(answer.headers["X-Request-ID"]) == 16


def test_SE_08_SE_18_a_broken_view_carries_them_too_and_tells_nothing(house_app: Any) -> None:
    app = house_app()

    @app.get("/broken")
    @route_policy(auth="none")
    def broken() -> str:
        raise LookupError("CNRY-secret-of-the-trace " + request.path)

    app.testing = False
    answer = app.test_client().get("/broken?q=CNRY", base_url=ISSUER)
    assert answer.status_code == 500
    assert HEADERS.items() <= dict(answer.headers).items()
    for told in ("CNRY", "LookupError", "Traceback", "Flask", "Werkzeug", "Python"):
        assert told not in answer.text + str(answer.headers)


def test_plain_http_of_the_demo_promises_no_https(make_settings: Any) -> None:
    def inner(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b""]

    settings: Settings = make_settings(issuer="http://localhost:8000", mode="demo")
    _, _, headers = run_wsgi_app(
        OuterWall(inner, settings=settings), EnvironBuilder(base_url="http://localhost:8000").get_environ()
    )
    assert "Strict-Transport-Security" not in headers
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["//account/", "/account/;x", "/account%2f", "/ACCOUNT/", "/account/..;/account/"])
def test_AD_22_odd_spellings_of_an_address_open_no_other_door(client: FlaskClient, make: Make, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in {303, 308, 404}
    assert "evil" not in answer.headers.get("Location", "")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_AD_22_a_method_nobody_offers_is_405_and_no_override_helps(client: FlaskClient, method: str) -> None:
    assert client.open("/account/", method=method).status_code == 405
    assert client.get("/account/", headers={"X-HTTP-Method-Override": method}).status_code == 303
