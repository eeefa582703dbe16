"""Clients' public keys, from their manifest or their `jwks_uri`, and the assertions that they prove (RFC 7523).

A fetched set is kept. It is fetched again when it is an hour old or when an assertion names a key that it lacks, but
never twice within a minute, so nobody can make us hammer a client's server (PROTOCOL 21, DR-15). A server that is down
costs nothing for a day: the old keys stay usable (R-17).
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from idp.foundation import jose, jwk
from idp.foundation.jose import Purpose
from idp.foundation.jwk import VerificationKey
from idp.foundation.outgoing import Outgoing, Reply
from idp.foundation.outgoing import Purpose as Errand
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.refused import Refused

FRESH: Final = timedelta(hours=1)
USABLE: Final = timedelta(hours=24)
PAUSE: Final = timedelta(minutes=1)
_PERHAPS_ROTATED: Final = frozenset({jose.Reason.UNKNOWN_KEY, jose.Reason.SIGNATURE, jose.Reason.ALGORITHM})
"""A key without `kid` that was replaced shows only in a wrong signature."""


@dataclass(slots=True)
class _Kept:
    """What we have of one `jwks_uri`; `lock` lets one thread fetch while others use what is there."""

    uri: str
    keys: tuple[VerificationKey, ...] = ()
    fetched_at: datetime | None = None
    tried_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class ClientKeys:
    """The keys of all clients, as one process knows them."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._guard = threading.Lock()
        self._remote: dict[str, _Kept] = {}
        self._inline: dict[str, tuple[Mapping[str, Any], tuple[VerificationKey, ...]]] = {}

    def verify_assertion(
        self, token: str, *, party: RelyingParty, audience: str | Collection[str], now: datetime
    ) -> Mapping[str, Any] | Refused:
        """The claims of the client's own assertion; its `jti` is the caller's to redeem (TK-18).

        May wait for the client's server, so never call it inside a transaction.
        """
        judged = self._judge(token, self.keys_of(party, now=now), party=party, audience=audience, now=now)
        if not isinstance(judged, Refused) or judged.reason not in _PERHAPS_ROTATED:
            return judged
        again = self._fetched_again(party, now=now)
        return judged if again is None else self._judge(token, again, party=party, audience=audience, now=now)

    def keys_of(self, party: RelyingParty, *, now: datetime) -> tuple[VerificationKey, ...]:
        """The client's usable public keys; none when it has none or its server has not answered for a day."""
        registration = party.registration
        if registration.jwks is not None:
            return self._registered(party.client_id, registration.jwks)
        if registration.jwks_uri is None:
            return ()
        kept = self._kept(party.client_id, party.absolute(registration.jwks_uri))
        if kept.fetched_at is None or now - kept.fetched_at >= FRESH:
            self._fetch(kept, now=now)
        usable = kept.fetched_at is not None and now - kept.fetched_at < USABLE
        return kept.keys if usable else ()

    def forget(self) -> None:
        """Begin anew, with nothing fetched."""
        with self._guard:
            self._remote.clear()
            self._inline.clear()

    def _judge(
        self,
        token: str,
        keys: tuple[VerificationKey, ...],
        *,
        party: RelyingParty,
        audience: str | Collection[str],
        now: datetime,
    ) -> Mapping[str, Any] | Refused:
        return jose.verify(
            token, purpose=Purpose.CLIENT_ASSERTION, keys=keys, issuer=party.client_id, audience=audience, now=now
        )

    def _fetched_again(self, party: RelyingParty, *, now: datetime) -> tuple[VerificationKey, ...] | None:
        uri = party.registration.jwks_uri
        if uri is None or party.registration.jwks is not None:
            return None
        kept = self._kept(party.client_id, party.absolute(uri))
        known = kept.keys
        self._fetch(kept, now=now)
        return None if kept.keys is known else kept.keys

    def _registered(self, client_id: str, jwks: Mapping[str, Any]) -> tuple[VerificationKey, ...]:
        known = self._inline.get(client_id)
        if known is None or known[0] is not jwks:
            known = self._inline[client_id] = (jwks, jwk.read_set(jwks))
        return known[1]

    def _kept(self, client_id: str, uri: str) -> _Kept:
        with self._guard:
            kept = self._remote.get(client_id)
            if kept is None or kept.uri != uri:
                kept = self._remote[client_id] = _Kept(uri)
            return kept

    def _fetch(self, kept: _Kept, *, now: datetime) -> None:
        """Fetch unless somebody did, or is doing so, within the pause; a failure changes nothing but the pause."""
        if not kept.lock.acquire(blocking=not kept.keys):
            return
        try:
            if kept.tried_at is not None and now - kept.tried_at < PAUSE:
                return
            kept.tried_at = now
            reply = self._outgoing.get(kept.uri, purpose=Errand.JWKS_URI)
            keys = _read(reply) if isinstance(reply, Reply) and reply.status == 200 else ()
            if keys:
                kept.keys, kept.fetched_at = keys, now
        finally:
            kept.lock.release()


def _read(reply: Reply) -> tuple[VerificationKey, ...]:
    try:
        return jwk.read_set(orjson.loads(reply.body))
    except ValueError:
        return ()
