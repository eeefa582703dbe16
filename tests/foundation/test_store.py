"""Redis may be slow, frozen, full or gone: it costs little, and nobody is told a wrong count."""

from datetime import timedelta

import pytest

from idp.foundation.store import FIRST_PAUSE, LONGEST_PAUSE, Breaker, Store
from tests.servers import RedisServer

MINUTE = timedelta(minutes=1)


class Hand:
    """A clock for the breaker."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def store(redis_server: RedisServer) -> Store:
    return Store(redis_server.url)


def test_without_an_address_it_answers_nothing() -> None:
    store = Store(None)
    assert not store.configured
    assert store.count("x", lifetime=MINUTE) is None
    assert store.get("x") is None
    assert store.alive() is None
    store.publish("clients", 3)
    assert store.latest("clients") is None


def test_it_counts(store: Store) -> None:
    assert [store.count("a-count", lifetime=MINUTE) for _ in range(3)] == [1, 2, 3]


def test_a_count_does_not_live_longer_for_being_used(store: Store, redis_server: RedisServer) -> None:
    from redis import Redis

    store.count("short", lifetime=MINUTE)
    with Redis(port=redis_server.port) as redis:
        redis.expire("credence:short", 5)
        store.count("short", lifetime=MINUTE)
        assert redis.ttl("credence:short") <= 5


def test_it_keeps_values_and_versions(store: Store) -> None:
    store.put("page", b"cached", lifetime=MINUTE)
    assert store.get("page") == b"cached"
    store.publish("clients", 7)
    assert store.latest("clients") == 7


def test_R_07_a_flushed_redis_starts_again_from_one(store: Store, redis_server: RedisServer) -> None:
    from redis import Redis

    store.count("flushed", lifetime=MINUTE)
    with Redis(port=redis_server.port) as redis:
        redis.flushall()
    assert store.count("flushed", lifetime=MINUTE) == 1


def test_nobody_there_answers_nothing_and_opens_the_breaker() -> None:
    store = Store("redis://127.0.0.1:1/0")
    assert store.count("x", lifetime=MINUTE) is None
    assert store.breaker.open
    assert store.alive() is False


def test_an_open_breaker_lets_one_caller_try_when_its_pause_is_over() -> None:
    hand = Hand()
    breaker = Breaker(clock=hand)
    assert breaker.lets_through()
    breaker.failed()
    assert not breaker.lets_through()
    hand.at += FIRST_PAUSE
    assert breaker.lets_through()
    assert not breaker.lets_through()
    breaker.succeeded()
    assert breaker.lets_through()
    assert breaker.lets_through()


def test_the_pause_doubles_up_to_a_bound() -> None:
    hand = Hand()
    breaker = Breaker(clock=hand)
    for _ in range(10):
        breaker.failed()
    hand.at += LONGEST_PAUSE - 0.1
    assert not breaker.lets_through()
    hand.at += 0.2
    assert breaker.lets_through()
