"""Before Flask: a plain function answers the usual requests of a hot endpoint; everything else falls through to Flask.

A short cut sees only requests that have nothing about them that it does not know: one header or one parameter more, and
Flask answers, as if it had been asked first. So whatever is odd, refused or rare has one way only, and a short cut can
leave nothing out. `idp.foundation.quick_wall` stands before it as the outer wall stands before Flask.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from flask import Flask

from idp.foundation import logs
from idp.foundation.database import write_budget
from idp.foundation.origin import Origin

RAISED: Final = "credence.raised"
"""Key of what a short cut raised: Flask's error handlers answer it (`idp.foundation.front_door`)."""
Header = tuple[str, str]
Told = tuple[int, tuple[Header, ...], bytes]
"""Status, headers, body; it is JSON unless the first header says otherwise."""
KNOWN: Final = frozenset(
    {
        "host", "user-agent", "accept", "accept-encoding", "accept-language", "connection", "keep-alive", "authorization",
        "cache-control", "pragma", "forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
        "x-forwarded-port", "x-real-ip", "x-request-id", "traceparent", "tracestate", "content-type", "content-length",
    }
)  # fmt: skip
"""Headers that change no answer of ours at these endpoints, and those that short cuts read."""
OF_BROWSERS: Final = KNOWN | {
    "cookie", "referer", "dnt", "sec-gpc", "priority", "upgrade-insecure-requests", "sec-fetch-dest", "sec-fetch-mode",
    "sec-fetch-site", "sec-fetch-user", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform",
}  # fmt: skip
"""What browsers send beside them when they are led to a page; of these only the cookie changes it."""


_COOKIE: Final = re.compile(r"\A([A-Za-z0-9_-]+)=([A-Za-z0-9_.~-]*)\Z", re.ASCII)


class FallThrough(Exception):
    """Flask must answer: this request is not one that the short cut knows, or it would have to wait."""


class Asked:
    """A request without a query, each header of it known and sent once."""

    __slots__ = ("address", "body", "client", "headers", "method", "part", "path", "request_id", "route")

    def __init__(self, method: str, path: str, headers: Mapping[str, str], *, address: str) -> None:
        self.method = method
        self.path = self.route = path
        self.part = ""
        self.headers = headers
        self.address = address
        self.body = b""
        self.request_id = ""
        self.client: Mapping[str, str] = logs.NOBODY
        """As in `logs.client`, once the short cut has found out."""


Serve = Callable[[Asked], Told]


@dataclass(frozen=True, slots=True)
class Page:
    """A page's route, the addresses that it is answered at before Flask, and what answers; one part of them varies."""

    route: str
    pattern: re.Pattern[str]
    serve: Serve


@dataclass(frozen=True, slots=True)
class Cut:
    """What stands before Flask for one request."""

    route: str
    at_once: Serve | None = None
    in_thread: Serve | None = None
    part: str = ""
    known: frozenset[str] = KNOWN
    is_page: bool = False


@dataclass(frozen=True, slots=True)
class ShortCuts:
    """Short cuts by method and path: what never waits runs at once on the event loop, the rest in a thread.

    Where there are both, the thread serves what the loop leaves.
    """

    at_once: Mapping[tuple[str, str], Serve] = field(default_factory=dict)
    in_thread: Mapping[tuple[str, str], Serve] = field(default_factory=dict)
    pages: tuple[Page, ...] = ()
    """By GET, in a thread of those that serve pages."""

    def find(self, method: str, path: str) -> Cut | None:
        """The short cut of an address, if it has one."""
        what = (method, path)
        at_once, in_thread = self.at_once.get(what), self.in_thread.get(what)
        if at_once or in_thread:
            return Cut(path, at_once, in_thread)
        for page in self.pages if method == "GET" else ():
            if (found := page.pattern.fullmatch(path)) is not None:
                return Cut(page.route, None, page.serve, found[1], OF_BROWSERS, is_page=True)
        return None


def in_a_thread(app: Flask, serve: Serve) -> Serve:
    """In an application context of its own, and with as many write transactions as a request may have."""

    def in_context(asked: Asked) -> Told:
        logs.request_id.set(asked.request_id)
        logs.client.set(logs.NOBODY)
        with app.app_context(), write_budget():
            told = serve(asked)
        asked.client = logs.client.get()
        return told

    return in_context


def sent_form(asked: Asked, *, content_type: str) -> bytes:
    """The body of a POST of exactly this content type."""
    if asked.headers.get("content-type") != content_type:
        raise FallThrough
    return asked.body


def authorization(asked: Asked) -> dict[str, str]:
    """The one header that proves anything, under its name; nothing where none was sent."""
    sent = asked.headers.get("authorization")
    return {} if sent is None else {"Authorization": sent}


def sent_cookies(asked: Asked) -> dict[str, str]:
    """The cookies by name. One that is written in another way than ours, or came twice, is for Flask."""
    sent = asked.headers.get("cookie")
    if sent is None:
        return {}
    pairs = [_COOKIE.fullmatch(part) for part in sent.split("; ")]
    found = {pair[1]: pair[2] for pair in pairs if pair is not None}
    if len(found) != len(pairs):
        raise FallThrough
    return found


def origin_of(asked: Asked) -> Origin:
    """Where a request of a machine came from, for the audit."""
    return Origin(
        address=asked.address, request_id=asked.request_id, user_agent=asked.headers.get("user-agent", "")[:256]
    )
