"""oidc-provider from npm, unmodified, as the peer that client credentials are compared with."""

import contextlib
import json
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.flow import Client
from bench.load import Case, Request, fixed
from bench.provider import answers
from tests.interop.npm import NODE, environment, installed

FOLDER = Path(__file__).with_name("peers") / "oidc-provider"


@dataclass(frozen=True, slots=True)
class Peer:
    """The peer under load."""

    port: int
    pid: int
    case: Case
    version: str
    node: str


@contextlib.contextmanager
def running(port: int) -> Iterator[Peer]:
    """Two processes, the in-memory adapter, JWT access tokens by ES256."""
    folder = installed(FOLDER)
    client = Client("bench-app", secrets.token_urlsafe(32), "")
    told = environment(
        PORT=str(port), CLIENT_ID=client.client_id, CLIENT_SECRET=client.secret, NODE_ENV="production", JWK=""
    )
    server = subprocess.Popen(
        [str(NODE / "node"), "server.mjs"], cwd=folder, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        answers(port, "/.well-known/openid-configuration")
        request = Request(
            "POST", "/token", client.basic, urlencode({"grant_type": "client_credentials"}).encode(), expect=200
        )
        package = json.loads((folder / "node_modules/oidc-provider/package.json").read_text("utf-8"))
        node = subprocess.run([str(NODE / "node"), "--version"], capture_output=True, text=True, check=True).stdout
        yield Peer(port, server.pid, fixed(request), package["version"], node.strip())
    finally:
        server.terminate()
        server.wait(20)
