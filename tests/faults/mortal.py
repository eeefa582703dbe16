"""A provider whose workers can be killed at a chosen moment, with the demo's people, and a client that survives it."""

import os
import re
import secrets
import signal
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from flask import Flask

from idp import create_app
from idp.demo import cli, clients, people
from idp.foundation.database import db
from idp.settings import PROJECT, Settings, load
from tests.interop.scripted_browser import ScriptedBrowser
from tests.servers import free_port, until

INJECTION = Path(__file__).with_name("injection")
MOMENTS = [("before_commit", 1), ("after_commit", 1), ("reply", 1)]
SECOND = [("before_commit", 2), ("after_commit", 2)]
"""Of requests that reserve before they act (DESIGN §4.4)."""
FINISHED = "This sign-in is already finished"
"""What a page says when the act was done and only its answer was lost."""
CLIENT = "heartland-selfservice"
SCOPE = "openid profile provider_id tin"


@dataclass
class Mortal:
    """A running provider; `app` is its application's twin in this process, for looking at rows."""

    settings: Settings
    clients: dict[str, clients.DemoClient]
    app: Flask
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def issuer(self) -> str:
        return self.settings.issuer

    @property
    def fault(self) -> Path:
        return self.settings.data_dir / "fault"

    @property
    def redirect_uri(self) -> str:
        return f"{self.clients[CLIENT].base_url}/callback"

    def start(self) -> None:
        """With three workers, so that two are there at once when one has died."""
        self.process = serve(self.settings, fault=self.fault)
        until(self.answers, seconds=90, what="idp serve does not answer")

    def answers(self) -> bool:
        try:
            return httpx2.get(f"{self.issuer}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    def kill(self) -> None:
        """All of it at once, as when the power goes."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def dying(self, moment: str, count: int, send: Callable[[], httpx2.Response]) -> httpx2.Response | None:
        """Send a request whose worker dies at that moment: no answer then; an answer, if the moment never came."""
        self.fault.write_text(f"{moment} {count}", "utf-8")
        try:
            return send()
        except httpx2.TransportError:
            until(self.answers, seconds=60, what="the other worker does not answer")
            return None
        finally:
            self.fault.unlink(missing_ok=True)

    def send(self, path: str, **form: str) -> httpx2.Response:
        """A request of the client's own, authenticated by its secret."""
        secret = self.clients[CLIENT].secret
        assert secret is not None
        return httpx2.post(
            self.issuer + path, data=form, auth=(CLIENT, secret.reveal()), timeout=20, trust_env=False,
            headers={"Connection": "close"},
        )  # fmt: skip

    def asked(self, verifier: str, **more: str) -> str:
        """An authorization request."""
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPE,
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.issuer}/oauth/authorize?{urlencode(query | more)}"


def serve(settings: Settings, *, fault: Path, bind: str | None = None, workers: int = 3) -> "subprocess.Popen[bytes]":
    """`idp serve` in a process group of its own, at `bind` instead of the settings' if given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    own |= {
        "IDP_MODE": "demo",
        "IDP_ISSUER": settings.issuer,
        "IDP_DATABASE_URL": settings.database_url,
        "IDP_DATABASE_OWNER_URL": settings.database_owner_url or "",
        "IDP_REDIS_URL": settings.redis_url or "",
        "IDP_DATA_DIR": str(settings.data_dir),
        "IDP_PASSWORD_MEMORY_KIB": "8",
        "IDP_PASSWORD_TIME_COST": "1",
        "IDP_TRUSTED_PROXIES": "1",
        "PYTHONPATH": str(INJECTION),
        "FAULT_FILE": str(fault),
    }
    command = [sys.executable, "-m", "idp", "serve", "--bind", bind or settings.bind, "--workers", str(workers)]
    with (settings.data_dir / "served.log").open("ab") as log:
        return subprocess.Popen(
            command,
            env={k: v for k, v in own.items() if v},
            cwd=PROJECT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


@dataclass
class Code:
    """A code that was issued, and what it takes to redeem it."""

    code: str
    verifier: str
    provider: Mortal

    def exchange(self) -> httpx2.Response:
        return self.provider.send(
            "/oauth/token",
            grant_type="authorization_code",
            code=self.code,
            redirect_uri=self.provider.redirect_uri,
            code_verifier=self.verifier,
        )


class Stubborn(ScriptedBrowser):
    """A person's browser: when the connection breaks at the chosen page, the person presses reload, then begins anew."""

    def __init__(self, provider: Mortal, *, user_id: str = "rosa.delgado") -> None:
        self.listed = next(each for each in people.read(cli.DEMO_DATA / "people.toml") if each.user_id == user_id)
        super().__init__(login=user_id, password=self.listed.password)
        self.provider = provider
        self.plan: tuple[str, str, int] | None = None
        self.died = 0
        self.at_death: Callable[[], None] | None = None
        self.address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"

    def code(self, **more: str) -> Code:
        """Signs in as far as is needed, and comes back with a code."""
        verifier = secrets.token_urlsafe(48)
        url = self.provider.asked(verifier, **more)
        try:
            back = self.go(url, until=self.provider.redirect_uri)
        except BeginAnew:
            back = self.go(url, until=self.provider.redirect_uri)
        return Code(parse_qs(urlsplit(back).query)["code"][0], verifier, self.provider)

    def dies_at(self, request: str, moment: str, count: int) -> None:
        """The first such request (`POST /path`, a pattern) will meet its death."""
        self.plan = (request, moment, count)

    def send(self, method: str, url: str, **more: Any) -> httpx2.Response:
        more["headers"] = {"X-Forwarded-For": self.address, "Connection": "close"} | more.get("headers", {})
        if self.plan is None or not re.fullmatch(self.plan[0], f"{method} {urlsplit(url).path}"):
            answer = super().send(method, url, **more)
            if self.died and FINISHED in answer.text:
                raise BeginAnew
            return answer
        _, moment, count = self.plan
        self.plan = None
        if answer := self.provider.dying(moment, count, lambda: super(Stubborn, self).send(method, url, **more)):
            return answer
        self.died += 1
        if self.at_death is not None:
            self.at_death()
        again = super().send(method, url, **more)
        assert again.status_code < 500, f"{again.status_code} after a reload of {url}"
        if again.status_code >= 400:
            raise BeginAnew
        return again


class BeginAnew(Exception):
    """The page says that this sign-in is over; the person goes back to the portal and begins a new one."""


def _by_password_alone() -> tuple[people.DemoPerson, ...]:
    """The demo's people without their authenticator apps: a code is good once in 30 seconds, and here one signs in often."""
    everybody = people.read(cli.DEMO_DATA / "people.toml")
    return tuple(person.model_copy(update={"totp_secret": None}) for person in everybody)


@contextmanager
def mortal(folder: Path, *, kind: type[Mortal] = Mortal, **changed: Any) -> Iterator[Mortal]:
    """Made as the demo is made, started, and killed at the end."""
    base = free_port()
    given = cli.overrides(base, folder) | {"password_memory_kib": 8, "password_time_cost": 1} | changed
    settings = load(env={}, overrides=given)
    made = clients.prepare(cli.MANIFESTS, credentials=folder / "clients", port_base=base)
    cli.fill(settings, made, _by_password_alone())
    provider = kind(settings, {client.client_id: client for client in made}, create_app(settings))
    with provider.app.app_context():
        try:
            provider.start()
            yield provider
        finally:
            provider.kill()
            db.engine.dispose()
