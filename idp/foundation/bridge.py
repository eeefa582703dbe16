"""Between granian and the application: nobody's slow body and nobody's password hash holds up anybody else.

A WSGI server spends a thread on a request whose body has not arrived yet, and waits for it as long as the client likes:
one idle connection a worker stops the whole service (RX-04, R-32). Here a body is awaited without a thread, within
limits of size and time; then the application runs in a thread. Pages, which may wait for a hash, and what other servers
call have threads of their own, so that sign-ins never stand before tokens (RX-02). Only what never waits for anybody
runs at once: whoever asks whether this process is alive must not wait for the database (R-12), and what a machine asks
most often needs neither a thread nor Flask while it has nothing to wait for (`idp.foundation.short_cuts`).
"""

import asyncio
import gc
import io
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from idp.foundation import standing_by
from idp.foundation.deadlines import Deadlines
from idp.foundation.outer_wall import BODY_REFUSED, MAX_BODY_BYTES
from idp.foundation.quick_wall import Answer, QuickWall, loses_any
from idp.foundation.short_cuts import RAISED, Asked, Cut, FallThrough, Serve, ShortCuts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

BODY_SECONDS: Final = 10
"""How long a body may take to arrive in full; then it is answered 408."""
CALLING_THREADS: Final = 4
SPARE_THREADS: Final = 8
"""Beyond those that may hash or wait for it: they tell everybody else to come back later."""
COLLECT_AFTER: Final = (5_000, 5, 5)
"""Containers made and not freed before Python looks for cycles. What was loaded stays and is never looked at again: at the
usual 700 this took a seventh of a token."""
NEVER_WAITS: Final = ("/healthz", "/static/")
CALLED: Final = (
    "/oauth/token",
    "/oauth/userinfo",
    "/oauth/introspect",
    "/oauth/revoke",
    "/oauth/jwks",
    "/.well-known/",
    "/readyz",
    "/metrics",
)
Body = bytes | int | None
"""What came; the status that it is refused with; nothing that was waited for."""


class Bridge:
    """The application as granian's RSGI calls it; `sign_ins` is how many may hash or wait for it in one process."""

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        sign_ins: int,
        short_cuts: ShortCuts | None = None,
        quick_wall: QuickWall | None = None,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._short_cuts = short_cuts if short_cuts is not None and quick_wall is not None else ShortCuts()
        self._quick_wall = quick_wall
        self._bodies = Deadlines(body_seconds)
        self._pages = ThreadPoolExecutor(sign_ins + SPARE_THREADS, thread_name_prefix="pages")
        self._calls = ThreadPoolExecutor(CALLING_THREADS, thread_name_prefix="calls")

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by the server before it listens; the loop turns when it does."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        loop.call_soon(standing_by.tell)

    async def __call__(self, scope: Any, proto: Any) -> None:
        cut = self._short_cuts.find(scope.method, scope.path)
        if cut is not None and self._quick_wall is not None:
            asked = self._quick_wall.admit(scope, known=cut.known)
            if asked is not None:
                asked.route, asked.part = cut.route, cut.part
                await self._shortly(scope, proto, asked, cut)
                return
        environ = environ_of(scope)
        body: Body = None
        if "HTTP_TRANSFER_ENCODING" in environ and scope.method == "POST":
            body = 411  # a chunked body that breaks off looks like one that ends (SE-11)
        elif scope.method == "POST":
            body = await self._body(environ["CONTENT_LENGTH"], proto)
        proto.response_bytes(*await self._wholly(_with_body(environ, body)))

    async def _shortly(self, scope: Any, proto: Any, asked: Asked, cut: Cut) -> None:
        body: Body = None
        if asked.method == "POST":
            body = await self._body(asked.headers.get("content-length", ""), proto)
            if not isinstance(body, bytes):
                proto.response_bytes(*await self._wholly(_with_body(environ_of(scope), body)))
                return
            asked.body = body
        answer = self._quickly(cut.at_once, asked) if cut.at_once is not None else None
        if answer is None and cut.in_thread is not None:
            pool = self._pages if cut.is_page else self._calls
            answer = await asyncio.get_running_loop().run_in_executor(pool, self._quickly, cut.in_thread, asked)
        if not isinstance(answer, tuple):
            environ = _with_body(environ_of(scope), body)
            if answer is not None:
                environ[RAISED] = answer
            answer = await self._wholly(environ)
        proto.response_bytes(*answer)

    def _quickly(self, serve: Serve, asked: Asked) -> Answer | BaseException | None:
        """The answer of a short cut. Otherwise Flask must answer, and what was raised, if anything."""
        assert self._quick_wall is not None
        try:
            return self._quick_wall.answer(serve, asked)
        except FallThrough as fell:
            return fell.__cause__

    async def _wholly(self, environ: "WSGIEnvironment") -> Answer:
        path: str = environ["PATH_INFO"]
        if path.startswith(NEVER_WAITS):
            return answer_of(self._app, environ)
        pool = self._calls if path.startswith(CALLED) else self._pages
        return await asyncio.get_running_loop().run_in_executor(pool, answer_of, self._app, environ)

    async def _body(self, announced: str, proto: Any) -> Body:
        if not announced.isdecimal() or int(announced) > MAX_BODY_BYTES:
            return None  # there is none, or the outer wall refuses it by its length
        try:
            body: bytes = await self._bodies.keep(proto())
        except TimeoutError:
            return 408
        except Exception as error:  # granian has no public name for a broken body
            if type(error).__name__ not in {"RSGIProtocolClosed", "RSGIProtocolError"}:
                raise
            return 400
        return body


def _with_body(environ: "WSGIEnvironment", body: Body) -> "WSGIEnvironment":
    if environ["REQUEST_METHOD"] != "POST":
        environ["CONTENT_LENGTH"] = ""  # nobody reads it, and the server throws it away
    elif isinstance(body, bytes):
        environ["wsgi.input"] = io.BytesIO(body)
    elif body is not None:
        environ[BODY_REFUSED] = body
    return environ


def environ_of(scope: Any) -> "WSGIEnvironment":
    """PEP 3333's environment of a request. Header names with `_` are dropped: they would pass for those with `-`.

    A value that is not ASCII is not there, whatever its name (`quick_wall.loses_any`).
    """
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "replace").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": "",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    seen: set[str] = set()
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        if name in seen:
            environ[key] = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
        else:
            environ[key] = value
            seen.add(name)
    if loses_any(scope.headers, scope.headers.keys()):
        environ[BODY_REFUSED] = 400
    return environ


def answer_of(app: "WSGIApplication", environ: "WSGIEnvironment") -> Answer:
    """Run the application to its end: status, headers, body."""
    told: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        told[:] = [(int(status[:3]), headers)]
        return _write_nothing

    parts = app(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if (close := getattr(parts, "close", None)) is not None:
            close()
    return (*told[0], body)


def _write_nothing(_: bytes) -> None:
    raise RuntimeError("nothing of ours uses the write() of PEP 3333")
