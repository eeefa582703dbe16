"""The outer wall of short cuts: lets in only what the outer wall and the proxies would pass on as it is.

It refuses nothing itself. Whatever it does not let in goes through `idp.foundation.outer_wall` to Flask, which refuses it
or serves it; so this may be stricter, and must never be laxer. An answer gets the same headers, counters and access line.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from idp.foundation import logs, metrics
from idp.foundation.outer_wall import MAX_HEADER_BYTES, NO_STORE, added_headers, host_of
from idp.foundation.short_cuts import KNOWN, Asked, FallThrough, Header, Serve
from idp.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answer = tuple[int, list[Header], bytes]
_PREFIX: Final = len("HTTP_")
"""The outer wall counts a header with the name that it has in the environment."""
HEEDED: Final = frozenset(
    {
        "host", "authorization", "dpop", "content-type", "content-length", "content-encoding", "transfer-encoding",
        "origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "access-control-request-method",
        "access-control-request-headers", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
        "x-forwarded-port", "x-real-ip",
    }
)  # fmt: skip
"""Headers whose absence says something: with one that cannot be read, a request is refused, not served without it."""
_JSON: Final = ("Content-Type", "application/json")


class QuickWall:
    """`behind_proxies` puts before an application what believes the operator's proxies."""

    def __init__(self, *, settings: Settings, behind_proxies: Callable[["WSGIApplication"], "WSGIApplication"]) -> None:
        self._host = host_of(settings)
        self._proxies = behind_proxies(_nobody)
        self._added = lru_cache(maxsize=256)(_added(added_headers(settings)))

    def admit(self, scope: Any, *, known: frozenset[str] = KNOWN) -> Asked | None:
        """The request, its body not yet in it; `None`: it is for Flask."""
        pairs = scope.headers.items()
        headers: dict[str, str] = dict(pairs)
        if scope.query_string or len(headers) != len(pairs) or not headers.keys() <= known:
            return None
        if len(scope.headers.keys()) != len(headers) or loses_any(scope.headers, headers.keys()):
            return None
        if sum(map(len, headers)) + sum(map(len, headers.values())) + _PREFIX * len(headers) > MAX_HEADER_BYTES:
            return None
        if headers.get("host") != self._host or "," in headers.get("authorization", ""):
            return None
        content_type = headers.get("content-type", "")
        if "," in content_type or content_type[:10].lower() == "multipart/":
            return None
        return Asked(scope.method, scope.path, headers, address=self._address(scope.client, headers))

    def _address(self, client: str, headers: dict[str, str]) -> str:
        """Who asks, or for whom a proxy asks that the operator named."""
        address = client.rpartition(":")[0].strip("[]")
        forwarded = headers.get("x-forwarded-for")
        if forwarded is None:
            return address
        environ: WSGIEnvironment = {"REMOTE_ADDR": address, "HTTP_X_FORWARDED_FOR": forwarded}
        self._proxies(environ, _unheard)
        return str(environ["REMOTE_ADDR"])

    def answer(self, serve: Serve, asked: Asked) -> Answer:
        """What `serve` tells, with all that every answer has, counted and logged; `FallThrough` leaves no trace."""
        started = time.perf_counter()
        asked.request_id = secrets.token_hex(8)
        try:
            status, headers, body = serve(asked)
        except FallThrough:
            raise
        except Exception as error:
            raise FallThrough from error
        length, request_id = ("Content-Length", str(len(body))), ("X-Request-ID", asked.request_id)
        kind, *others = self._added(headers)
        answer = status, [kind, length, *others, request_id], body
        seconds = time.perf_counter() - started
        metrics.observe(route=asked.route, method=asked.method, status=status, seconds=seconds)
        logs.access(
            {
                "request_id": asked.request_id,
                "method": asked.method,
                "route": asked.route,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "address": asked.address,
                **asked.client,
            }
        )
        return answer


def loses_any(headers: Any, names: Iterable[str]) -> bool:
    """Whether of the headers that came, by their `names`, one is `HEEDED` and came with a value that granian does not show.

    It leaves out what is not ASCII, has it in no other form, and goes on naming the header. RFC 9110 §5.5 lets us read
    such bytes as opaque: a browser's name or a cookie that a neighbouring domain set is just not there, and nobody gains
    by it. What is heeded has a grammar of ASCII, and we would believe that it never came: behind a proxy that appends,
    `X-Forwarded-For: \\xff` would make every client the proxy.
    """
    return any(headers.get(name) is None for name in HEEDED.intersection(names))


def _added(everywhere: tuple[Header, ...]) -> Callable[[tuple[Header, ...]], tuple[Header, ...]]:
    def complete(headers: tuple[Header, ...]) -> tuple[Header, ...]:
        present = {name.lower() for name, _ in headers}
        added = [pair for pair in (*everywhere, NO_STORE) if pair[0].lower() not in present]
        kind = () if "content-type" in present else (_JSON,)
        return (*kind, *headers, *added)

    return complete


def _nobody(environ: "WSGIEnvironment", start_response: "StartResponse") -> tuple[bytes, ...]:
    return ()


def _unheard(*_: object) -> Callable[[bytes], object]:
    raise RuntimeError("there is no application behind these proxies")
