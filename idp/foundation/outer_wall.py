"""The outermost WSGI layer: refuses what no view should see, adds the security headers, writes the access line.

Werkzeug and granian accept more than they should (SECURITY ruling 17, T22): duplicate headers arrive joined by a
comma, there is no limit on headers or bodies, and any Host is believed.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from idp.foundation import logs, metrics
from idp.foundation.database import write_budget
from idp.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_HEADER_BYTES: Final = 32 * 1024
MAX_QUERY_BYTES: Final = 16 * 1024
MAX_BODY_BYTES: Final = 128 * 1024
BODY_REFUSED: Final = "credence.body_refused"
"""Key of the status that a request was refused with, mostly for its body, before it came here (`idp.foundation.bridge`)."""
_LENGTH_DIGITS: Final = 18
"""More make no number worth reading; Python refuses 4,300 of them with an exception."""
_SINGLE: Final = ("HTTP_HOST", "HTTP_AUTHORIZATION", "HTTP_DPOP", "CONTENT_TYPE", "CONTENT_LENGTH")
_ANY_HOST: Final = ("/healthz", "/readyz", "/metrics")
_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_HSTS: Final = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
NO_STORE: Final = ("Cache-Control", "no-store")


class OuterWall:
    """Wraps the application; nothing is outside it but the server."""

    def __init__(self, inner: "WSGIApplication", *, settings: Settings) -> None:
        self._inner = inner
        self._host = host_of(settings)
        self._added = added_headers(settings)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        started = time.perf_counter()
        environ["credence.request_id"] = secrets.token_hex(8)
        logs.request_id.set(environ["credence.request_id"])
        logs.client.set(logs.NOBODY)
        refusal = self._refusal(environ)
        if refusal is not None:
            _make_harmless(environ, refusal)
        else:
            environ["wsgi.input"] = Bounded(environ["wsgi.input"], _length(environ))
        status_line = ["500"]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            status_line[0] = status
            environ["credence.client"] = logs.client.get()
            present = {name.lower() for name, _ in headers}
            headers = headers + [pair for pair in self._added if pair[0].lower() not in present]
            if "cache-control" not in present:
                headers.append(NO_STORE)
            headers.append(("X-Request-ID", environ["credence.request_id"]))
            return start_response(status, headers, exc_info)

        with write_budget():
            body = self._inner(environ, start)
        return _Observed(body, environ, status_line, started)

    def _refusal(self, environ: "WSGIEnvironment") -> int | None:
        size = 0
        for name, value in environ.items():
            if name.startswith("HTTP_"):
                size += len(name) + len(value)
        if size > MAX_HEADER_BYTES:
            return 431
        if len(environ.get("QUERY_STRING", "")) > MAX_QUERY_BYTES:
            return 414
        if any("," in environ.get(name, "") for name in _SINGLE if name != "HTTP_AUTHORIZATION"):
            return 400
        if _joined_authorization(environ.get("HTTP_AUTHORIZATION", "")):
            return 400
        if environ.get("HTTP_HOST", "") != self._host and environ.get("PATH_INFO") not in _ANY_HOST:
            return 400
        return environ.get(BODY_REFUSED) or _body_refusal(environ)


def host_of(settings: Settings) -> str:
    """The one Host that is believed."""
    return urlsplit(settings.issuer).netloc


def added_headers(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What every answer has, unless it says something else under the same name."""
    return (*_HEADERS, _HSTS) if settings.issuer.startswith("https:") else _HEADERS


def _joined_authorization(value: str) -> bool:
    """No scheme that we take has a comma in its credentials."""
    return "," in value


def _body_refusal(environ: "WSGIEnvironment") -> int | None:
    length = environ.get("CONTENT_LENGTH", "")
    if length and not (length.isascii() and length.isdigit()):
        return 400
    if len(length) > _LENGTH_DIGITS or (length and int(length) > MAX_BODY_BYTES):
        return 413
    if environ.get("CONTENT_TYPE", "").lower().startswith("multipart/"):
        return 415
    return None


def _length(environ: "WSGIEnvironment") -> int | None:
    return int(environ["CONTENT_LENGTH"]) if environ.get("CONTENT_LENGTH") else None


def _make_harmless(environ: "WSGIEnvironment", refusal: int) -> None:
    """Let the application answer the refusal with its own page, seeing none of what was refused."""
    environ["credence.refusal"] = refusal
    environ["QUERY_STRING"] = ""
    environ["CONTENT_LENGTH"] = "0"
    environ.pop("HTTP_TRANSFER_ENCODING", None)


class Bounded:
    """A request body that ends at its announced length, or fails with 413 past the limit."""

    def __init__(self, stream: Any, length: int | None) -> None:
        self._stream = stream
        self._left = length
        self._read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = MAX_BODY_BYTES + 1 - self._read
        if self._left is not None:
            wanted = min(wanted, self._left)
        if size is not None and size >= 0:
            wanted = min(wanted, size)
        if wanted <= 0:
            return b""
        data: bytes = self._stream.read(wanted)
        self._read += len(data)
        if self._left is not None:
            self._left -= len(data)
        if self._read > MAX_BODY_BYTES:
            from werkzeug.exceptions import RequestEntityTooLarge

            raise RequestEntityTooLarge
        return data

    def readline(self, size: int | None = -1, /) -> bytes:
        return self.read(size)

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(65536):
            yield chunk


class _Observed:
    """Passes the body on and writes the access line when it is done."""

    def __init__(self, body: Iterable[bytes], environ: "WSGIEnvironment", status: list[str], started: float) -> None:
        self._body = body
        self._environ = environ
        self._status = status
        self._started = started

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
        environ = self._environ
        status = int(self._status[0][:3])
        seconds = time.perf_counter() - self._started
        route = environ.get("credence.route", "-")
        metrics.observe(route=route, method=environ.get("REQUEST_METHOD", "-"), status=status, seconds=seconds)
        logs.access(
            {
                "request_id": environ["credence.request_id"],
                "method": environ.get("REQUEST_METHOD", "-"),
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "address": environ.get("REMOTE_ADDR", "-"),
                **environ.get("credence.client", logs.NOBODY),
            }
        )
