"""How often something may be tried: attempt budgets in SQL, requests per address in Redis or SQL (SECURITY D7, ruling 7).

An attempt is *reserved* before anything is verified, by one statement: fifty at once are counted fifty (RA-14). Losing
Redis gives nobody a further attempt: budgets never live there, and request counts fall back to SQL (SI-10, R-06..R-08).
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    Index,
    LargeBinary,
    String,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.foundation import house
from idp.foundation.database import Model, UtcDateTime, counting
from idp.foundation.prepared import prepared
from idp.foundation.store import Store
from idp.vocabulary.refused import Refused


class Reason(StrEnum):
    """Why an attempt may not be made now."""

    TOO_MANY = "too_many"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Throttled(Refused):
    """A refusal that says when to come back; `None`: not by waiting (a password reset ends it)."""

    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """`limit` attempts within `window`, then a pause of `lock_first`, doubling up to `lock_max`.

    The doubling is forgotten `lock_max` after the last pause. `ever` bounds consecutive failures whatever time
    passes between them (SP 800-63B-4 §3.2.2); only `forgive` ends that.
    """

    name: str
    limit: int
    window: timedelta
    lock_first: timedelta
    lock_max: timedelta
    ever: int | None = None

    def pauses(self) -> list[timedelta]:
        """First pause, second, … up to the longest."""
        found = [self.lock_first]
        while found[-1] < self.lock_max:
            found.append(min(found[-1] * 2, self.lock_max))
        return found


class AttemptBudget(Model):
    """Failures counted against one account, credential, letter, TIN, or against all."""

    __tablename__ = "attempt_budget"
    __table_args__ = (Index("ix_attempt_budget_updated_at", "updated_at"),)

    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int]
    """Since `since`."""
    consecutive: Mapped[int]
    """Since the last success, however long ago."""
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    locks: Mapped[int]
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lasting: Mapped[bool]
    """Its budget counts consecutive failures for ever: silence does not purge it."""
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RequestCount(Model):
    """Requests of one address in one window, where Redis does not count them."""

    __tablename__ = "request_count"
    __table_args__ = (Index("ix_request_count_ends_at", "ends_at"),)

    bucket: Mapped[str] = mapped_column(String(48), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    requests: Mapped[int]


_budgets: Table = AttemptBudget.__table__  # type: ignore[assignment]
_counts: Table = RequestCount.__table__  # type: ignore[assignment]
QUIET: Final = timedelta(days=2)
QUIET_LASTING: Final = timedelta(days=365)
_of_key = and_(_budgets.c.name == bindparam("of_name"), _budgets.c.digest == bindparam("of_key"))
_STANDS: Final = prepared(select(_budgets.c.consecutive, _budgets.c.locked_until).where(_of_key))
_FORGIVE: Final = prepared(delete(_budgets).where(_of_key))
_GIVE_BACK: Final = prepared(
    update(_budgets)
    .where(_of_key)
    .values(
        failures=case((_budgets.c.failures > 0, _budgets.c.failures - 1), else_=0),
        consecutive=case((_budgets.c.consecutive > 0, _budgets.c.consecutive - 1), else_=0),
        locked_until=case((_budgets.c.failures == bindparam("limit"), None), else_=_budgets.c.locked_until),
        updated_at=bindparam("now"),
    )
)
_EPOCH: Final = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


def _digest(name: str, key: str) -> bytes:
    return hashlib.sha256(f"{name}\x00{key}".encode("utf-8", "surrogatepass")).digest()


@cache  # as many as there are budgets: what is prepared stays with the dialect anyway
def _reserving(budget: Budget, dialect: str) -> Any:
    """The one statement that counts an attempt; built once a budget, since building costs ten times its running."""
    c, now = _budgets.c, bindparam("now", type_=UtcDateTime())
    pauses = budget.pauses()
    starts_anew = or_(c.failures >= budget.limit, c.since <= bindparam("window_began", type_=UtcDateTime()))
    failures = case((starts_anew, 1), else_=c.failures + 1)
    locks = case((c.locked_until <= bindparam("forgotten", type_=UtcDateTime()), 0), else_=c.locks)
    ends = [bindparam(f"end{number}", type_=UtcDateTime()) for number, _ in enumerate(pauses)]
    locked = case(*((locks == number, end) for number, end in enumerate(ends)), else_=ends[-1])
    values = {
        c.failures: failures,
        c.consecutive: c.consecutive + 1,
        c.since: case((starts_anew, now), else_=c.since),
        c.locks: case((failures >= budget.limit, locks + 1), else_=locks),
        c.locked_until: case((failures >= budget.limit, locked), else_=c.locked_until),
        c.updated_at: now,
    }
    open_now = or_(c.locked_until.is_(None), c.locked_until <= now)
    if budget.ever is not None:
        open_now = and_(open_now, c.consecutive < budget.ever)
    full_at_once = budget.limit <= 1
    first = {
        "name": budget.name,
        "digest": bindparam("of_key"),
        "failures": 1,
        "consecutive": 1,
        "since": now,
        "locks": 1 if full_at_once else 0,
        "locked_until": ends[0] if full_at_once else None,
        "lasting": budget.ever is not None,
        "updated_at": now,
    }
    return prepared(
        _inserting(_budgets, dialect)
        .values(**first)
        .on_conflict_do_update(index_elements=[c.name, c.digest], set_=values, where=open_now)
        .returning(c.failures)
    )


def _inserting(table: Table, dialect: str) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def reserve(tx: Session, *, budget: Budget, key: str, now: datetime) -> int | Refused:
    """Count an attempt before it is verified; returns its number within the window, or `Throttled`.

    Commit before verifying. `key` is the canonical identity (a subject id; for a TIN or typed name its HMAC):
    every spelling of one account must give one key (SI-06).
    """
    moments = {"now": now, "window_began": now - budget.window, "forgotten": now - budget.lock_max}
    ends = {f"end{number}": now + pause for number, pause in enumerate(budget.pauses())}
    statement = _reserving(budget, tx.get_bind().dialect.name)
    counted = tx.execute(statement, {"of_key": _digest(budget.name, key), **moments, **ends}).scalar_one_or_none()
    return counted if counted is not None else _refusal(tx, budget=budget, key=key, now=now)


def state(tx: Session, *, budget: Budget, key: str, now: datetime) -> Throttled | None:
    """Whether an attempt would be refused now; counts nothing."""
    refusal = _refusal(tx, budget=budget, key=key, now=now)
    return None if refusal.retry_after == timedelta(0) else refusal


def _refusal(tx: Session, *, budget: Budget, key: str, now: datetime) -> Throttled:
    row = tx.execute(_STANDS, {"of_name": budget.name, "of_key": _digest(budget.name, key)}).one_or_none()
    if row is not None and budget.ever is not None and row.consecutive >= budget.ever:
        return Throttled(Reason.EXHAUSTED)
    until = now if row is None or row.locked_until is None else row.locked_until
    return Throttled(Reason.TOO_MANY, max(until - now, timedelta(0)))


def forgive(tx: Session, *, budget: Budget, key: str, now: datetime) -> None:
    """After success, or a completed reset: nothing is held against `key` any more.

    Only for what the success proves. A budget shared with others (global, address) gets `give_back`, or an
    attacker would clear it by signing in as themselves (SI-08).
    """
    tx.execute(_FORGIVE, {"of_name": budget.name, "of_key": _digest(budget.name, key)})


def give_back(tx: Session, *, budget: Budget, key: str, now: datetime) -> None:
    """After success against a shared budget: the one attempt reserved was no failure."""
    given = {"of_name": budget.name, "of_key": _digest(budget.name, key), "limit": budget.limit, "now": now}
    tx.execute(_GIVE_BACK, given)


def count_request(
    bucket: str, *, address: str, limit: int, window: timedelta, now: datetime, store: Store | None = None
) -> bool:
    """Whether this address may still ask in this window; counted in Redis, or in SQL without it. Never unlimited.

    The SQL count is a transaction of its own, before those of the request.
    """
    who = network_of(address)
    ends_at = _EPOCH + window * ((now - _EPOCH) // window + 1)
    key = f"requests:{bucket}:{_digest(bucket, who).hex()[:32]}:{int(ends_at.timestamp())}"
    counted = (store or house.get(Store)).count(key, lifetime=window)
    if counted is None:
        counted = _count_in_sql(bucket, digest=_digest(bucket, who), ends_at=ends_at)
    return counted <= limit


def _count_in_sql(bucket: str, *, digest: bytes, ends_at: datetime) -> int:
    with counting() as tx:
        statement = _counting(tx.dialect.name)
        counted: int = tx.execute(statement, {"bucket": bucket, "digest": digest, "ends_at": ends_at}).scalar_one()
        return counted


@lru_cache(maxsize=4)
def _counting(dialect: str) -> Any:
    return prepared(
        _inserting(_counts, dialect)
        .values(requests=1)
        .on_conflict_do_update(
            index_elements=[_counts.c.bucket, _counts.c.digest, _counts.c.ends_at],
            set_={_counts.c.requests: _counts.c.requests + 1},
        )
        .returning(_counts.c.requests)
    )


def network_of(address: str) -> str:
    """What counts as one address: IPv4 itself, IPv6 by its /64, a mapped IPv4 as IPv4."""
    try:
        parsed = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def purge(tx: Session, *, now: datetime, batch: int = 1000) -> int:
    """Delete a small batch of counts that no longer matter; says how many went.

    A budget that counts for ever outlives two days' silence; a year's silence ends it too, or names that nobody
    has would fill the table.
    """
    c = _budgets.c
    quiet_since = func.coalesce(c.locked_until, c.updated_at)
    idle = (
        select(c.name, c.digest)
        .where(
            c.updated_at < now - QUIET,
            quiet_since < case((c.lasting, now - QUIET_LASTING), else_=now - QUIET),
        )
        .limit(batch)
    )
    past = select(_counts.c.bucket, _counts.c.digest, _counts.c.ends_at).where(_counts.c.ends_at < now).limit(batch)
    return _delete_keys(tx, _budgets, idle) + _delete_keys(tx, _counts, past)


def _delete_keys(tx: Session, table: Table, keys: Any) -> int:
    doomed = tuple_(*table.primary_key.columns).in_(keys)
    return tx.execute(delete(table).where(doomed)).rowcount  # type: ignore[attr-defined, no-any-return]
