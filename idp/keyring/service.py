"""The keys of a running node: `Keyring` answers which key signs, which are accepted and which bytes are published."""

import hmac
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from idp.foundation import clock, jwe, jwk
from idp.foundation.algorithms import Alg
from idp.foundation.jose import SigningKey
from idp.foundation.jwe import DecryptionKey
from idp.foundation.jwk import VerificationKey
from idp.foundation.vault import SealingKeys
from idp.keyring import folder, rules
from idp.keyring.folder import Entry, Fingerprint, KeysUnusable, Loaded
from idp.keyring.rules import KeyFile, State, Use

LOOK_EVERY: Final = 1.0
"""Seconds between looks at the folder."""
SETTLED_BEFORE: Final = 0.1
"""Seconds before the next look is due in which nobody who must not wait should ask."""
RETRY_EVERY: Final = 15.0
"""Seconds between attempts to read a broken folder in which nothing changes."""
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """A key beside the moment that it was made, from which its certificate counts."""

    key: SigningKey
    since: datetime


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """One picture of the folder, never changed, replaced as a whole."""

    signing: Mapping[str, SigningKey]
    verification: Mapping[str, VerificationKey]
    jwks: bytes
    vault: SealingKeys
    index: bytes = field(repr=False)
    upstream: Mapping[Use, "Upstream"] = field(default_factory=dict)
    push: Mapping[str, SigningKey] = field(default_factory=dict)
    """Every push key by `kid`, the active one first."""
    encryption: "tuple[Opening, ...]" = ()


@dataclass(frozen=True, slots=True)
class Upstream:
    """Keys that providers of sign-in elsewhere know us by: the one that signs, and the public halves they are shown."""

    key: SigningKey
    jwks: bytes
    keys: Mapping[str, SigningKey]
    """What signs, by algorithm; `key` is the one that signs where nobody says otherwise."""
    shown: tuple[Shown, ...]
    """Active and next, oldest first: what a provider may learn before it is used."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A key that opens, its file, and what may be published of it."""

    file: KeyFile
    key: DecryptionKey
    public: Mapping[str, Any]


