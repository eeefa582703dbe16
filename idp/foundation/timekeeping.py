"""This process's clock beside what the database knows of time (R-19): not before it, and on PostgreSQL not apart from it.

Nothing here happens unless `begin` is called, as whatever serves, works or commands does; tests with clocks of their own do not.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Flask, current_app
from sqlalchemy import NullPool, create_engine, event, exc, text

from idp.foundation import clock, standing_by
from idp.foundation.database import Rows, db, engine_options, guard, reading

MOST_APART: Final = timedelta(seconds=30)
"""A code of an authenticator app lives so long; what lives minutes outlives it."""
LOOK_EVERY: Final = 1.0
LEAP: Final = timedelta(seconds=1)
"""A clock that gains so much on the monotonic one between two looks was set: what it showed a moment ago says nothing."""
WAIT_BETWEEN: Final = 2.0
NEWEST: Final = (
    "SELECT max(at) FROM (SELECT seen_at AS at FROM system_state UNION ALL SELECT e.at AS at FROM audit_head h"
    " JOIN audit_event e ON e.stream = h.stream AND e.sequence = h.sequence) AS known"
)
"""The last moment that the worker noted, or that stands in the last event of an audit chain."""
_THERE: Final = text("SELECT clock_timestamp()")
_KEEPER: Final = "credence_timekeeper"
_log: Final = logging.getLogger(__name__)


class ClockIsOff(Exception):
    """Why nothing is written, and no token judged."""


class ClockApart(exc.OperationalError):
    """Nothing is written or judged by this clock: answered like a database that is away, since another node can do it."""

    def __init__(self, apart: timedelta) -> None:
        super().__init__("writing", None, ClockIsOff(f"{int(apart.total_seconds())} s"))


class Agreement:
    """Whether this process's clock and PostgreSQL's agree, asked once a second at most while they do."""

    def __init__(
        self, *, read: Callable[[], datetime] = clock.now, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._monotonic = read, monotonic
        self._good_until = monotonic()
        self._seen = read(), monotonic()

    def __call__(self, tx: Rows) -> None:
        """Before anything is written or judged: raise `ClockApart` if it would be by a wrong clock."""
        if (apart := self.apart(tx)) > MOST_APART:
            raise ClockApart(apart)

    def apart(self, tx: Rows) -> timedelta:
        """How far they are apart at least, however long the question took."""
        before, asked_at = self._read(), self._monotonic()
        seen, at = self._seen
        self._seen = before, asked_at
        if before - seen > timedelta(seconds=asked_at - at) + LEAP:
            self._good_until = asked_at
        if asked_at < self._good_until:
            return timedelta(0)
        there: datetime = tx.execute(_THERE).scalar_one()
        apart = max(before - there, there - self._read(), timedelta(0))
        if apart <= MOST_APART:
            self._good_until = asked_at + LOOK_EVERY
        return apart


def begin(app: Flask, *, may_go_back: bool) -> None:
    """Ask the database now if it answers, and else with the first connection, before anything in it is judged."""
    with app.app_context():
        engine = db.engine
        theirs = engine.dialect.name == "postgresql"
        if not may_go_back:
            look = _not_before_what_it_holds_nor_after_its_clock if theirs else _not_before_what_it_holds
            event.listen(engine, "connect", look)
        if theirs:
            app.extensions[_KEEPER] = agreement = Agreement()
            guard(engine, agreement)
        with contextlib.suppress(exc.SQLAlchemyError), engine.connect():
            pass


def agrees() -> bool:
    """For `/readyz`: a node whose clock is off redeems nothing and is taken out. SQLite has the clock of its machine."""
    agreement: Agreement | None = current_app.extensions.get(_KEEPER)
    if agreement is None:
        return True
    try:
        with reading() as tx:
            return agreement.apart(tx) <= MOST_APART
    except exc.SQLAlchemyError:
        return True  # then the database is down, and said to be


def wait(url: str, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Return as soon as this machine's clock and PostgreSQL's agree, or if it does not answer: before that nothing listens.

    Whoever asks meanwhile is refused the connection, and a proxy asks another node, for a POST too: none was begun.
    """
    engine = create_engine(url, poolclass=NullPool, connect_args=engine_options(url)["connect_args"])
    while engine.dialect.name == "postgresql":
        clock.begin_anew()
        try:
            with engine.connect() as tx:
                apart = Agreement().apart(tx)
        except exc.SQLAlchemyError:
            return
        if apart <= MOST_APART:
            return
        _log.error("this clock is too far from the database's: nothing is served until they agree")
        pause(WAIT_BETWEEN)


def watch(app: Flask) -> None:
    """In a worker of `idp serve` beside PostgreSQL: end the server when the clock is off. Started anew it waits until it agrees."""
    if _KEEPER in app.extensions and standing_by.is_served():
        threading.Thread(target=end_when_off, args=(app, standing_by.end_server), name="clock", daemon=True).start()


def end_when_off(app: Flask, end: Callable[[], None], *, pause: Callable[[float], None] = time.sleep) -> None:
    """Look each second; a clock that jumped ahead is never right again in a process, since it does not go back there."""
    pause(LOOK_EVERY)
    with app.app_context():
        while agrees():
            pause(LOOK_EVERY)
    _log.error("this clock is too far from the database's: the server ends, and waits when it is started anew")
    end()


def newest(connection: Any) -> datetime | None:
    """The newest moment that the database holds, by a connection of its driver; `None` in one that is empty or older."""
    cursor = connection.cursor()
    try:
        cursor.execute(NEWEST)
        found = cursor.fetchone()[0]
    except Exception as error:  # each driver has its own kind
        if type(error).__name__ not in {"UndefinedTable", "UndefinedColumn"} and "no such" not in str(error):
            raise
        found = None
    finally:
        cursor.close()
        connection.rollback()
    moment = datetime.fromisoformat(found) if isinstance(found, str) else found
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _not_before_what_it_holds(connection: Any, _record: object) -> None:
    if moment := newest(connection):
        clock.not_before(moment)


def _not_before_what_it_holds_nor_after_its_clock(connection: Any, _record: object) -> None:
    """One node whose clock leapt writes such moments: no other node follows it beyond PostgreSQL's own clock."""
    if moment := newest(connection):
        there: datetime = connection.execute("SELECT clock_timestamp()").fetchone()[0]
        connection.rollback()
        clock.not_before(min(moment, there))
