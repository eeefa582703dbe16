"""Attempt budgets and request counts: exact under a crowd, on both databases, with and without Redis."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.foundation import limiter
from idp.foundation.database import reading, write_budget, writing
from idp.foundation.limiter import AttemptBudget, Budget, Reason, RequestCount, Throttled
from idp.foundation.store import Store
from idp.vocabulary.refused import Refused
from tests.servers import RedisServer

pytestmark = pytest.mark.both
MINUTE = timedelta(minutes=1)
ACCOUNT = Budget("account", 5, timedelta(minutes=15), timedelta(minutes=15), timedelta(hours=24))


def reserve(now: datetime, *, budget: Budget = ACCOUNT, key: str = "person") -> int | Refused:
    with writing() as tx:
        return limiter.reserve(tx, budget=budget, key=key, now=now)


def crowd(app: Flask, act: Callable[[], object], *, size: int = 50) -> list[object]:
    start, answers = threading.Barrier(size), []

    def one() -> None:
        with app.app_context():
            start.wait()
            answers.append(act())

    threads = [threading.Thread(target=one) for _ in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_RA_14_fifty_at_once_get_exactly_the_attempts_there_are(app: Flask, now: datetime):
    answers = crowd(app, lambda: reserve(now))
    assert sorted(a for a in answers if isinstance(a, int)) == [1, 2, 3, 4, 5]
    refusals = [a for a in answers if isinstance(a, Refused)]
    assert refusals == [Throttled(Reason.TOO_MANY, timedelta(minutes=15))] * 45


def test_RA_14_fifty_at_once_are_counted_fifty(app: Flask, now: datetime):
    wide = Budget("wide", 1000, MINUTE, MINUTE, MINUTE)
    assert sorted(crowd(app, lambda: reserve(now, budget=wide))) == list(range(1, 51))  # type: ignore[type-var]


def test_the_pause_ends_by_itself_and_doubles_up_to_a_day(app: Flask, now: datetime):
    pauses = []
    for _ in range(9):
        for number in range(1, 6):
            assert reserve(now) == number
        refused = reserve(now)
        assert isinstance(refused, Throttled)
        assert refused.retry_after is not None
        pauses.append(refused.retry_after)
        now += refused.retry_after
    minutes = [pause.total_seconds() / 60 for pause in pauses]
    assert minutes == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]


def test_a_day_of_quiet_after_the_pause_forgets_the_doubling(app: Flask, now: datetime):
    for _ in range(2):
        for _ in range(5):
            reserve(now)
        now += timedelta(hours=1)
    now += timedelta(hours=24)
    for _ in range(5):
        assert isinstance(reserve(now), int)
    assert reserve(now) == Throttled(Reason.TOO_MANY, timedelta(minutes=15))


def test_failures_outside_the_window_do_not_add_up(app: Flask, now: datetime):
    for _ in range(20):
        assert reserve(now) in (1, 2)
        now += timedelta(minutes=8)


def test_SI_04_a_hundred_failures_in_a_row_are_all_there_ever_are(app: Flask, now: datetime):
    """SP 800-63B-4 §3.2.2: whatever time passes, until something else proves the person."""
    budget = Budget("password", 5, MINUTE, MINUTE, MINUTE, ever=100)
    admitted = 0
    for _ in range(130):
        admitted += isinstance(reserve(now, budget=budget), int)
        now += timedelta(days=3)
        with writing() as tx:
            limiter.purge(tx, now=now)
    assert admitted == 100
    assert reserve(now, budget=budget) == Throttled(Reason.EXHAUSTED, None)
    with writing() as tx:
        limiter.forgive(tx, budget=budget, key="person", now=now)
    assert reserve(now, budget=budget) == 1


def test_SI_08_success_forgives_its_own_key_only(app: Flask, now: datetime):
    for _ in range(4):
        reserve(now, key="victim")
        reserve(now, key="attacker")
    with writing() as tx:
        limiter.forgive(tx, budget=ACCOUNT, key="attacker", now=now)
    assert reserve(now, key="attacker") == 1
    assert reserve(now, key="victim") == 5


def test_SI_08_success_against_a_shared_budget_gives_back_one_attempt(app: Flask, now: datetime):
    shared = Budget("all", 3, MINUTE, MINUTE, MINUTE)
    for _ in range(3):
        reserve(now, budget=shared, key="")
    with writing() as tx:
        limiter.give_back(tx, budget=shared, key="", now=now)
    assert reserve(now, budget=shared, key="") == 3
    assert isinstance(reserve(now, budget=shared, key=""), Refused)


def test_asking_for_the_state_counts_nothing(app: Flask, now: datetime):
    with reading() as tx:
        assert limiter.state(tx, budget=ACCOUNT, key="person", now=now) is None
    for _ in range(5):
        reserve(now)
    with reading() as tx:
        assert limiter.state(tx, budget=ACCOUNT, key="person", now=now) == Throttled(
            Reason.TOO_MANY, timedelta(minutes=15)
        )


def test_a_budget_of_one_pauses_after_its_first_attempt(app: Flask, now: datetime):
    once = Budget("once", 1, MINUTE, MINUTE, 4 * MINUTE)
    assert reserve(now, budget=once) == 1
    assert reserve(now, budget=once) == Throttled(Reason.TOO_MANY, MINUTE)
    assert reserve(now + MINUTE, budget=once) == 1
    assert reserve(now + MINUTE, budget=once) == Throttled(Reason.TOO_MANY, 2 * MINUTE)


def test_no_row_holds_what_it_counts(app: Flask, now: datetime):
    reserve(now, key="CNRY-rosa.delgado")
    with reading() as tx:
        row = tx.scalars(select(AttemptBudget)).one()
    assert len(row.digest) == 32
    assert b"CNRY" not in row.digest


def asks(now: datetime, *, address: str = "192.0.2.7", store: Store | None = None, limit: int = 3) -> bool:
    return limiter.count_request("sign_in", address=address, limit=limit, window=MINUTE, now=now, store=store)


def test_SI_05_one_address_asks_so_often_in_a_window_and_no_more(app: Flask, now: datetime):
    assert [asks(now) for _ in range(5)] == [True, True, True, False, False]
    assert asks(now, address="192.0.2.8")
    assert asks(now + MINUTE)


def test_RA_14_a_crowd_of_requests_is_counted_exactly(app: Flask, now: datetime):
    answers = crowd(app, lambda: asks(now, limit=20))
    assert answers.count(True) == 20


def test_SI_10_without_redis_sql_counts(app: Flask, now: datetime):
    assert [asks(now, store=Store(None)) for _ in range(4)] == [True, True, True, False]
    with reading() as tx:
        assert tx.scalar(select(func.sum(RequestCount.requests))) == 4


def test_SI_10_R_08_a_redis_that_refuses_is_as_good_as_none(app: Flask, now: datetime):
    refusing = Store("redis://127.0.0.1:9/0")
    assert [asks(now, store=refusing) for _ in range(4)] == [True, True, True, False]


def test_counting_costs_a_request_none_of_its_two_transactions(app: Flask, now: datetime):
    with write_budget():
        asks(now, store=Store(None))
        for _ in range(2):
            with writing():
                pass
        asks(now, store=Store(None))
        with pytest.raises(RuntimeError), writing():
            pass


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_SI_05_an_ipv6_network_counts_as_one_address(app: Flask, one: str, other: str, same: bool):
    assert (limiter.network_of(one) == limiter.network_of(other)) is same


def test_old_counts_go_and_paused_ones_stay(app: Flask, now: datetime):
    asks(now, store=Store(None))
    reserve(now, key="quiet")
    for _ in range(5):
        reserve(now, key="paused")
    with writing() as tx:
        assert limiter.purge(tx, now=now + timedelta(hours=1)) == 1
        assert limiter.purge(tx, now=now + timedelta(days=3)) == 2


def test_R_07_losing_redis_gives_nobody_a_further_attempt(app: Flask, now: datetime, redis_server: RedisServer):
    """A flush loses counts of requests; attempts live in SQL."""
    from redis import Redis

    for _ in range(5):
        reserve(now)
    with Redis(port=redis_server.port) as redis:
        redis.flushall()
    assert isinstance(reserve(now), Refused)


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    server = RedisServer().start()
    yield server
    server.remove()


def test_SI_10_R_06_a_frozen_redis_is_as_good_as_none(app: Flask, now: datetime, own_redis: RedisServer):
    store = Store(own_redis.url)
    assert asks(now, store=store)
    own_redis.freeze()
    assert [asks(now, store=store) for _ in range(5)] == [True, True, True, False, False]
    with reading() as tx:
        assert tx.scalar(select(func.sum(RequestCount.requests))) == 5


def test_SI_10_R_08_a_full_redis_is_as_good_as_none(app: Flask, now: datetime, own_redis: RedisServer):
    from redis import Redis
    from redis.exceptions import ResponseError

    with Redis(port=own_redis.port) as redis:
        redis.config_set("maxmemory", 1)
        with pytest.raises(ResponseError, match="maxmemory"):
            redis.set("filler", b"x")
    store = Store(own_redis.url)
    assert [asks(now, store=store) for _ in range(4)] == [True, True, True, False]


def test_SI_10_a_redis_that_goes_away_never_means_unlimited(app: Flask, now: datetime, own_redis: RedisServer):
    store = Store(own_redis.url)
    for _ in range(3):
        assert asks(now, store=store)
    assert not asks(now, store=store)
    own_redis.stop()
    admitted = [asks(now, store=store) for _ in range(50)]
    assert admitted.count(True) == 3
