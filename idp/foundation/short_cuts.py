"""Before Flask: a plain function answers the usual requests of a hot endpoint; everything else falls through to Flask.

A short cut stands behind the same outer wall and the same proxies as the application. It sees only requests that have
nothing about them that it does not know: one header or one parameter more, and Flask answers, as if it had been asked
first. So whatever is odd, refused or rare has one way only, and a short cut can leave nothing out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from idp.foundation.origin import Origin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RAISED: Final = "credence.raised"
"""Key of what a short cut raised: Flask's error handlers answer it (`idp.foundation.front_door`)."""
Header = tuple[str, str]
Told = tuple[int, list[Header], bytes]
"""Status, headers, body."""
_JSON: Final = ("Content-Type", "application/json")
KNOWN: Final = frozenset(
    {
        # Headers that change no answer of ours at these endpoints, and those that short cuts read.
        "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE", "HTTP_CONNECTION",
        "HTTP_KEEP_ALIVE", "HTTP_AUTHORIZATION", "HTTP_CACHE_CONTROL", "HTTP_PRAGMA", "HTTP_FORWARDED", "HTTP_VIA",
        "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
        "HTTP_X_REAL_IP", "HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT", "HTTP_TRACESTATE",
        # The rest of PEP 3333's environment, and what the wall and ProxyFix add when they refuse nothing.
        "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_NAME",
        "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "wsgi.version", "wsgi.url_scheme", "wsgi.input",
        "wsgi.input_terminated", "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once",
        "credence.request_id", "werkzeug.proxy_fix.orig",
    }
)  # fmt: skip


class FallThrough(Exception):
    """Flask must answer: this request is not one that the short cut knows, or it would have to wait."""


@dataclass(frozen=True, slots=True)
class ShortCuts:
    """Short cuts by method and path: what never waits runs at once on the event loop, the rest in a thread."""

    at_once: Mapping[tuple[str, str], "WSGIApplication"] = field(default_factory=dict)
    in_thread: Mapping[tuple[str, str], "WSGIApplication"] = field(default_factory=dict)


class ShortCut:
    """One endpoint by `serve`, as a WSGI application that raises `FallThrough` for whatever it does not know."""

    def __init__(self, serve: Callable[["WSGIEnvironment"], Told]) -> None:
        self._serve = serve

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not environ.keys() <= KNOWN or environ["QUERY_STRING"]:
            raise FallThrough
        environ["credence.route"] = environ["PATH_INFO"]
        try:
            status, headers, body = self._serve(environ)
        except FallThrough:
            raise
        except Exception as error:
            raise FallThrough from error
        start_response(f"{status} ", [_JSON, ("Content-Length", str(len(body))), *headers])
        return [body]


def sent_form(environ: "WSGIEnvironment", *, content_type: str) -> bytes:
    """The body of a POST of exactly this content type."""
    if environ["CONTENT_TYPE"] != content_type or not environ["CONTENT_LENGTH"]:
        raise FallThrough
    sent: bytes = environ["wsgi.input"].read()
    return sent


def authorization(environ: "WSGIEnvironment") -> dict[str, str]:
    """The one header that proves anything, under its name; nothing where none was sent."""
    sent = environ.get("HTTP_AUTHORIZATION")
    return {} if sent is None else {"Authorization": sent}


def origin_of(environ: "WSGIEnvironment") -> Origin:
    """Where a request of a machine came from, for the audit."""
    return Origin(
        address=environ.get("REMOTE_ADDR") or "",
        request_id=environ["credence.request_id"],
        user_agent=environ.get("HTTP_USER_AGENT", "")[:256],
    )
