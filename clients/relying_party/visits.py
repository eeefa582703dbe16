"""Browser sessions of one relying party, in the memory of its one process.

The browser holds an opaque cookie; tokens stay here, where a back-channel logout can end them. A portal with several
processes would keep the same rows in a database. Idle and absolute limits are read at each use.
"""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

MOST_VISITS: Final = 10_000
MOST_PENDING: Final = 10
LONGEST_VISIT: Final = timedelta(hours=12)
PENDING_LIFETIME: Final = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that this browser asked for, not answered yet."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    target: str
    asked_at: datetime
    fresh: bool


@dataclass(slots=True)
class SignedIn:
    """Who signed in, for whom they act, and the tokens that say so."""

    id_token: str = field(repr=False)
    id_claims: Mapping[str, Any]
    access_token: str = field(repr=False)
    expires_at: datetime
    nonce: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    userinfo: Mapping[str, Any] = field(default_factory=dict)
    asked_afresh: bool = False
    """Whether this sign-in answered a request for a fresh one."""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Held while refreshing: two threads with one refresh token would look like a thief."""

    @property
    def claims(self) -> dict[str, Any]:
        """All we know of the person; UserInfo is the newer source."""
        return {**self.id_claims, **self.userinfo}

    @property
    def entitlements(self) -> frozenset[str]:
        return frozenset(self.claims.get("entitlements", ()))


@dataclass(slots=True)
class Visit:
    """One browser's session; `signed_in` is `None` until it is somebody's."""

    key: str = field(repr=False)
    began: datetime
    seen: datetime
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    pending: dict[str, Pending] = field(default_factory=dict, repr=False)
    signed_in: SignedIn | None = None
    leaving: str | None = field(default=None, repr=False)
    """The `state` of a sign-out everywhere that is under way."""


class Visits:
    """All visits of this process."""

    def __init__(self, *, idle: timedelta) -> None:
        self._idle = idle
        self._visits: dict[str, Visit] = {}
        self._seen_jti: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def find(self, key: str | None, *, now: datetime) -> Visit | None:
        """The live visit of that cookie; a dead one is forgotten."""
        with self._lock:
            visit = self._visits.get(key or "")
            if visit is None:
                return None
            if now - visit.seen > self._idle or now - visit.began > LONGEST_VISIT:
                del self._visits[visit.key]
                return None
            visit.seen = now
            return visit

    def begin(self, *, now: datetime) -> Visit:
        visit = Visit(key=secrets.token_urlsafe(32), began=now, seen=now)
        with self._lock:
            while len(self._visits) >= MOST_VISITS:
                del self._visits[next(iter(self._visits))]
            self._visits[visit.key] = visit
        return visit

    def sign_in(self, old: Visit, *, signed_in: SignedIn, now: datetime) -> Visit:
        """A new visit under a new key, so that a cookie planted before the sign-in is worth nothing after it."""
        new = self.begin(now=now)
        new.signed_in, new.pending = signed_in, old.pending
        self.end(old)
        return new

    def end(self, visit: Visit) -> None:
        with self._lock:
            self._visits.pop(visit.key, None)

    def ask(self, visit: Visit, *, state: str, pending: Pending) -> None:
        with self._lock:
            while len(visit.pending) >= MOST_PENDING:
                del visit.pending[next(iter(visit.pending))]
            visit.pending[state] = pending

    def answered(self, visit: Visit, *, state: str, now: datetime) -> Pending | None:
        """The request that `state` answers; once, and only in the browser that made it."""
        with self._lock:
            pending = visit.pending.pop(state, None)
        return pending if pending is not None and now - pending.asked_at < PENDING_LIFETIME else None

    def end_by_logout(self, *, sid: str | None, sub: str | None) -> int:
        """Ends the visits that a logout token speaks of: that provider session, or without `sid` all of that person."""
        with self._lock:
            doomed = [visit.key for visit in self._visits.values() if _is_meant(visit, sid=sid, sub=sub)]
            for key in doomed:
                del self._visits[key]
        return len(doomed)

    def first_sight(self, jti: str, *, until: datetime, now: datetime) -> bool:
        """False for a logout token seen before (Back-Channel Logout §2.6, step 8)."""
        with self._lock:
            self._seen_jti = {key: end for key, end in self._seen_jti.items() if end > now}
            if jti in self._seen_jti:
                return False
            self._seen_jti[jti] = until
            return True


def _is_meant(visit: Visit, *, sid: str | None, sub: str | None) -> bool:
    if visit.signed_in is None:
        return False
    claims = visit.signed_in.id_claims
    if sid is not None and claims.get("sid") != sid:
        return False
    return sub is None or claims.get("sub") == sub
