"""Upstream providers' documents and keys, as one process knows them.

Both are fetched again when they are an hour old; a key that a token names and we lack is looked for at once, but never
twice within a minute. A provider that is down costs nothing for a day: what we have stays usable; one that was never
reached is not asked again for a minute (R-17). A document that does not fit closes the connection until it does (FE-07).
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from idp.federation.connections.manifest import Connection, Oidc
from idp.federation.rules import Reason
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
        kept = self._of(connection.issuer)
        if kept.document_at is None or now - kept.document_at >= FRESH:
            self._fetch_document(kept, now=now)
        if kept.document is None or kept.document_at is None or now - kept.document_at >= USABLE:
            return Failed(Reason.UNREACHABLE, Wrong.UNREACHABLE)
        settings = house.get(Settings)
        ground = Ground(loopback=settings.demo, outgoing_allow=settings.outgoing_allow)
        read = metadata_of(
            kept.document, issuer=connection.issuer, method=_oidc(connection).client_authentication, ground=ground
        )
        return Failed(Reason.UNFIT_METADATA, read) if isinstance(read, Wrong) else read

    def verify(
        self, token: str, *, purpose: Purpose, connection: Connection, metadata: Metadata, now: datetime
    ) -> Mapping[str, Any] | Refused:
        """The claims of a token that this provider signed for us, by its keys and the connection's algorithms."""
        kept = self._of(connection.issuer)
        judged = self._judge(token, self._keys(kept, metadata, now=now), purpose, connection, now=now)
        if not isinstance(judged, Refused) or judged.reason not in _PERHAPS_ROTATED:
            return judged
        known = kept.keys
        self._fetch_keys(kept, metadata, now=now)
        return judged if kept.keys is known else self._judge(token, kept.keys, purpose, connection, now=now)

    def keys(self, connection: Connection, metadata: Metadata, *, now: datetime) -> tuple[VerificationKey, ...]:
        """Its usable keys; none when it has none or has not answered for a day."""
        return self._keys(self._of(connection.issuer), metadata, now=now)

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

    def _keys(self, kept: _Kept, metadata: Metadata, *, now: datetime) -> tuple[VerificationKey, ...]:
        if kept.keys_uri != metadata.jwks_uri or kept.keys_at is None or now - kept.keys_at >= FRESH:
            self._fetch_keys(kept, metadata, now=now)
        return kept.keys if kept.keys_at is not None and now - kept.keys_at < USABLE else ()

    def _of(self, issuer: str) -> _Kept:
        with self._guard:
            return self._kept.setdefault(issuer, _Kept(issuer))

    def _fetch_document(self, kept: _Kept, *, now: datetime) -> None:
        if not kept.lock.acquire(blocking=kept.document is None):
            return
        try:
            if kept.document_tried is not None and now - kept.document_tried < PAUSE:
                return
            kept.document_tried = now
            found = _json(
                house.get(Outgoing).get(kept.issuer.rstrip("/") + WELL_KNOWN, purpose=Errand.UPSTREAM_METADATA)
            )
            if isinstance(found, Mapping):
                kept.document, kept.document_at = found, now
        finally:
            kept.lock.release()

    def _fetch_keys(self, kept: _Kept, metadata: Metadata, *, now: datetime) -> None:
        """Fetch unless somebody did, or is doing so, within the pause; a failure changes nothing but the pause."""
        if not kept.lock.acquire(blocking=not kept.keys):
            return
        try:
            same = kept.keys_uri == metadata.jwks_uri
            if same and kept.keys_tried is not None and now - kept.keys_tried < PAUSE:
                return
            kept.keys_tried = now
            keys = jwk.read_set(_json(house.get(Outgoing).get(metadata.jwks_uri, purpose=Errand.JWKS_URI)))
            if keys:
                kept.keys, kept.keys_at, kept.keys_uri = keys, now, metadata.jwks_uri
        finally:
            kept.lock.release()


def providers() -> Providers:
    """The running application's."""
    return house.get_or_make(Providers)


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
