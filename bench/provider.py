"""The server under measurement: `idp serve` on a folder of its own, with the demo's people and an app of the bench."""

import contextlib
import http.client
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.flow import Client
from bench.people import PORTAL, everybody, manager
from idp import create_app
from idp.demo import clients as demo_clients
from idp.demo import loading
from idp.demo.cli import DEMO_DATA, MANIFESTS, overrides
from idp.demo.clients import PARTNER, DemoClient
from idp.foundation import clock
from idp.foundation.origin import Origin
from idp.keyring import rotation
from idp.manifests import service as manifests
from idp.migrations import run as migrations
from idp.settings import PROJECT, Settings, load
from idp.vocabulary.secret import Secret

APP = "bench-app"


@dataclass(frozen=True, slots=True)
class Provider:
    """A running provider and the two clients that the bench plays."""

    port: int
    pid: int
    portal: Client
    app: Client
    changed: Mapping[str, Any]
    """Its settings, where they are not the default."""


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    port: int,
    workers: int = 2,
    database_url: str | None = None,
    database_owner_url: str | None = None,
    redis_url: str | None = None,
) -> Iterator[Provider]:
    """Fill a fresh folder, serve it, and stop the server at the end."""
    databases = {"database_url": database_url, "database_owner_url": database_owner_url, "redis_url": redis_url}
    changed = _changed(folder, port, workers, databases)
    clients = _fill(load(overrides=changed), port)
    with _served(changed, ("-m", "idp", "serve"), log=folder / "serve.log") as server:
        yield Provider(port, server.pid, *clients, changed)


@contextlib.contextmanager
def serving(
    folder: Path, clients: tuple[Client, Client], *, port: int, databases: Mapping[str, str], workers: int = 2
) -> Iterator[Provider]:
    """Serve a folder that `running` filled once, with the portal and the app that it gave then."""
    changed = _changed(folder, port, workers, databases)
    with _served(changed, ("-m", "idp", "serve"), log=folder / "serve.log") as server:
        yield Provider(port, server.pid, *clients, changed)


def _changed(folder: Path, port: int, workers: int, databases: Mapping[str, str | None]) -> dict[str, Any]:
    named = {name: url for name, url in databases.items() if url is not None}
    return overrides(port, folder) | {"workers": str(workers), "trusted_proxies": "1"} | named


@contextlib.contextmanager
def beside(first: Provider, folder: Path, *, port: int) -> Iterator[int]:
    """A second node of the same installation, at a port of its own; gives the server's process id."""
    changed = {**first.changed, "bind": f"127.0.0.1:{port}"}
    with _served(changed, ("-m", "idp", "serve"), log=folder / "second.log") as server:
        yield server.pid


@contextlib.contextmanager
def bare(
    folder: Path, *, port: int, workers: int = 2, database_url: str | None = None, redis_url: str | None = None
) -> Iterator[int]:
    """Serve the hand-written views of `bench.bare` on a provider's folder; gives the server's process id."""
    stores = {"database_url": database_url, "redis_url": redis_url}
    named = {name: url for name, url in stores.items() if url is not None}
    changed = overrides(port, folder) | {"workers": str(workers)} | named
    with _served(changed, ("-m", "bench.bare_server"), log=folder / "bare.log") as server:
        yield server.pid


def environment_of(changed: Mapping[str, Any]) -> dict[str, str]:
    """The environment that a command of the product's runs in, to act on the same installation."""
    return os.environ | {f"IDP_{name.upper()}": str(value) for name, value in changed.items()}


@contextlib.contextmanager
def _served(
    changed: Mapping[str, Any], arguments: tuple[str, ...], *, log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    environment = environment_of(changed)
    with log.open("wb") as lines:
        server = subprocess.Popen(
            [sys.executable, *arguments], cwd=PROJECT, env=environment, stdout=lines, stderr=lines
        )
    try:
        answers(int(changed["bind"].rpartition(":")[2]))
        yield server
    finally:
        server.terminate()
        server.wait(20)


def _fill(settings: Settings, port: int) -> tuple[Client, Client]:
    now = clock.now()
    rotation.create(settings.keys_dir, now=now, demo=True)
    migrations.upgrade(settings)
    registered = demo_clients.prepare(MANIFESTS, credentials=settings.data_dir / "clients", port_base=port)
    secret = Secret(secrets.token_urlsafe(32))
    with create_app(settings).app_context():
        _register(_manifests(settings.data_dir / "manifests"), registered, secret)
        loading.load_directory(DEMO_DATA, now=now)
        loading.load_people((*everybody(), manager()), now=now)
    portal = next(client for client in registered if client.client_id == PORTAL)
    assert portal.secret is not None
    return (
        Client(PORTAL, portal.secret.reveal(), f"{portal.base_url}/callback"),
        Client(APP, secret.reveal(), "http://localhost:9/callback"),
    )


def _manifests(folder: Path) -> Path:
    """The demo's manifests, and the partner's once more with a secret, so that a token costs one signature."""
    shutil.copytree(MANIFESTS, folder)
    shutil.copytree(MANIFESTS / PARTNER, folder / APP)
    lines = (MANIFESTS / f"{PARTNER}.toml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("jwks_uri")]
    text = "\n".join(kept).replace('"private_key_jwt"', '"client_secret_basic"')
    (folder / f"{APP}.toml").write_text(text + "\n", encoding="utf-8")
    return folder


def _register(folder: Path, registered: tuple[DemoClient, ...], secret: Secret) -> None:
    outcome = manifests.apply(
        folder,
        now=clock.now(),
        origin=Origin.local("bench"),
        base_urls={client.client_id: client.base_url for client in registered},
        jwks={client.client_id: client.registered for client in registered if client.registered is not None},
        secrets={APP: secret} | {client.client_id: client.secret for client in registered if client.secret is not None},
    )
    if isinstance(outcome, manifests.Unfit):
        raise SystemExit("\n".join(str(violation) for violation in outcome.violations))


def answers(port: int, path: str = "/readyz") -> None:
    """Wait until a server answers."""
    for _ in range(2400):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("localhost", port, timeout=1)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing answers at {port}")
