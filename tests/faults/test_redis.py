"""Redis frozen, flushed, full (R-06, R-07, R-08): nobody gets an attempt more, and nobody waits long."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from redis import Redis

from idp.foundation import artefacts, limiter
from idp.foundation.artefacts import Kind
from idp.foundation.database import writing
from idp.foundation.store import BUDGET_SECONDS, Store
from idp.vocabulary.refused import Refused
from tests.servers import RedisServer

pytestmark = [pytest.mark.both, pytest.mark.faults]

MINUTE = timedelta(minutes=1)
BUDGET = limiter.Budget("fault", 5, timedelta(minutes=15), timedelta(minutes=15), timedelta(hours=24))


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    server = RedisServer(maxmemory="2mb").start()
    yield server
    server.remove()


@pytest.fixture
def store(own_redis: RedisServer, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The application's, at a Redis that may be hurt."""
    store = Store(own_redis.url)
    monkeypatch.setitem(app.extensions["credence"], Store, store)
    return store


def asked(*, now: datetime, limit: int = 3) -> bool:
    return limiter.count_request("fault", address="203.0.113.9", limit=limit, window=MINUTE, now=now)


def test_R_06_a_frozen_redis_costs_its_budget_once_and_then_nothing(
    app: Flask, store: Store, own_redis: RedisServer, now: datetime
) -> None:
    assert asked(now=now)
    own_redis.freeze()
    started = time.monotonic()
    assert store.count("x", lifetime=MINUTE) is None
    assert time.monotonic() - started < BUDGET_SECONDS + 0.3
    started = time.monotonic()
    assert [store.count("x", lifetime=MINUTE) for _ in range(100)] == [None] * 100
    assert time.monotonic() - started < 0.2


def test_R_06_while_it_is_frozen_sql_counts(app: Flask, store: Store, own_redis: RedisServer, now: datetime) -> None:
    own_redis.freeze()
    assert [asked(now=now) for _ in range(5)] == [True, True, True, False, False]


def test_R_06_it_is_used_again_when_it_answers(store: Store, own_redis: RedisServer, app: Flask) -> None:
    own_redis.freeze()
    assert store.count("x", lifetime=MINUTE) is None
    own_redis.thaw()
    store.forget()
    assert store.count("y", lifetime=MINUTE) == 1
    assert not store.breaker.open


def test_ST_11_after_a_time_out_no_answer_belongs_to_another_question(
    store: Store, own_redis: RedisServer, app: Flask
) -> None:
    store.put("mine", b"mine", lifetime=MINUTE)
    own_redis.freeze()
    assert store.get("mine") is None
    own_redis.thaw()
    store.forget()
    assert store.get("other") is None
    assert store.get("mine") == b"mine"


def test_R_07_a_flush_gives_no_attempt_and_no_replay(
    app: Flask, store: Store, own_redis: RedisServer, now: datetime
) -> None:
    with writing() as tx:
        secret, _ = artefacts.issue(tx, kind=Kind.AUTHORIZATION_CODE, now=now, lifetime=MINUTE)
        assert [limiter.reserve(tx, budget=BUDGET, key="person", now=now) for _ in range(5)] == [1, 2, 3, 4, 5]
    digest = artefacts.digest_of(secret.reveal())
    with writing() as tx:
        artefacts.redeem(tx, kind=Kind.AUTHORIZATION_CODE, digest=digest, now=now)
    with Redis(port=own_redis.port) as redis:
        redis.flushall()
    with writing() as tx:
        again = artefacts.redeem(tx, kind=Kind.AUTHORIZATION_CODE, digest=digest, now=now)
        assert again == Refused(artefacts.Reason.REPLAYED)
        assert isinstance(limiter.reserve(tx, budget=BUDGET, key="person", now=now), Refused)


def test_R_08_a_full_redis_is_a_redis_that_is_down(
    app: Flask, store: Store, own_redis: RedisServer, now: datetime
) -> None:
    with Redis(port=own_redis.port) as redis:
        redis.config_set("maxmemory", "1")
    assert store.count("x", lifetime=MINUTE) is None
    assert store.breaker.open
    assert [asked(now=now) for _ in range(4)] == [True, True, True, False]


def test_SI_10_a_dead_redis_does_not_lift_the_limit(
    app: Flask, store: Store, own_redis: RedisServer, now: datetime
) -> None:
    own_redis.stop()
    assert [asked(now=now, limit=2) for _ in range(3)] == [True, True, False]