class Keyring:
    """The keys as this node knows them; it looks at the folder at most once a second and keeps what it has when
    the folder is broken (R-21). Safe to share between threads."""

    def __init__(self, path: Path, *, production: bool, read_clock: Callable[[], datetime]) -> None:
        self._path = path
        self._production = production
        self._read_clock = read_clock
        self._looking = threading.Lock()
        self._derived: dict[str, bytes] = {}
        self._complained: str | None = None
        self._broken: Fingerprint | None = None
        self._retry_at = 0.0
        self._fingerprint: Fingerprint
        self._loaded: tuple[Loaded, ...] = ()
        self._known: Mapping[Entry, Loaded] = {}
        self._snapshot: _Snapshot
        self._looked = time.monotonic()
        self._load()

    @classmethod
    def open(cls, path: Path | str, *, production: bool, read_clock: Callable[[], datetime] = clock.now) -> "Keyring":
        """The keyring over a sound folder; `KeysUnusable` lists everything that is wrong with it."""
        return cls(Path(path), production=production, read_clock=read_clock)

    def signing(self, alg: str) -> SigningKey:
        """The active key of `alg`; `KeyError` when the folder holds none, which a manifest's check must prevent."""
        return self._current().signing[alg]

    @property
    def algs(self) -> frozenset[str]:
        """The algorithms that can be signed with now, for discovery and manifests."""
        return frozenset(self._current().signing)

    def verification_keys(self) -> Mapping[str, VerificationKey]:
        """Every published key by `kid`: active, next, and retired for as long as their tokens may live."""
        return self._current().verification

    def jwks(self) -> bytes:
        """The JWK set document (RFC 7517 §5), prebuilt; public members only (DI-06)."""
        return self._current().jwks

    @property
    def vault(self) -> SealingKeys:
        """The keys of the vault."""
        return self._current().vault

    @property
    def index(self) -> bytes:
        """The key of blind indexes and of short codes' digests; it never rotates by itself."""
        return self._current().index

    def upstream(self, use: Use) -> Upstream | None:
        """The keys of `Use.FEDERATION` or `Use.SAML`; `None` until `idp keys create` has made some."""
        return self._current().upstream.get(use)

    def decryption_keys(self) -> tuple[DecryptionKey, ...]:
        """What opens tokens that providers encrypted to us: the active keys, and the retired for as long as a provider
        may know no other."""
        now = self._read_clock()
        return tuple(each.key for each in self._current().encryption if rules.published(each.file, now=now))

    def encryption_jwks(self) -> tuple[Mapping[str, Any], ...]:
        """The public halves to encrypt to: the active ones alone, so that a rotation moves providers on."""
        shown = {file.kid for file in _newest(each.file for each in self._current().encryption) if file}
        return tuple(each.public for each in self._current().encryption if each.file.kid in shown)

    def push_key(self, kid: str | None = None) -> SigningKey | None:
        """The key that tells push services who sends (RFC 8292): the active one, or the one that a phone subscribed to."""
        keys = self._current().push
        return next(iter(keys.values()), None) if kid is None else keys.get(kid)

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one named purpose, the same on every node (HKDF-SHA256, RFC 5869, from the index key)."""
        index = self.index
        known = self._derived.get(purpose)
        if known is None:
            extracted = hmac.digest(bytes(sha256().digest_size), index, "sha256")
            known = self._derived[purpose] = hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")
        return known

    @property
    def settled(self) -> bool:
        """Whether what is asked next is answered without a look at the folder."""
        return time.monotonic() - self._looked < LOOK_EVERY - SETTLED_BEFORE

    def renew(self) -> None:
        """Look at the folder ahead of time, for those who ask only while it is `settled`."""
        if time.monotonic() - self._looked >= LOOK_EVERY / 3 and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()

    def _current(self) -> _Snapshot:
        if time.monotonic() - self._looked >= LOOK_EVERY and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._snapshot

    def _look(self) -> None:
        self._looked = time.monotonic()
        seen: Fingerprint | None = None
        try:
            seen = folder.fingerprint(self._path)
            if seen == self._broken and self._looked < self._retry_at:
                return
            if seen != self._fingerprint:
                self._load()
            elif not self._live().issuperset(self._snapshot.verification):
                self._snapshot = self._picture(self._loaded)
            self._complained = self._broken = None
        except (KeysUnusable, OSError) as error:
            said = str(error) if isinstance(error, KeysUnusable) else "the folder cannot be read"
            if said != self._complained:
                _log.error("the keys' folder is broken, keeping the keys we have: %s", said)
            self._complained, self._broken, self._retry_at = said, seen, self._looked + RETRY_EVERY

    def _load(self) -> None:
        fingerprint, loaded = folder.load(self._path, known=self._known)
        wrong = rules.problems([key.file for key in loaded], production=self._production)
        if wrong:
            raise KeysUnusable(wrong)
        snapshot = self._picture(loaded)
        if getattr(self, "_snapshot", None) is None or snapshot.index != self._snapshot.index:
            self._derived = {}
        self._fingerprint, self._loaded, self._snapshot = fingerprint, loaded, snapshot
        self._known = folder.entries(fingerprint, loaded)

    def _live(self) -> frozenset[str]:
        now = self._read_clock()
        return frozenset(key.file.kid for key in self._loaded if rules.published(key.file, now=now))

    def _picture(self, loaded: tuple[Loaded, ...]) -> _Snapshot:
        now = self._read_clock()
        shown = [key for key in loaded if key.file.use is Use.SIGNING and rules.published(key.file, now=now)]
        documents = [jwk.public_members(key.members) for key in shown]
        read = [key for key in map(jwk.read_public, documents) if key is not None]
        vault = {key.file.kid: key.secret for key in loaded if key.file.use is Use.VAULT}
        return _Snapshot(
            signing={str(key.file.alg): _signing_key(key) for key in _active(loaded, Use.SIGNING)},
            verification={str(key.kid): key for key in read},
            jwks=orjson.dumps({"keys": documents}),
            vault=SealingKeys.of(
                active=_active(loaded, Use.VAULT)[0].file.kid,
                keys={kid: secret for kid, secret in vault.items() if isinstance(secret, bytes)},
            ),
            index=_octets(_active(loaded, Use.INDEX)[0]),
            upstream={use: _upstream(loaded, use) for use in (Use.FEDERATION, Use.SAML) if _active(loaded, use)},
            encryption=tuple(
                Opening(key.file, jwe.read_private(key.members), jwe.public_members(key.members))
                for key in loaded
                if key.file.use is Use.ENCRYPTION and key.file.state is not State.NEXT
            ),
            push={key.file.kid: _signing_key(key) for key in (*_active(loaded, Use.PUSH), *_former(loaded, Use.PUSH))},
        )


def _active(loaded: tuple[Loaded, ...], use: Use) -> list[Loaded]:
    """The newest active key of each algorithm of this use."""
    chosen = _newest(key.file for key in loaded if key.file.use is use)
    return [key for key in loaded if key.file in chosen]


def _newest(files: Iterable[KeyFile]) -> set[KeyFile | None]:
    active = [file for file in files if file.state is State.ACTIVE]
    return {rules.newest(file for file in active if file.alg == alg) for alg in {file.alg for file in active}}


def _upstream(loaded: tuple[Loaded, ...], use: Use) -> Upstream:
    """A retired key is shown no longer: what it signed was for the moment."""
    known = [key for key in loaded if key.file.use is use and key.file.state is not State.RETIRED]
    known.sort(key=lambda key: (key.file.created_at, key.file.kid))
    keys = {str(key.file.alg): _signing_key(key) for key in _active(loaded, use)}
    return Upstream(
        key=keys[min(keys)],  # ES256 before RS256
        keys=keys,
        jwks=orjson.dumps({"keys": [jwk.public_members(key.members) for key in known]}),
        shown=tuple(Shown(_signing_key(key), key.file.created_at) for key in known),
    )


def _former(loaded: tuple[Loaded, ...], use: Use) -> list[Loaded]:
    """The retired keys of this use."""
    return [key for key in loaded if key.file.use is use and key.file.state is State.RETIRED]


def _signing_key(key: Loaded) -> SigningKey:
    if isinstance(key.secret, bytes):
        raise TypeError("a signing key is not symmetric")
    return SigningKey(key.file.kid, Alg(str(key.file.alg)), key.secret)


def _octets(key: Loaded) -> bytes:
    if not isinstance(key.secret, bytes):
        raise TypeError("an index key is symmetric")
    return key.secret
