"""A real `idp serve` on loopback, and raw sockets to it: what granian and the outer wall make of bytes."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from idp import create_app
from idp.foundation.database import db
from idp.migrations.run import upgrade
from idp.settings import PROJECT, Settings
from tests.factories import Make
from tests.servers import accepts, free_port, until

HOST = "credence.test"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Served:
    """A running provider: its port, its processes, and its application's twin in this process for making rows."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    app: Flask

    def connect(self, *, timeout: float = 15) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def raw(self, sent: bytes, *, timeout: float = 15) -> bytes:
        """Send these bytes; everything that comes back until the server closes or says no more for a second."""
        with self.connect(timeout=timeout) as wire:
            with suppress(OSError):  # it may refuse before we are done
                wire.sendall(sent)
            return drain(wire)

    def get(self, path: str = "/healthz", *, host: str = HOST, more: str = "", timeout: float = 15) -> bytes:
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n"
        return self.raw(head.encode(), timeout=timeout)

    def post(self, path: str, body: bytes, *, more: str = "") -> bytes:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        )
        return self.raw(head.encode() + body)

    @property
    def workers(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def resident_kib(self) -> int:
        """Memory of all workers."""
        return sum(_resident(pid) for pid in self.workers)


def drain(wire: socket.socket) -> bytes:
    """Everything until the other side closes, or is silent for a second after it began to speak."""
    got = b""
    try:
        while part := wire.recv(65_536):
            got += part
            wire.settimeout(1)
    except OSError:
        pass
    return got


def statuses(answer: bytes) -> list[int]:
    """The status of each response in a stream of bytes."""
    return [int(found) for found in _STATUS.findall(answer)]


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


@contextmanager
def serving(settings: Settings, folder: Path, *, workers: int = 1) -> Iterator[Served]:
    """Start it, wait until it listens, and stop it at the end."""
    port = free_port()
    upgrade(settings)
    env = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    env |= {
        "IDP_ISSUER": settings.issuer,
        "IDP_DATABASE_URL": settings.database_url,
        "IDP_DATA_DIR": str(folder),
        "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_SMTP_URL": "smtp://127.0.0.1:9",
        "IDP_SMTP_FROM": settings.smtp_from,
        "IDP_PASSWORD_MEMORY_KIB": str(settings.password_memory_kib),
        "IDP_PASSWORD_TIME_COST": str(settings.password_time_cost),
        "IDP_KDF_CONCURRENCY": str(settings.kdf_concurrency),
        "IDP_KDF_QUEUE": str(settings.kdf_queue),
        "IDP_LOG_LEVEL": settings.log_level,
        "IDP_TRUSTED_PROXIES": str(settings.trusted_proxies),
    }
    command = [sys.executable, "-m", "idp", "serve", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    with (folder / "served.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=PROJECT, stdout=log, stderr=log)
        try:
            until(lambda: accepts(port), seconds=90, what="idp serve does not listen")
            yield Served(port, process, folder / "served.log", create_app(settings))
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


Serve = Callable[..., Served]


def _own(make_settings: Callable[..., Settings], folder: Path, **changed: object) -> Settings:
    usual: dict[str, object] = {
        "password_memory_kib": 19_456,
        "password_time_cost": 2,
        "data_dir": folder,
        "database_url": f"sqlite:///{folder / 'served.sqlite3'}",
    }
    return make_settings(**(usual | changed))


@pytest.fixture
def serve(make_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Serve]:
    """`serve(workers=1, kdf_queue=4)`: a provider of its own on its own SQLite file, its app's context pushed."""
    with ExitStack() as stack:

        def start(*, workers: int = 1, **changed: object) -> Served:
            settings = _own(make_settings, tmp_path, **changed)
            served = stack.enter_context(serving(settings, tmp_path, workers=workers))
            stack.enter_context(served.app.app_context())
            stack.callback(db.engine.dispose)
            return served

        yield start


@pytest.fixture(scope="session")
def served(make_settings: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One worker with nobody in it, for what asks of bytes alone; its tests are marked `one_served`, to share it."""
    folder = tmp_path_factory.mktemp("served")
    with serving(_own(make_settings, folder), folder) as standing:
        yield standing


one_served = pytest.mark.xdist_group("served")


def maker(served: Served) -> Make:
    """Makes rows in the served database, as of now."""
    from idp.foundation import clock, house

    return Make(now=clock.now(), settings=house.get(Settings))


class Visitor:
    """A browser at the served provider, cookies kept by hand: they are `Secure`, and this wire is not."""

    def __init__(self, served: Served, *, address: str = "203.0.113.7") -> None:
        self._served = served
        self._address = address
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str, str]:
        """Status, `Location`, `Retry-After`, body."""
        wire = HTTPConnection("127.0.0.1", self._served.port, timeout=60)
        headers = {"Host": HOST, "X-Forwarded-For": self._address, "Origin": f"https://{HOST}"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        wire.request(method, path, urlencode(form) if form is not None else None, headers)
        answer = wire.getresponse()
        for value in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        told = (answer.headers.get("Location", ""), answer.headers.get("Retry-After", ""))
        body = answer.read().decode("utf-8", "replace")
        wire.close()
        return answer.status, *told, body

    def open_sign_in(self) -> tuple[str, str]:
        """Where the sign-in form posts to, and its token."""
        path = "/sign-in"
        for _ in range(5):
            status, location, _, body = self.ask("GET", path)
            if status == 200:
                token = re.search(r'name="csrf_token" value="([^"]+)"', body)
                assert token is not None
                return path, token[1]
            path = location
        raise AssertionError(f"no sign-in page: {status} {location}")
