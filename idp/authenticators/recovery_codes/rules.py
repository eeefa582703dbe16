"""What a recovery code looks like and how a typed one is read. Pure."""

import secrets
from typing import Final

HOW_MANY: Final = 10
LENGTH: Final = 12
"""60 bits: too many to guess even from the digests."""
_ALPHABET: Final = "abcdefghjkmnpqrstvwxyz0123456789"
"""Crockford's: 32 characters, none of which is taken for another."""
_MEANT: Final = str.maketrans({"o": "0", "i": "1", "l": "1", "u": "v"})


def new_code() -> str:
    """`k7m2-9xw4-d3q8`."""
    plain = "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
    return "-".join(plain[start : start + 4] for start in range(0, LENGTH, 4))


def canonical(typed: str) -> str | None:
    """The one form of a typed code: case, blanks and dashes do not matter; `None` for what cannot be one."""
    if not typed.isascii():
        return None
    plain = typed.lower().replace("-", "").replace(" ", "").translate(_MEANT)
    return plain if len(plain) == LENGTH and all(character in _ALPHABET for character in plain) else None
