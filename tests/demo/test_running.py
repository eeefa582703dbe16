"""The whole demo, as `make demo` runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from idp.demo.clients import PORTS
from idp.demo.processes import answers, taken
from idp.settings import PROJECT
from tests.servers import free_ports, until

READY = "Ctrl-C stops everything."


def run_once(base: int, folder: Path, *, stop: signal.Signals, without: str = "") -> str:
    """Start, see everything answer, stop by a signal; what it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    environment |= {
        "PORT_BASE": str(base),
        "DATA_DIR": str(folder / "demo"),
        "PYTHONUNBUFFERED": "1",
        "WITHOUT": without,
    }
    said = folder / f"said-{stop.name}"
    with said.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "idp", "demo"], cwd=PROJECT, env=environment, stdout=output, stderr=output
        )
    try:
        until(lambda: READY in said.read_text() or running.poll() is not None, seconds=160, what="no card")
        assert READY in said.read_text(), said.read_text()
        assert answers(base, "/.well-known/openid-configuration")
        assert answers(base, "/dev/outbox")
        for client_id, distance in PORTS.items():
            assert answers(base + distance, "/") is (client_id != without)
        running.send_signal(stop)
        assert running.wait(40) == 0
    finally:
        running.kill()
        running.wait()
    return said.read_text()


@pytest.mark.timeout(400)
def test_it_starts_says_so_stops_cleanly_and_starts_again_on_the_same_data(tmp_path: Path):
    base = free_ports(len(PORTS) + 2)
    theirs = "heartland-selfservice"
    for stop, without in ((signal.SIGTERM, ""), (signal.SIGINT, theirs)):
        said = run_once(base, tmp_path, stop=stop, without=without)
        assert "Stopped." in said
        secret = tmp_path / "demo" / "clients" / f"{theirs}.secret"
        assert (f"http://localhost:{base + PORTS[theirs]} is yours." in said) is bool(without)
        assert (f"secret in {secret}." in said) is bool(without)
        assert secret.is_file()
        assert taken(range(base, base + len(PORTS) + 2)) is None
