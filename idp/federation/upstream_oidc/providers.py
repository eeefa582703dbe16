"""Upstream providers' documents and keys, as one process knows them.

Both are fetched again when they are an hour old; a key that a token names and we lack is looked for at once, but never
twice within a minute. A provider that is down costs nothing for a day: what we
have stays usable. Nobody queues behind a fetch: who has nothing to go on with is told at once (R-17). A document that does not fit closes the connection until it does (FE-07).
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from idp.federation.connections.manifest import Connection, Oidc
from idp.federation.rules import Reason
from idp.federation.upstream_oidc.patience import patience
from idp.federation.upstream_oidc.rules import Metadata, Wrong, metadata_of
from idp.foundation import house, jose, jwk
from idp.foundation.jose import Purpose
from idp.foundation.jwk import VerificationKey
from idp.foundation.outgoing import Outgoing, Reply
from idp.foundation.outgoing import Purpose as Errand
from idp.relying_parties.faults import Ground
from idp.settings import Settings
from idp.vocabulary.refused import Refused

FRESH: Final = timedelta(hours=1)
USABLE: Final = timedelta(hours=24)
PAUSE: Final = timedelta(minutes=1)
WELL_KNOWN: Final = "/.well-known/openid-configuration"
_PERHAPS_ROTATED: Final = frozenset({jose.Reason.UNKNOWN_KEY, jose.Reason.SIGNATURE, jose.Reason.ALGORITHM})


@dataclass(frozen=True, slots=True)
class Failed(Refused):
    """A refusal that knows more than people are told: `wrong` is for the audit and for who tests the connection."""

    wrong: Wrong = Wrong.UNREACHABLE
    code: str | None = None
    """The provider's own error code, where it gave one that a specification knows."""


