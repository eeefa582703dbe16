"""SHA-512 crypt (`$6$`), to compare with hashes of other systems; Python 3.13 no longer brings it.

By U. Drepper's specification "Unix crypt using SHA-256 and SHA-512", whose own examples are the tests. None is made.
"""

from hashlib import sha512
from itertools import cycle, islice
from typing import Final

DEFAULT_ROUNDS: Final = 5_000
_ALPHABET: Final = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def checksum(plain: bytes, *, salt: bytes, rounds: int) -> bytes:
    """The 86 characters after the salt."""
    digest = _first(plain, salt)
    by_password = _stretched(sha512(plain * len(plain)).digest(), len(plain))
    by_salt = _stretched(sha512(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(rounds):
        odd = number % 2
        text = by_password if odd else digest
        if number % 3:
            text += by_salt
        if number % 7:
            text += by_password
        digest = sha512(text + (digest if odd else by_password)).digest()
    return _encoded(digest)


def _first(plain: bytes, salt: bytes) -> bytes:
    other = sha512(plain + salt + plain).digest()
    text = plain + salt + _stretched(other, len(plain))
    length = len(plain)
    while length:
        text += other if length & 1 else plain
        length >>= 1
    return sha512(text).digest()


def _stretched(block: bytes, length: int) -> bytes:
    return bytes(islice(cycle(block), length))


def _encoded(digest: bytes) -> bytes:
    """Three bytes give four characters, lowest bits first, in the order that the specification lists."""
    text = bytearray()
    first, second, third = 0, 21, 42
    for _ in range(21):
        text += _characters(digest[first] << 16 | digest[second] << 8 | digest[third], 4)
        first, second, third = second + 1, third + 1, first + 1
    return bytes(text + _characters(digest[63], 2))


def _characters(value: int, count: int) -> bytes:
    return bytes(_ALPHABET[value >> 6 * place & 63] for place in range(count))
