"""How the peers are told what a portal of the demo is told, and who is signed in for them.

A peer stands in its portal's place: it has the portal's credentials and redirect URI, and the browser brings it the portal's
requests, as a proxy would.
"""

import csv
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import randrange
from typing import Any

from tests.interop.npm import NODE, environment
from tests.interop.scripted_browser import ScriptedBrowser
from tests.journeys.demo import Demo, code_of, people
from tests.servers import accepts, free_port, until

PEERS = Path(__file__).with_name("peers")
DEMO_FILES = Path(__file__).parents[2] / "clients/demo"
SCOPE = "openid profile email provider_id tin entitlements"


def rosa() -> dict[str, Any]:
    """The demo's first person."""
    return next(person for person in people() if person["user_id"] == "rosa.delgado")


def provider_id() -> str:
    """The provider that Rosa acts for."""
    found: str = next(row["id"] for row in rosa()["affiliations"] if row["kind"] == "provider")
    return found


def tin() -> str:
    """Whom that provider bills as, by the demo's own file of providers."""
    with (DEMO_FILES / "heartland/providers.csv").open(encoding="utf-8", newline="") as lines:
        return next(row["tin"] for row in csv.DictReader(lines) if row["provider_id"] == provider_id())


@dataclass(frozen=True, slots=True)
class Part:
    """A portal of the demo whose part a peer plays."""

    demo: Demo
    client_id: str
    method: str

    @property
    def url(self) -> str:
        return self.demo.portal(self.client_id)

    @property
    def redirect_uri(self) -> str:
        return f"{self.url}/callback"

    @property
    def credentials(self) -> Path:
        kind = "jwk" if self.method == "private_key_jwt" else "secret"
        return self.demo.data_dir / f"clients/{self.client_id}.{kind}"

    def told(self, **more: str) -> dict[str, str]:
        """The environment of the peer's process."""
        return environment(
            ISSUER=self.demo.issuer,
            CLIENT_ID=self.client_id,
            METHOD=self.method,
            CREDENTIALS=str(self.credentials),
            REDIRECT_URI=self.redirect_uri,
            SCOPE=SCOPE,
            **more,
        )

    @contextmanager
    def browser(self, instead: dict[str, str] | None = None) -> Iterator[ScriptedBrowser]:
        """Rosa's; with what is asked of the portal brought to who stands in its place."""
        person = rosa()
        login = person["email"] if self.client_id == "carebridge-provider" else person["user_id"]
        with ScriptedBrowser(
            login=login,
            password=person["password"],
            code=lambda: code_of(self.demo, person),
            instead=instead,
            headers={"X-Forwarded-For": f"10.{randrange(256)}.{randrange(256)}.{randrange(1, 255)}"},
        ) as browser:
            yield browser


def node_sign_in(part: Part, peer: Path) -> dict[str, Any]:
    """What a script of Node prints at its end: it prints where to go first, and reads where the browser came back to."""
    with subprocess.Popen(
        [str(NODE / "node"), "sign_in.mjs"],
        cwd=peer,
        env=part.told(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()[-3000:]
        with part.browser() as browser:
            back = browser.go(json.loads(line)["url"], until=part.redirect_uri)
        answer, complaint = process.communicate(back + "\n", timeout=30)
        assert process.returncode == 0, complaint[-3000:]
        found: dict[str, Any] = json.loads(answer)
        return found


@contextmanager
def served(command: list[str], *, port: int, told: dict[str, str], log: Path) -> Iterator[None]:
    """A web application of a peer's, until the block ends."""
    with log.open("wb") as lines:
        process = subprocess.Popen(command, env=told, stdout=lines, stderr=subprocess.STDOUT)
    try:
        until(lambda: process.poll() is not None or accepts(port), seconds=30, what=f"{command} does not listen")
        assert process.poll() is None, log.read_text("utf-8", "replace")[-3000:]
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def python_peer(peer: str, part: Part, log: Path) -> Iterator[ScriptedBrowser]:
    """`peers/<peer>/app.py` in the portal's place, and Rosa's browser."""
    port = free_port()
    command = [sys.executable, str(PEERS / peer / "app.py")]
    with (
        served(command, port=port, told=part.told(PORT=str(port)), log=log),
        part.browser({part.url: f"http://localhost:{port}"}) as browser,
    ):
        yield browser


def runs_as() -> str:
    """Whom Apache becomes: root may not serve."""
    return "www-data" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
