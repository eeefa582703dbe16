"""A relying party's back-channel address on loopback: it keeps what it is sent and behaves as told."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Behaviour = Callable[[BaseHTTPRequestHandler], None]


def accept(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def fail(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(503)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def redirect_inside(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", f"http://localhost:{handler.server.server_port}/inside")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def pour(handler: BaseHTTPRequestHandler) -> None:
    """Ten megabytes, or as much as the other side listens to."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10_000_000))
    handler.end_headers()
    try:
        for _ in range(160):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        return


def drip(handler: BaseHTTPRequestHandler) -> None:
    """One byte at a time, for as long as the other side listens."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        for _ in range(1000):
            handler.wfile.write(b"x")
            time.sleep(0.05)
    except OSError:
        return


class Listener:
    """The server; `got` holds (path, form) of every POST."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, list[str]]]] = []
        self.behave: Behaviour = accept
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                listener.got.append((self.path, parse_qs(body)))
                listener.behave(self)

            def do_GET(self) -> None:
                listener.got.append((self.path, {}))
                accept(self)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self._server.server_port}/backchannel-logout"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
