"""Relying parties parsed once a process, at most a second behind the database (DESIGN §8, SECURITY R-13)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.foundation import house
from idp.foundation.database import Rows, reading
from idp.foundation.store import Store
from idp.relying_parties import stored
from idp.relying_parties.models import Client, ClientSecret, ClientsVersion
from idp.relying_parties.rules import RelyingParty, origins_of

STALE_AFTER: Final = timedelta(seconds=1)
HINT_AFTER: Final = timedelta(milliseconds=100)
"""How often to ask the store, where there is one, whether another node published a newer version."""
TOPIC: Final = "clients"
THE_ROW: Final = 1
_clients = Client.__table__


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All clients at one version; replaced as a whole, so that readers need no lock."""

    version: int
    checked_at: datetime
    hinted_at: datetime
    parties: Mapping[str, RelyingParty] = field(default_factory=dict)
    origins: frozenset[str] = frozenset()
    changes_at: Mapping[str, datetime] = field(default_factory=dict)
    """When a client's next secret expires: nothing in the database changes at that moment."""

    def fresh(self, now: datetime) -> bool:
        """Whether it may be used without asking; a clock that stepped back asks (R-19)."""
        return timedelta(0) <= now - self.checked_at < STALE_AFTER

    def hears(self, now: datetime) -> bool:
        """Whether it is time to ask the store for a hint."""
        return not timedelta(0) <= now - self.hinted_at < HINT_AFTER

    def expired(self, now: datetime) -> frozenset[str]:
        """Clients that hold a secret which is over by now."""
        return frozenset(client_id for client_id, moment in self.changes_at.items() if moment <= now)


class Cache:
    """One process's snapshot of one database."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._turn = 0
        self._turning = Lock()
        self._reloading = Lock()

    def at(self, now: datetime) -> Snapshot:
        """The clients as they were at most a second ago."""
        turn, snapshot = self._turn, self._snapshot
        if snapshot is not None and snapshot.fresh(now):
            if not snapshot.hears(now):
                return snapshot
            if (_published() or 0) <= snapshot.version:
                return self._keep(replace(snapshot, hinted_at=now), turn)
        return self._look(snapshot, now, turn)

    def held(self, now: datetime) -> Snapshot | None:
        """What `at` gave last, if it may still be used without asking anybody: it never waits."""
        snapshot = self._snapshot
        return snapshot if snapshot is not None and snapshot.fresh(now) else None

    def renew(self, now: datetime) -> None:
        """Look again before the second is over, for those who use only what is `held`."""
        turn, snapshot = self._turn, self._snapshot
        self._look(snapshot, now, turn)

    def _look(self, snapshot: Snapshot | None, now: datetime, turn: int) -> Snapshot:
        with reading() as tx:
            version = version_of(tx)
            if snapshot is not None and snapshot.version == version and not snapshot.expired(now):
                return self._keep(replace(snapshot, checked_at=now, hinted_at=now), turn)
            with self._reloading:
                return self._keep(_load(tx, version=version, now=now, known=self._snapshot), turn)

    def invalidate(self) -> None:
        """Ask the database at the next look."""
        with self._turning:
            self._turn += 1
            if self._snapshot is not None:
                self._snapshot = replace(self._snapshot, checked_at=_LONG_AGO)

    def forget(self) -> None:
        """Hold nothing, as a new process would."""
        with self._turning:
            self._turn += 1
            self._snapshot = None

    def _keep(self, snapshot: Snapshot, turn: int) -> Snapshot:
        """For everybody, unless something was kept or invalidated since the look began: it may have seen less."""
        with self._turning:
            if self._turn == turn:
                self._turn += 1
                self._snapshot = snapshot
        return snapshot


_LONG_AGO: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def current() -> Cache:
    """The cache of the running application."""
    return house.get_or_make(Cache)


def _published() -> int | None:
    store = house.get(Store)
    return store.latest(TOPIC) if store.configured else None


def version_of(tx: Session) -> int:
    """The number that every change of a client raises; 0 before the first."""
    return tx.execute(select(ClientsVersion.version).where(ClientsVersion.id == THE_ROW)).scalar_one_or_none() or 0


def read_parties(
    tx: Rows, *, now: datetime, only: Iterable[str] | None = None
) -> tuple[dict[str, RelyingParty], dict[str, datetime]]:
    """Clients as the database has them (all, or `only` these), and when each one's next secret expires.

    Rows come first: what another node commits between the two statements (PostgreSQL shows each its own moment) then
    gives the former version with newer secrets, which the next look mends. The new version with former secrets would stay.
    """
    rows = select(_clients).order_by(_clients.c.client_id)
    secrets = select(ClientSecret.client_id, ClientSecret.digest, ClientSecret.expires_at).order_by(ClientSecret.id)
    if only is not None:
        wanted = list(only)
        rows, secrets = rows.where(_clients.c.client_id.in_(wanted)), secrets.where(ClientSecret.client_id.in_(wanted))
    found = tx.execute(rows).all()
    digests: dict[str, list[bytes]] = {}
    ends: dict[str, datetime] = {}
    for client_id, digest, expires_at in tx.execute(secrets):
        if expires_at is not None and expires_at <= now:
            continue
        digests.setdefault(client_id, []).append(bytes(digest))
        if expires_at is not None:
            ends[client_id] = min(ends.get(client_id, expires_at), expires_at)
    parties = {
        row.client_id: RelyingParty(
            client_id=row.client_id,
            manifest=stored.from_row(row.manifest, client_id=row.client_id),
            epoch=row.epoch,
            enabled=row.enabled,
            secret_digests=tuple(digests.get(row.client_id, ())),
            texts=dict(row.texts),
            version=row.version,
        )
        for row in found
    }
    return parties, ends


def _load(tx: Session, *, version: int, now: datetime, known: Snapshot | None) -> Snapshot:
    """A new snapshot; clients whose own version stands still are not parsed again."""
    if known is None:
        parties, ends = read_parties(tx, now=now)
        return Snapshot(version, now, now, parties, origins_of(parties.values()), ends)
    versions = {row.client_id: row.version for row in tx.execute(select(Client.client_id, Client.version))}
    over = known.expired(now)
    same = {
        client_id: party
        for client_id, party in known.parties.items()
        if versions.get(client_id) == party.version and client_id not in over
    }
    changed, ends = read_parties(tx, now=now, only=versions.keys() - same.keys())
    parties = same | changed
    kept = {client_id: moment for client_id, moment in known.changes_at.items() if client_id in same}
    return Snapshot(version, now, now, parties, origins_of(parties.values()), kept | ends)
