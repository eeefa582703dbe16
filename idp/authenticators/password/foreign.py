"""Password hashes that came from other systems: read, bounded, compared; replaced by argon2id at the first sign-in.

Taken are bcrypt, PBKDF2 as Django and passlib write it, SHA-512 crypt and salted SHA (`{SSHA}` …), each up to a cost
that one sign-in may take. What is fast is never kept as it came: argon2id goes over it when it is imported.
"""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.authenticators.password import sha512_crypt
from idp.vocabulary.refused import Refused

BCRYPT_COST: Final = 13
"""About half a second, like the other bounds; each step more doubles it."""
PBKDF2_ITERATIONS: Final = {"sha256": 2_000_000, "sha512": 1_000_000}
CRYPT_ROUNDS: Final = 700_000
FEWEST_ROUNDS: Final = 1_000
LONGEST: Final = 200
"""Longest text that is read as a hash; wrapped in argon2id it must fit the column."""
BCRYPT_READS: Final = 72
"""bcrypt reads no further: a longer password is never right, since its rest would not be compared (SI-16)."""

_BCRYPT: Final = re.compile(r"\$2[aby]\$(0[4-9]|[1-3][0-9])\$[./A-Za-z0-9]{53}\Z", re.ASCII)
_DJANGO: Final = re.compile(r"pbkdf2_(sha256|sha512)\$([0-9]{1,9})\$([^$\s]{1,64})\$([A-Za-z0-9+/]+={0,2})\Z", re.ASCII)
_PASSLIB: Final = re.compile(
    r"\$pbkdf2-(sha256|sha512)\$([0-9]{1,9})\$([A-Za-z0-9./]{1,86})\$([A-Za-z0-9./]+)\Z", re.ASCII
)
_CRYPT: Final = re.compile(r"\$6\$(?:rounds=([0-9]{1,9})\$)?([./A-Za-z0-9]{1,16})\$([./A-Za-z0-9]{86})\Z", re.ASCII)
_SALTED: Final = re.compile(r"\{(SSHA|SSHA256|SSHA512)\}([A-Za-z0-9+/]{28,150}={0,2})\Z", re.ASCII)
_WRAPPED: Final = re.compile(
    r"\{(SSHA|SSHA256|SSHA512)\}([A-Za-z0-9+/]{4,88}={0,2})(\$argon2id\$[!-~]{20,180})\Z", re.ASCII
)
_SALTED_BY: Final[Mapping[str, tuple[Callable[[bytes], "hashlib._Hash"], int]]] = {
    "SSHA": (hashlib.sha1, 20),
    "SSHA256": (hashlib.sha256, 32),
    "SSHA512": (hashlib.sha512, 64),
}


class Reason(StrEnum):
    """Why a hash of another system is not taken."""

    UNKNOWN_HASH = "unknown_hash"
    COSTLY_HASH = "costly_hash"
    CHEAP_HASH = "cheap_hash"


@dataclass(frozen=True, slots=True)
class Slow:
    """A hash that is kept as it came; `matches` does its bounded work."""

    matches: Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Fast:
    """A salted hash that is too fast to be kept: argon2id goes over `inner` (hexadecimal)."""

    scheme: str
    salt: str
    inner: str

    def wrapped(self, argon2id: str) -> str:
        """What is stored: the scheme and salt, and argon2id of the old hash."""
        return f"{{{self.scheme}}}{self.salt}{argon2id}"


def read(text: str) -> Slow | Fast | Refused:
    """One hash as another system wrote it, if it is of a known form and its work is bounded."""
    if len(text) > LONGEST:
        return Refused(Reason.UNKNOWN_HASH)
    for form, reading in _FORMS:
        if found := form.match(text):
            try:
                return reading(text, found)
            except (Error, ValueError):
                break
    return Refused(Reason.UNKNOWN_HASH)


def under_argon2(stored: str, plain: bytes) -> tuple[bytes, str] | None:
    """For a wrapped hash: what argon2id must be computed over, and the argon2id digest that it must give."""
    found = _WRAPPED.match(stored)
    if found is None:
        return None
    scheme, salt, argon2id = found.groups()
    digest, _ = _SALTED_BY[scheme]
    try:
        return digest(plain + b64decode(salt)).hexdigest().encode(), argon2id
    except Error:
        return None


def _bcrypt(text: str, found: re.Match[str]) -> Slow | Refused:
    if int(found[1]) > BCRYPT_COST:
        return Refused(Reason.COSTLY_HASH)

    def matches(plain: bytes) -> bool:
        # Loaded by the first such hash: most houses never have one.
        from bcrypt import checkpw

        return checkpw(plain[:BCRYPT_READS], text.encode()) and len(plain) <= BCRYPT_READS

    return Slow(matches)


def _pbkdf2(algorithm: str, rounds: int, salt: bytes, digest: bytes) -> Slow | Refused:
    refused = _beyond(rounds, most=PBKDF2_ITERATIONS[algorithm])
    if refused is not None:
        return refused
    if len(digest) != hashlib.new(algorithm).digest_size:
        return Refused(Reason.UNKNOWN_HASH)
    return Slow(lambda plain: hmac.compare_digest(hashlib.pbkdf2_hmac(algorithm, plain, salt, rounds), digest))


def _django(_text: str, found: re.Match[str]) -> Slow | Refused:
    return _pbkdf2(found[1], int(found[2]), found[3].encode(), b64decode(found[4], validate=True))


def _passlib(_text: str, found: re.Match[str]) -> Slow | Refused:
    return _pbkdf2(found[1], int(found[2]), _ab64(found[3]), _ab64(found[4]))


def _crypt(_text: str, found: re.Match[str]) -> Slow | Refused:
    rounds = int(found[1]) if found[1] else sha512_crypt.DEFAULT_ROUNDS
    salt, digest = found[2].encode(), found[3].encode()

    def matches(plain: bytes) -> bool:
        return hmac.compare_digest(sha512_crypt.checksum(plain, salt=salt, rounds=rounds), digest)

    return _beyond(rounds, most=CRYPT_ROUNDS) or Slow(matches)


def _salted(_text: str, found: re.Match[str]) -> Fast | Refused:
    from_base64 = b64decode(found[2], validate=True)
    _, size = _SALTED_BY[found[1]]
    digest, salt = from_base64[:size], from_base64[size:]
    if not 3 <= len(salt) <= 64:
        return Refused(Reason.UNKNOWN_HASH)
    return Fast(found[1], b64encode(salt).decode("ascii"), digest.hex())


def _beyond(rounds: int, *, most: int) -> Refused | None:
    if rounds > most:
        return Refused(Reason.COSTLY_HASH)
    return Refused(Reason.CHEAP_HASH) if rounds < FEWEST_ROUNDS else None


def _ab64(text: str) -> bytes:
    """passlib's base64: `.` for `+`, no padding."""
    return b64decode(text.replace(".", "+") + "=" * (-len(text) % 4), validate=True)


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], Slow | Fast | Refused]], ...]] = (
    (_BCRYPT, _bcrypt),
    (_DJANGO, _django),
    (_PASSLIB, _passlib),
    (_CRYPT, _crypt),
    (_SALTED, _salted),
)
