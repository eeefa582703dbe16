"""A load of equal requests over a few kept connections."""

import http.client
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.cpu import seconds_of_tree

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it goes over the wire, and the status that means success."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    expect: int = 200


@dataclass(frozen=True, slots=True)
class Figures:
    """What one case cost: microseconds of CPU a request, requests a second, p50 and p99 in ms."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float
    requests: int


def measure(port: int, pid: int, make: Callable[[], Request], *, seconds: float) -> Figures:
    """Ask for `seconds` and account the server's CPU to the answers. A wrong status ends the run."""
    _run(port, make, 0.5)
    before, started = seconds_of_tree(pid), time.perf_counter()
    latencies = _run(port, make, seconds)
    elapsed, used = time.perf_counter() - started, seconds_of_tree(pid) - before
    cuts = statistics.quantiles(latencies, n=100)
    return Figures(
        used / len(latencies) * 1e6, len(latencies) / elapsed, cuts[49] * 1e3, cuts[98] * 1e3, len(latencies)
    )


def _run(port: int, make: Callable[[], Request], seconds: float) -> list[float]:
    latencies: list[float] = []
    wrong: list[str] = []
    until = time.perf_counter() + seconds

    def ask() -> None:
        connection = http.client.HTTPConnection("localhost", port, timeout=30)
        while time.perf_counter() < until and not wrong:
            request, started = make(), time.perf_counter()
            connection.request(request.method, request.path, request.body or None, request.headers)
            answer = connection.getresponse()
            content = answer.read()
            latencies.append(time.perf_counter() - started)
            if answer.status != request.expect:
                wrong.append(f"{request.method} {request.path.partition('?')[0]}: {answer.status} {content[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(wrong[0])
    return latencies
