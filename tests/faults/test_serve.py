"""`idp serve` is replaced and stopped without a failed request (R-03), and tells its metrics for all workers."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idp.migrations.run import upgrade
from idp.settings import PROJECT, Settings
from tests.servers import accepts, free_port, until

pytestmark = pytest.mark.faults


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def serving(
    make_settings: Callable[..., Settings], keys_dir: Path, tmp_path: Path, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    url = f"sqlite:///{tmp_path / 'served.sqlite3'}"
    upgrade(make_settings(database_url=url))
    env = {
        "PATH": os.environ["PATH"],
        "IDP_ISSUER": "https://credence.test",
        "IDP_DATABASE_URL": url,
        "IDP_DATA_DIR": str(tmp_path),
        "IDP_KEYS_DIR": str(keys_dir),
        "IDP_SMTP_URL": "smtp://127.0.0.1:9",
        "IDP_SMTP_FROM": "Credence <no-reply@credence.test>",
    }
    command = [sys.executable, "-m", "idp", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=PROJECT, stdout=log, stderr=log, start_new_session=True)
        try:
            until(lambda: accepts(port), seconds=90, what="idp serve does not listen")
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its workers too
            process.wait(10)


def ask(port: int, path: str = "/healthz", **headers: str) -> int:
    """Status of a request; an error of the connection raises."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return int(answer.status)


def test_R_03_a_reload_loses_no_request_and_a_stop_answers_what_is_in_hand(
    serving: subprocess.Popen[bytes], port: int, tmp_path: Path
) -> None:
    assert ask(port, "/readyz") == 200
    failed: list[BaseException] = []
    enough = threading.Event()

    def load() -> None:
        while not enough.is_set():
            try:
                ask(port)
            except BaseException as error:
                failed.append(error)

    loading = threading.Thread(target=load)
    loading.start()
    before = workers(serving.pid)
    serving.send_signal(signal.SIGHUP)
    until(lambda: (now := workers(serving.pid)) and not now & before, seconds=90, what="no fresh workers")
    enough.set()
    loading.join(20)
    assert failed == []
    with asked_in_half(port) as wire:
        at_stop = workers(serving.pid)
        serving.send_signal(signal.SIGTERM)
        until(
            lambda: any(map(has_ended, at_stop)), seconds=90, what="no worker ends of those that have nothing in hand"
        )
        wire.sendall(b"grant_type")
        assert wire.makefile("rb").readline().startswith(b"HTTP/1.1 401 "), "what was in hand is answered"
    assert serving.wait(20) == 0
    assert not accepts(port)
    assert "refused to gracefully stop" not in (tmp_path / "log").read_text("utf-8"), "nobody was killed for it"


def asked_in_half(port: int) -> socket.socket:
    """A request in a worker's hand: it waits for the body, and says so."""
    wire = socket.create_connection(("127.0.0.1", port), timeout=20)
    head = "POST /oauth/token HTTP/1.1\r\nHost: credence.test\r\nConnection: close\r\nExpect: 100-continue\r\n"
    wire.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\n".encode())
    assert wire.recv(64) == b"HTTP/1.1 100 Continue\r\n\r\n"
    return wire


def has_ended(pid: str) -> bool:
    """Gone, or dead and not yet taken note of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_R_24_a_worker_killed_for_its_memory_is_replaced(
    serving: subprocess.Popen[bytes], port: int, tmp_path: Path
) -> None:
    """The kernel's way of saying that memory is out is SIGKILL."""
    until(lambda: len(list(tmp_path.glob("metrics-*/serves-*"))) == 2, seconds=90, what="two workers do not serve")
    before = workers(serving.pid)
    os.kill(int(next(tmp_path.glob("metrics-*/serves-*")).name.rpartition("-")[2]), signal.SIGKILL)
    until(lambda: len(workers(serving.pid) - before) == 1, seconds=90, what="no worker in its place")
    assert [ask(port) for _ in range(8)] == [200] * 8


def workers(pid: int) -> set[str]:
    """Processes below `pid`."""
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def test_metrics_are_for_loopback_without_a_forwarder(serving: subprocess.Popen[bytes], port: int) -> None:
    assert ask(port, "/metrics") == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(port, "/metrics", **{"X-Forwarded-For": "203.0.113.9"})
    assert refused.value.code == 404
    for odd, status in ((b"X-Forwarded-For: \xff, 203.0.113.9", b"400"), (b"User-Agent: caf\xe9", b"200")):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
            wire.sendall(b"GET /metrics HTTP/1.1\r\nHost: credence.test\r\n" + odd + b"\r\nConnection: close\r\n\r\n")
            assert wire.makefile("rb").readline().split()[1] == status, "granian does not show what is not ASCII"


def test_R_12_whether_we_live_is_answered_while_others_wait_for_the_database(
    serving: subprocess.Popen[bytes], port: int, tmp_path: Path
) -> None:
    """More pages wait for the write lock than there are workers, and health is answered before it is let go."""
    holder = sqlite3.connect(tmp_path / "served.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    parking = [threading.Thread(target=park, args=(port,)) for _ in range(6)]
    for each in parking:
        each.start()
    answered = [ask(port) for _ in range(4)]
    waiting = [each.is_alive() for each in parking]
    holder.execute("ROLLBACK")
    for each in parking:
        each.join(20)
    assert answered == [200] * 4
    assert all(waiting), "nobody got past the lock meanwhile"


def park(port: int) -> None:
    """A visit that parks a sign-in: it writes."""
    with contextlib.suppress(urllib.error.HTTPError):
        ask(port, "/sign-in", Host="credence.test")
