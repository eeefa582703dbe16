"""Before Flask: a plain function answers the usual requests of a hot endpoint; everything else falls through to Flask.

A short cut sees only requests that have nothing about them that it does not know: one header or one parameter more, and
Flask answers, as if it had been asked first. So whatever is odd, refused or rare has one way only, and a short cut can
leave nothing out. `idp.foundation.quick_wall` stands before it as the outer wall stands before Flask.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from idp.foundation.logs import NOBODY
from idp.foundation.origin import Origin

RAISED: Final = "credence.raised"
"""Key of what a short cut raised: Flask's error handlers answer it (`idp.foundation.front_door`)."""
Header = tuple[str, str]
Told = tuple[int, tuple[Header, ...], bytes]
"""Status, headers, JSON body."""
KNOWN: Final = frozenset(
    {
        "host", "user-agent", "accept", "accept-encoding", "accept-language", "connection", "keep-alive", "authorization",
        "cache-control", "pragma", "forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
        "x-forwarded-port", "x-real-ip", "x-request-id", "traceparent", "tracestate", "content-type", "content-length",
    }
)  # fmt: skip
"""Headers that change no answer of ours at these endpoints, and those that short cuts read."""


class FallThrough(Exception):
    """Flask must answer: this request is not one that the short cut knows, or it would have to wait."""


class Asked:
    """A request without a query, each header of it known and sent once."""

    __slots__ = ("address", "body", "client", "headers", "method", "path", "request_id")

    def __init__(self, method: str, path: str, headers: Mapping[str, str], *, address: str) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.address = address
        self.body = b""
        self.request_id = ""
        self.client: Mapping[str, str] = NOBODY
        """As in `logs.client`, once the short cut has found out."""


Serve = Callable[[Asked], Told]


@dataclass(frozen=True, slots=True)
class ShortCuts:
    """Short cuts by method and path: what never waits runs at once on the event loop, the rest in a thread.

    Where there are both, the thread serves what the loop leaves.
    """

    at_once: Mapping[tuple[str, str], Serve] = field(default_factory=dict)
    in_thread: Mapping[tuple[str, str], Serve] = field(default_factory=dict)


def sent_form(asked: Asked, *, content_type: str) -> bytes:
    """The body of a POST of exactly this content type."""
    if asked.headers.get("content-type") != content_type:
        raise FallThrough
    return asked.body


def authorization(asked: Asked) -> dict[str, str]:
    """The one header that proves anything, under its name; nothing where none was sent."""
    sent = asked.headers.get("authorization")
    return {} if sent is None else {"Authorization": sent}


def origin_of(asked: Asked) -> Origin:
    """Where a request of a machine came from, for the audit."""
    return Origin(
        address=asked.address, request_id=asked.request_id, user_agent=asked.headers.get("user-agent", "")[:256]
    )
