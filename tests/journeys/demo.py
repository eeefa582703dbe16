"""The whole demo, once per test session: the provider, its worker, five portals and the partner, as separate processes.

It runs as a person would start it (`idp demo`), on ports of its own and in a folder of its own.
"""

import atexit
import os
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import httpx2
import pyotp

from tests.servers import free_ports

ROOT = Path(__file__).parents[2]
PORTALS = ("ozark-exchange", "heartland-selfservice", "carebridge-provider", "cascade-mmis", "ozark-secure")
PARTNER = "harborline-analytics"
PROVIDER = "credence"
"""Stands for the provider itself, where it is opened like a portal."""
PROXIED = {"IDP_TRUSTED_PROXIES": "1"}
"""Each browser of the journeys says another address, as through a proxy: a desk's worth of sign-ins is no flood."""
START_WITHIN = 200.0
STOP_WITHIN = 20.0


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: where everything is, and where it keeps its data."""

    base: int
    data_dir: Path
    log: Path

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.base}"

    @property
    def partner(self) -> str:
        return f"http://localhost:{self.base + 6}"

    @property
    def hospital(self) -> str:
        return f"http://localhost:{self.base + 7}"

    def portal(self, client_id: str) -> str:
        return f"http://localhost:{self.base + 1 + PORTALS.index(client_id)}"

    @property
    def addresses(self) -> tuple[str, ...]:
        return (self.issuer, *(self.portal(client_id) for client_id in PORTALS), self.partner)


def people() -> list[dict[str, Any]]:
    """The demo's people, as `clients/demo/people.toml` lists them."""
    listed: list[dict[str, Any]] = tomllib.loads((ROOT / "clients/demo/people.toml").read_text("utf-8"))["people"]
    return listed


def levels(client_id: str) -> list[str]:
    """The access levels of a portal, by its manifest."""
    manifest = tomllib.loads((ROOT / f"clients/manifests/{client_id}.toml").read_text("utf-8"))
    return [level["key"] for level in manifest.get("levels", ())]


def code_of(demo: Demo, person: dict[str, Any]) -> str:
    """What the person's authenticator app shows.

    Journeys sign the same person in more often than every 30 seconds, which a code forbids (RFC 6238 §5.2): so the
    step used last is forgotten before.
    """
    with closing(sqlite3.connect(demo.data_dir / "credence.sqlite3", timeout=20)) as database, database:
        database.execute("UPDATE totp_secret SET last_step = 0")
    return pyotp.TOTP(str(person["totp_secret"])).now()


@contextmanager
def running(folder: Path) -> Iterator[Demo]:
    """Starts the demo, waits until each part answers, and stops it by the signal that Ctrl-C sends."""
    demo = Demo(free_ports(8), folder / "data", folder / "demo.log")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("IDP_", "PORTAL_"))}
    environment = own | PROXIED | {"PORT_BASE": str(demo.base), "DATA_DIR": str(demo.data_dir), "PYTHONUNBUFFERED": "1"}
    with demo.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "idp", "demo"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(demo, process)
            yield demo
        finally:
            _stop(process)


def shared() -> Demo:
    """The one demo of this test process, started when first asked for and stopped when the process ends.

    `CREDENCE_DEMO=9400:/tmp/demo` names one that runs already (PORT_BASE:DATA_DIR), for whoever writes a journey.
    Its folder is not pytest's: pytest clears away what older runs left, and another run may be younger.
    """
    if not _shared:
        if given := os.environ.get("CREDENCE_DEMO"):
            base, _, data_dir = given.partition(":")
            _shared.append(Demo(int(base), Path(data_dir), Path(data_dir) / "demo.log"))
            return _shared[0]
        stack = ExitStack()
        folder = stack.enter_context(TemporaryDirectory(prefix="credence-journeys-", ignore_cleanup_errors=True))
        _shared.append(stack.enter_context(running(Path(folder))))
        atexit.register(stack.close)
    return _shared[0]


_shared: list[Demo] = []


def _wait(demo: Demo, process: "subprocess.Popen[bytes]") -> None:
    closing, silent = time.monotonic() + START_WITHIN, list(demo.addresses)
    while silent:
        if process.poll() is not None or time.monotonic() > closing:
            tail = demo.log.read_text("utf-8", "replace")[-4000:]
            raise AssertionError(f"the demo did not start (exit {process.poll()}, silent {silent}):\n{tail}")
        silent = [address for address in silent if not _answers(address)]
        if silent:
            Event().wait(0.1)


def _answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/healthz", timeout=1, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_WITHIN)
