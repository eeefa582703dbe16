"""Many threads do one thing at the same moment; what they returned, in no order (SECURITY: RA)."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from flask import Flask

Outcome = TypeVar("Outcome")
THREADS = 16
ROUNDS = 50 if os.environ.get("CREDENCE_SOAK") else 5
"""Of a test marked `races`: five in `make test`, fifty in `make soak` (SECURITY ruling 12)."""


def race(app: Flask, act: Callable[[], Outcome], *, threads: int = THREADS) -> list[Outcome]:
    """Each thread waits for all others, then acts in an application context of its own."""
    barrier = Barrier(threads)

    def run(_: int) -> Outcome:
        with app.app_context():
            barrier.wait(timeout=20)
            return act()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
