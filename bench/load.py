"""A load of equal acts over a few kept connections."""

import http.client
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bench.cpu import seconds_of_tree

CONNECTIONS = 8
WARM_UP = 0.4
FEWEST = 2
"""Acts that quantiles can be told of, however slow the machine is."""
MOST_REFUSED = 20
LATER = (429, 503)
"""Come back: an address or an account has asked too often, or the database kept a writer waiting for five seconds."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it goes over the wire, and the status that means success."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    expect: int = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")


class Caller:
    """One kept connection. A status that was not expected ends the run."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("localhost", port, timeout=30)

    def ask(self, request: Request, *, also: int = 0) -> Answer:
        """`also`: another status that may come."""
        self._connection.request(request.method, request.path, request.body or None, request.headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status not in (request.expect, also):
            raise (Busy if answer.status in LATER else Unexpected)(
                f"{request.method} {request.path.partition('?')[0]}: {answer.status} {body[:300]!r}"
            )
        return Answer(answer.status, answer.headers, body)

    def close(self) -> None:
        self._connection.close()


class Unexpected(Exception):
    """A server answered something else than success: what is measured would mean nothing."""


class Busy(Unexpected):
    """Told to come back later: counted beside the acts, told, and no end of the run."""


class Unmeasured(SystemExit):
    """Nothing was done in a round, so nothing can be said of it; `refused` were told to come back later."""

    def __init__(self, refused: int) -> None:
        super().__init__(f"nothing was measured: {refused} acts were told to come back later")
        self.refused = refused


Act = Callable[[Caller], None]
"""What is counted as one: a request, or all that one sign-in asks."""


@dataclass(frozen=True, slots=True)
class Case:
    """A hot path. With `stock`, each act uses up one thing made before, of which `size` are made for a round."""

    act: Callable[[Caller, str], None]
    stock: Callable[[Caller], str] | None = None
    size: int = 0
    least: int = 0
    """So many acts, however long they take: few acts say nothing."""
    prepare: Callable[[Caller], None] | None = None
    """What has to be there before a round; not counted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one case cost: microseconds of CPU an act, acts a second, p50 and p99 in ms."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float
    acts: int
    refused: int = 0
    """Acts that were told to come back later; a round with many is worth nothing."""


def fixed(request: Request) -> Case:
    """The same request again and again."""
    return Case(lambda caller, _: caller.ask(request) and None)


def varied(make: Callable[[], Request]) -> Case:
    """A request that is made anew each time."""
    return Case(lambda caller, _: caller.ask(make()) and None)


def measure(
    port: int,
    pid: int,
    case: Case,
    *,
    seconds: float,
    connections: int = CONNECTIONS,
    warm_up: float | None = None,
    also: Sequence[int] = (),
) -> Figures:
    """Act for `seconds` (or until the stock is used up) and account the server's CPU to the acts.

    `also`: processes that work for the server, as a database does. `warm_up`: seconds before, 0 for none.
    """
    warm_up = WARM_UP if warm_up is None else warm_up
    stock: list[str] | None = None
    if case.prepare is not None:
        caller = Caller(port)
        case.prepare(caller)
        caller.close()
    if case.stock is None:
        if warm_up:
            _run(port, replace(case, least=0), warm_up, None, connections)
    else:
        stock = _stocked(port, case, connections)
    before, started = seconds_of_tree(pid, *also), time.perf_counter()
    latencies, refused = _run(port, replace(case, least=max(case.least, FEWEST)), seconds, stock, connections)
    elapsed, used = time.perf_counter() - started, seconds_of_tree(pid, *also) - before
    if len(latencies) < 2:
        raise Unmeasured(refused)
    cuts = statistics.quantiles(latencies, n=100)
    return Figures(
        used / len(latencies) * 1e6, len(latencies) / elapsed, cuts[49] * 1e3, cuts[98] * 1e3, len(latencies), refused
    )


def _stocked(port: int, case: Case, connections: int) -> list[str]:
    made: list[str] = []
    assert case.stock is not None
    stock = case.stock
    _together(
        port, lambda caller: made.append(stock(caller)), more=lambda: len(made) < case.size, connections=connections
    )
    return made


def _run(port: int, case: Case, seconds: float, stock: list[str] | None, connections: int) -> tuple[list[float], int]:
    latencies: list[float] = []
    until = time.perf_counter() + seconds

    def act(caller: Caller) -> None:
        try:
            given = stock.pop() if stock is not None else ""
        except IndexError:
            return
        started = time.perf_counter()
        case.act(caller, given)
        latencies.append(time.perf_counter() - started)

    def more() -> bool:
        return bool(stock) if stock is not None else time.perf_counter() < until or len(latencies) < case.least

    return latencies, _together(port, act, more=more, connections=connections)


def _together(port: int, act: Callable[[Caller], None], *, more: Callable[[], bool], connections: int) -> int:
    """Says how many acts were refused for the moment; too many end the round early."""
    wrong: list[str] = []
    refused: list[str] = []

    def go_on() -> None:
        caller = Caller(port)
        try:
            while more() and not wrong and len(refused) <= MOST_REFUSED:
                try:
                    act(caller)
                except Busy as busy:
                    refused.append(str(busy))
        except (Unexpected, OSError, http.client.HTTPException) as error:
            wrong.append(repr(error))
        finally:
            caller.close()

    threads = [threading.Thread(target=go_on) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(wrong[0])
    if refused:
        print(f"{len(refused)} told to come back later, first: {refused[0]}", file=sys.stderr, flush=True)
    return len(refused)