@dataclass(slots=True)
class _Kept:
    """What we have of one issuer; `lock` lets one thread fetch while others use what is there."""

    issuer: str
    document: Mapping[str, Any] | None = None
    document_at: datetime | None = None
    document_tried: datetime | None = None
    keys: tuple[VerificationKey, ...] = ()
    keys_uri: str = ""
    keys_at: datetime | None = None
    keys_tried: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Providers:
    """All upstream OpenID providers; found by `house.get_or_make`."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def metadata(self, connection: Connection, *, now: datetime) -> Metadata | Failed:
        """The provider's document as it may be used; may wait for its server, so never inside a transaction."""
        kept, told = self._of(connection.issuer), True
        if kept.document_at is None or now - kept.document_at >= FRESH:
            told = self._fetch_document(kept, now=now)
        if kept.document is None or kept.document_at is None or now - kept.document_at >= USABLE:
            return _none(told)
        settings = house.get(Settings)
        ground = Ground(loopback=settings.demo, outgoing_allow=settings.outgoing_allow)
        oidc = _oidc(connection)
        read = metadata_of(
            kept.document,
            issuer=connection.issuer,
            method=oidc.client_authentication,
            ground=ground,
            alg=oidc.assertion.alg,
        )
        return Failed(Reason.UNFIT_METADATA, read) if isinstance(read, Wrong) else read

    def verify(
        self, token: str, *, purpose: Purpose, connection: Connection, metadata: Metadata, now: datetime
    ) -> Mapping[str, Any] | Refused:
        """The claims of a token that this provider signed for us, by its keys and the connection's algorithms."""
        kept = self._of(connection.issuer)
        self._look_for_keys(kept, metadata, now=now)
        judged = self._judge(token, _usable(kept, now=now), purpose, connection, now=now)
        if not isinstance(judged, Refused) or judged.reason not in _PERHAPS_ROTATED:
            return judged
        known = kept.keys
        self._fetch_keys(kept, metadata, now=now)
        return judged if kept.keys is known else self._judge(token, kept.keys, purpose, connection, now=now)

    def lacks_keys(self, connection: Connection, metadata: Metadata, *, now: datetime) -> Failed | None:
        """Why nothing of it can be verified now: it has no usable key, or has not answered for a day; `None` when it can."""
        kept = self._of(connection.issuer)
        told = self._look_for_keys(kept, metadata, now=now)
        return None if _usable(kept, now=now) else _none(told)

    def forget(self) -> None:
        """Begin anew, with nothing fetched."""
        with self._guard:
            self._kept.clear()

    def forget_one(self, issuer: str) -> None:
        """Look again at once: for who tests a connection after mending it."""
        with self._guard:
            self._kept.pop(issuer, None)

    def _judge(
        self, token: str, keys: tuple[VerificationKey, ...], purpose: Purpose, connection: Connection, *, now: datetime
    ) -> Mapping[str, Any] | Refused:
        oidc = _oidc(connection)
        allowed = frozenset(oidc.id_token_algs)
        fitting = [VerificationKey(key.kid, key.algs & allowed, key.key) for key in keys if key.algs & allowed]
        return jose.verify(
            token, purpose=purpose, keys=fitting, issuer=connection.issuer, audience=oidc.client_id, now=now
        )

    def _look_for_keys(self, kept: _Kept, metadata: Metadata, *, now: datetime) -> bool:
        fresh = kept.keys_uri == metadata.jwks_uri and kept.keys_at is not None and now - kept.keys_at < FRESH
        return fresh or self._fetch_keys(kept, metadata, now=now)

    def _of(self, issuer: str) -> _Kept:
        with self._guard:
            return self._kept.setdefault(issuer, _Kept(issuer))

    def _fetch_document(self, kept: _Kept, *, now: datetime) -> bool:
        """Fetch unless somebody did within the pause; `False` when others are at it and this thread must not wait."""
        if not kept.lock.acquire(blocking=False):
            return False
        try:
            if kept.document_tried is not None and now - kept.document_tried < PAUSE:
                return True
            with patience().turn(kept.issuer) as mine:
                if not mine:
                    return False
                kept.document_tried = now
                url = kept.issuer.rstrip("/") + WELL_KNOWN
                found = _json(house.get(Outgoing).get(url, purpose=Errand.UPSTREAM_METADATA))
            if isinstance(found, Mapping):
                kept.document, kept.document_at = found, now
            return True
        finally:
            kept.lock.release()

    def _fetch_keys(self, kept: _Kept, metadata: Metadata, *, now: datetime) -> bool:
        """The same for the keys, at whatever address they are today; a failure changes nothing but the pause."""
        if not kept.lock.acquire(blocking=False):
            return False
        try:
            if kept.keys_tried is not None and now - kept.keys_tried < PAUSE:
                return True
            with patience().turn(kept.issuer) as mine:
                if not mine:
                    return False
                kept.keys_tried = now
                keys = jwk.read_set(_json(house.get(Outgoing).get(metadata.jwks_uri, purpose=Errand.JWKS_URI)))
            if keys:
                kept.keys, kept.keys_at, kept.keys_uri = keys, now, metadata.jwks_uri
            return True
        finally:
            kept.lock.release()


def providers() -> Providers:
    """The running application's."""
    return house.get_or_make(Providers)


def _usable(kept: _Kept, *, now: datetime) -> tuple[VerificationKey, ...]:
    return kept.keys if kept.keys_at is not None and now - kept.keys_at < USABLE else ()


def _none(told: bool) -> Failed:
    return Failed(Reason.UNREACHABLE, Wrong.UNREACHABLE) if told else Failed(Reason.BUSY, Wrong.BUSY)


def _oidc(connection: Connection) -> Oidc:
    assert connection.oidc is not None, "a connection of this protocol was checked to have it"
    return connection.oidc


def _json(reply: Reply | Refused) -> object:
    if isinstance(reply, Refused) or reply.status != 200:
        return None
    try:
        return orjson.loads(reply.body)
    except ValueError:
        return None
