"""Prometheus metrics; children are bound once, so an observation on a hot path is a dictionary look-up.

With several workers each writes to `PROMETHEUS_MULTIPROC_DIR` (`idp serve` makes it) and any of them answers for all.
"""

import os
from functools import lru_cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

registry: Final = CollectorRegistry()
_requests: Final = Counter(
    "credence_requests", "Requests served, by route template.", ("route", "method", "status"), registry=registry
)
_seconds: Final = Histogram(
    "credence_request_seconds",
    "Time until a response was handed over, by route template.",
    ("route",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
_events: Final = Counter("credence_events", "Things that happened, by name.", ("event",), registry=registry)


def observe(*, route: str, method: str, status: int, seconds: float) -> None:
    """Count one served request. `route` is the rule's template or `-`, never the path that was asked for."""
    _request(route, method if method in _METHODS else "other", status).inc()
    _duration(route).observe(seconds)


def happened(event: str, amount: int = 1) -> None:
    """Count something; `event` is one of the code's own words, never anything that came from outside."""
    _event(event).inc(amount)


@lru_cache(maxsize=4096)
def _request(route: str, method: str, status: int) -> Counter:
    return _requests.labels(route, method, str(status))


@lru_cache(maxsize=1024)
def _duration(route: str) -> Histogram:
    return _seconds.labels(route)


@lru_cache(maxsize=1024)
def _event(event: str) -> Counter:
    return _events.labels(event)


def exposition() -> bytes:
    """What `/metrics` answers."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(registry)
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all)  # type: ignore[no-untyped-call]
    return generate_latest(of_all)
