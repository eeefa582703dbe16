"""Logs: JSON lines, listed fields only, no text of exceptions."""

import contextlib
import io
import json
import logging
import os
import socket
from collections.abc import Iterator

import pytest

from idp.foundation import logs
from idp.foundation.log_sink import Unblocking


@pytest.fixture
def sink() -> Iterator[io.BytesIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    caught = io.BytesIO()
    logs.setup(level="DEBUG", sink=caught)
    yield caught
    logs.setup(sink=io.BytesIO())
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(sink: io.BytesIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_a_line_is_one_json_object(sink: io.BytesIO) -> None:
    logging.getLogger("idp.somewhere").info("done\nwith %s", "it", extra={"count": 3})
    (line,) = lines(sink)
    assert line["message"] == "done\nwith it"
    assert line["count"] == 3
    assert sink.getvalue().count(b"\n") == 1


def test_ST_07_a_field_that_is_not_listed_goes_nowhere(sink: io.BytesIO) -> None:
    logging.getLogger("idp").warning("refused", extra={"token": "CNRY-token", "tin": "CNRY-tin", "reason": "expired"})
    logs.access({"route": "/oauth/token", "status": 200, "query": "code=CNRY", "user_agent": "CNRY"})
    assert b"CNRY" not in sink.getvalue()
    assert [line.get("reason") for line in lines(sink)] == ["expired", None]


def test_ST_07_the_text_of_an_exception_is_not_told(sink: io.BytesIO) -> None:
    try:
        raise ValueError("CNRY-secret in an error")
    except ValueError:
        logging.getLogger("idp").exception("it failed")
    (line,) = lines(sink)
    assert b"CNRY" not in sink.getvalue()
    assert line["exception"] == "builtins.ValueError"
    assert "test_logs.py" in str(line["places"])


def test_every_line_of_a_request_carries_its_id(sink: io.BytesIO) -> None:
    logs.request_id.set(None)  # a request of an earlier test in this thread leaves its own behind
    token = logs.request_id.set("abc123")
    logging.getLogger("idp").info("within")
    logs.request_id.reset(token)
    logging.getLogger("idp").info("without")
    assert [line.get("request_id") for line in lines(sink)] == ["abc123", None]


def test_T_12_authlib_never_speaks_below_info(sink: io.BytesIO) -> None:
    logging.getLogger("authlib.oauth2").debug("Issue token %r", "CNRY-token")
    assert sink.getvalue() == b""


def test_a_message_that_does_not_fit_its_arguments_is_still_a_line(sink: io.BytesIO) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if type(handler).__module__ == logs.__name__]
    logging.getLogger("idp").info("%d things", "no number")
    assert lines(sink)[0]["message"] == "%d things"


def test_R_23_a_sink_that_refuses_does_not_stop_a_request(sink: io.BytesIO) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "no space left")

    logs.setup(sink=Full())
    logs.access({"status": 200})
    logs.setup(sink=sink)
    logs.access({"status": 201})
    logs.access({"status": 202})
    assert [(line["status"], line.get("lost")) for line in lines(sink)] == [(201, 1), (202, None)]


@pytest.fixture(params=["pipe", "socket"])
def unread(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """Where one writes, and where nobody reads."""
    if request.param == "pipe":
        reading, writing = os.pipe()
    else:
        ours, theirs = socket.socketpair()
        reading, writing = theirs.detach(), ours.detach()
    yield writing, reading
    os.close(writing)
    os.close(reading)


def test_R_23_a_sink_that_nobody_reads_does_not_stop_a_request(unread: tuple[int, int]) -> None:
    """Whoever shares the descriptor still finds it as it was; when it is read again, lines are whole again."""
    writing, reading = unread
    own = Unblocking(writing)
    line = b"x" * 5000 + b"\n"
    refused = 0
    while refused < 3:
        try:
            own.write(line)
        except BlockingIOError:
            refused += 1
    assert os.get_blocking(writing)
    taken = bytearray(os.read(reading, 1_000_000))
    os.set_blocking(reading, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            taken += os.read(reading, 1_000_000)
    own.write(b"again\n")
    assert os.read(reading, 100).splitlines()[-1] == b"again"
    assert set(bytes(taken).split(b"\n")[:-1]) == {line[:-1]}


def test_RX_14_a_flood_is_sampled_and_each_line_says_for_how_many_it_stands() -> None:
    second = [1.0]
    flood = logs.Flood(read_seconds=lambda: second[0])
    weights = [flood.weight() for _ in range(3000)]
    assert weights[:1000] == [1] * 1000
    assert sum(weights) == 3000
    assert len([weight for weight in weights if weight]) == 1020
    second[0] = 2.5
    assert flood.weight() == 1
