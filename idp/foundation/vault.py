"""Sealing: AES-256-GCM for what must be read again, HMAC-SHA-256 for what must only be found again.

A sealed value is bound to its place by `context` ("table.column:row id") as associated data, so one moved to
another row does not open (ST-05). It carries the id of its key, so keys can rotate while old values stay readable.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_VERSION: Final = 1
_NONCE: Final = 12
_TAG: Final = 16


class Unopenable(Exception):
    """A sealed value that is damaged, belongs to another place, or whose key is gone: never an expected no."""


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """The key that seals now, and every key that may still open something."""

    active: str
    ciphers: Mapping[str, AESGCM] = field(repr=False)

    @classmethod
    def of(cls, *, active: str, keys: Mapping[str, bytes]) -> "SealingKeys":
        """`keys` by id, 256 bits each; the active one among them."""
        if active not in keys or any(len(key) != KEY_BYTES for key in keys.values()):
            raise ValueError("sealing keys have 256 bits and include the active one")
        return cls(active, {kid: AESGCM(key) for kid, key in keys.items()})


def seal(plain: bytes, *, keys: SealingKeys, context: str) -> bytes:
    """`plain` encrypted under the active key for this one place."""
    prefix = key_prefix(keys.active)
    nonce = secrets.token_bytes(_NONCE)
    return prefix + nonce + keys.ciphers[keys.active].encrypt(nonce, plain, prefix + context.encode())


def unseal(sealed: bytes, *, keys: SealingKeys, context: str) -> bytes:
    """The plain value; `Unopenable` when this is not what was sealed for `context`."""
    kid = key_of(sealed)
    cipher = keys.ciphers.get(kid)
    if cipher is None:
        raise Unopenable("its key is not in the vault")
    prefix = key_prefix(kid)
    nonce, box = sealed[len(prefix) : len(prefix) + _NONCE], sealed[len(prefix) + _NONCE :]
    if len(box) < _TAG:
        raise Unopenable("too short")
    try:
        return cipher.decrypt(nonce, box, prefix + context.encode())
    except InvalidTag as error:
        raise Unopenable("damaged, or sealed for another place") from error


def reseal(sealed: bytes, *, keys: SealingKeys, context: str) -> bytes | None:
    """The same value under the active key, or `None` when it is already under it."""
    if key_of(sealed) == keys.active:
        return None
    return seal(unseal(sealed, keys=keys, context=context), keys=keys, context=context)


def key_of(sealed: bytes) -> str:
    """The id of the key that a value is sealed with."""
    try:
        version, length = sealed[0], sealed[1]
        kid = sealed[2 : 2 + length].decode("ascii")
    except (IndexError, UnicodeDecodeError) as error:
        raise Unopenable("not a sealed value") from error
    if version != _VERSION or not length or len(kid) != length:
        raise Unopenable("not a sealed value")
    return kid


def blind_index(value: str, *, key: bytes, context: str) -> bytes:
    """32 bytes by which a sealed value is found: equal values of one context are equal, and nothing else shows.

    `context` is "table.column", the same for every row. The caller brings `value` into its one canonical form.
    """
    place = context.encode()
    return hmac.digest(key, len(place).to_bytes(2, "big") + place + value.encode(), "sha256")


def key_prefix(kid: str) -> bytes:
    """What every value that is sealed with this key begins with."""
    name = kid.encode("ascii")
    return bytes((_VERSION, len(name))) + name
