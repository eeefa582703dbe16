"""Two nodes on one PostgreSQL and Redis behind a crossing, and what their tests ask of them."""

import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from idp.foundation import clock
from tests.faults.crossing import Crossing
from tests.faults.mortal import Mortal, Stubborn, mortal, serve
from tests.servers import Postgres, RedisServer, accepts, binary, free_port, until

PROMISED = timedelta(seconds=1)
"""No node uses what is older (R-13)."""


@dataclass
class Nodes(Mortal):
    """Two nodes behind a crossing at the issuer's address."""

    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    running: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    crossing: Crossing | None = None
    postgres: Postgres | None = None

    def start(self) -> None:
        for port in self.ports:
            self.running.append(serve(self.settings, fault=self.fault, bind=f"127.0.0.1:{port}", workers=2))
        self.crossing = Crossing(int(self.issuer.rpartition(":")[2]), self.ports)
        for port in self.ports:
            until(lambda port=port: accepts(port), seconds=90, what="a node does not listen")
            self.use(port)
            until(self.answers, seconds=90, what="a node does not answer")
        self.use(None)

    def use(self, port: int | None) -> None:
        """Lead every new connection there; `None`: to both in turn."""
        assert self.crossing is not None
        self.crossing.to = port

    def kill(self) -> None:
        for each in self.running:
            if each.poll() is None:
                os.killpg(each.pid, signal.SIGKILL)
                each.wait(10)
        if self.crossing is not None:
            self.crossing.close()


@contextmanager
def two_nodes(folder: Path) -> Iterator[Nodes]:
    """Served until the end."""
    if binary("postgres") is None or binary("redis-server") is None:
        pytest.skip("needs Debian's: apt-get install -y --no-install-recommends postgresql redis-server")
    postgres, redis = Postgres().start(), RedisServer().start()
    postgres.create_database("credence")
    urls = {"database_url": postgres.url("credence_app", "credence"), "redis_url": redis.url}
    urls |= {"database_owner_url": postgres.url("credence_owner", "credence")}
    try:
        with mortal(folder, kind=Nodes, **urls) as served:
            assert isinstance(served, Nodes)
            served.postgres = postgres
            yield served
    finally:
        redis.remove()
        postgres.remove()


def tokens(nodes: Nodes, *, user_id: str = "rosa.delgado") -> dict[str, str]:
    """Signs in at the first node and takes the tokens at the second."""
    first, second = nodes.ports
    with Stubborn(nodes, user_id=user_id) as browser:
        nodes.use(first)
        code = browser.code()
        nodes.use(second)
        answer = code.exchange()
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def userinfo(nodes: Nodes, access_token: str) -> int:
    """What the node in use says to a token."""
    headers = {"Authorization": f"Bearer {access_token}", "Connection": "close"}
    return httpx2.get(f"{nodes.issuer}/oauth/userinfo", headers=headers, timeout=20, trust_env=False).status_code


def refresh(nodes: Nodes, held: dict[str, str]) -> httpx2.Response:
    return nodes.send("/oauth/token", grant_type="refresh_token", refresh_token=held["refresh_token"])


def obeyed(asked: Callable[[], bool], *, since: datetime, what: str) -> None:
    """Ask until it is obeyed: nobody who asks a second or more after the change may be answered by what was before.

    However slow the machine is: what counts is when it was asked, and a node knows nothing older than a second (R-13).
    """
    at = clock.now()
    while not asked():
        assert at - since < PROMISED, what
        at = clock.now()


class Asking:
    """Clients that ask without a pause while something is wrong; every answer and every broken connection is kept."""

    def __init__(self, ask: Callable[[], httpx2.Response], *, clients: int = 4) -> None:
        self._ask = ask
        self._enough = threading.Event()
        self._one = threading.Lock()
        self._threads = [threading.Thread(target=self._go, args=(number,)) for number in range(clients)]
        self.statuses: Counter[int] = Counter()
        self.retry_after: set[str] = set()
        self.broken: list[Exception] = []
        self._since: dict[int, Counter[int]] = {}

    def _go(self, number: int) -> None:
        while not self._enough.is_set():
            try:
                answer = self._ask()
            except httpx2.TransportError as error:
                with self._one:
                    self.broken.append(error)
                continue
            with self._one:
                self.statuses[answer.status_code] += 1
                if answer.status_code == 503:
                    self.retry_after.add(answer.headers.get("Retry-After", "none"))
                self._since.setdefault(number, Counter())[answer.status_code] += 1

    def everybody_got(self, status: int) -> None:
        """Wait until each client has had this answer to a question that it asked from now on."""
        with self._one:
            self._since.clear()
        until(lambda: self._all_had(status), seconds=90, what=f"not everybody got {status}: {self.statuses}")

    def _all_had(self, status: int) -> bool:
        with self._one:
            return sum(seen[status] > 1 for seen in self._since.values()) == len(self._threads)

    def __enter__(self) -> "Asking":
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for each in self._threads:
            each.join(30)
