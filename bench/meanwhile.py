"""Another request while an import runs: a served provider is asked for an authorization code, ten times a second."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.cases import Live
from bench.load import Caller
from bench.provider import Provider

EVERY: Final = 0.1


@contextmanager
def asking(provider: Provider | None) -> Iterator[list[float]]:
    """The milliseconds that each request took, over HTTP: a live session is read, a code written and committed.

    One that is not answered so is raised at the end: an import beside which nobody is served is no measurement.
    """
    waits: list[float] = []
    if provider is None:
        yield waits
        return
    live, caller, done = Live.of(provider), Caller(provider.port), threading.Event()
    live.code(caller)

    def ask() -> None:
        while not done.wait(EVERY):
            begun = time.monotonic()
            try:
                live.code(caller)
            except Exception as error:
                failed.append(error)
                return
            waits.append((time.monotonic() - begun) * 1e3)

    failed: list[Exception] = []
    other = threading.Thread(target=ask)
    other.start()
    try:
        yield waits
    finally:
        done.set()
        other.join()
        caller.close()
    if failed:
        raise failed[0]
