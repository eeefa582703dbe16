"""The demo's children: watched, told apart from answering, and never left behind."""

import os
import sys
import threading
from pathlib import Path

import pytest

from idp.demo.processes import Command, Failed, Processes, answers, taken
from tests.servers import accepts, free_port, until

SERVER = "import http.server, sys; http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind='127.0.0.1')"
STUBBORN = "import signal, time, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(__import__('os').getpid(), flush=True); time.sleep(600)"


def python(name: str, code: str, *arguments: str, port: int | None = None, path: str = "/") -> Command:
    return Command(name, (sys.executable, "-c", code, *arguments), dict(os.environ), port=port, path=path)


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(logs=tmp_path / "logs", folder=tmp_path)


def test_it_waits_for_an_answer_and_stops_what_it_started(processes: Processes):
    port = free_port()
    with processes:
        processes.start(python("web", SERVER, str(port), port=port))
        assert processes.wait_until_answering(threading.Event())
        assert answers(port, "/")
        assert taken([free_port(), port]) == port
    assert not accepts(port)
    assert taken([port]) is None


def test_a_child_that_ends_by_itself_is_reported_with_its_last_words(processes: Processes):
    with processes:
        processes.start(python("sick", "import sys; print('the reason'); sys.exit(3)", port=free_port()))
        with pytest.raises(Failed, match=r"sick has ended \(status 3\)(.|\n)*the reason"):
            processes.wait_until_answering(threading.Event())


def test_being_told_to_stop_ends_the_waiting(processes: Processes):
    stopping = threading.Event()
    stopping.set()
    with processes:
        processes.start(python("slow", "import time; time.sleep(600)", port=free_port()))
        assert not processes.wait_until_answering(stopping)


def test_whoever_never_answers_is_named(processes: Processes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("idp.demo.processes.ANSWER_WITHIN", 0.1)
    with processes:
        processes.start(python("mute", "import time; time.sleep(600)", port=free_port()))
        with pytest.raises(Failed, match="mute: no answer"):
            processes.wait_until_answering(threading.Event())


def test_whoever_does_not_listen_is_killed(processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("idp.demo.processes.STOP_WITHIN", 0.2)
    log = tmp_path / "logs" / "stubborn.log"
    with processes:
        processes.start(python("stubborn", STUBBORN))
        until(lambda: log.read_text().endswith("\n"), what="the child does not start")
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)


def test_a_server_error_is_no_answer(processes: Processes):
    port = free_port()
    broken = SERVER.replace("SimpleHTTPRequestHandler", "BaseHTTPRequestHandler")
    with processes:
        processes.start(python("broken", broken, str(port), port=port))
        until(lambda: accepts(port), what="the child does not listen")
        assert not answers(port, "/")
