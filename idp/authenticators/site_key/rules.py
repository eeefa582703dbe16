"""What a site key may be, and the decoy of a user ID that has none. Pure.

Every list here is for ever: another word, another order or another picture would change everybody's decoy, and show
by that who has a key of their own.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.authenticators.site_key import decoy_words
from idp.vocabulary.refused import Refused

SHORTEST: Final = 2
LONGEST: Final = 60
PICTURES: Final = (
    "apple", "balloon", "balloons", "baseball", "billiards", "boat", "butterfly", "cactus", "candle", "car", "cat",
    "clock", "cup", "fish", "flower", "guitar", "house", "ice_cream", "kite", "ladybug", "leaf", "lighthouse", "moon",
    "mushroom", "owl", "pencil", "rocket", "snowman", "sun", "tree", "umbrella", "whale",
)  # fmt: skip
"""The catalogue; each has a drawing of its name in `static/site_keys` and a word in `words.py`."""

_SPACES: Final = re.compile(" {2,}")


class Reason(StrEnum):
    """Why a site key was not taken."""

    NO_PICTURE = "no_picture"
    NO_PHRASE = "no_phrase"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_PRINTABLE = "not_printable"
    IS_PASSWORD = "is_password"


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands between user ID and password: a picture of the catalogue, and a phrase."""

    picture: str
    phrase: str

    def __repr__(self) -> str:
        return "Shown(***)"


def shown_of(picture: str, phrase: str) -> Shown | Refused:
    """The site key that a person chose, its phrase in the one form in which it is kept and shown."""
    if picture not in PICTURES:
        return Refused(Reason.NO_PICTURE)
    kept = _SPACES.sub(" ", unicodedata.normalize("NFC", phrase)).strip(" ")
    if not kept:
        return Refused(Reason.NO_PHRASE)
    if not kept.isprintable():
        return Refused(Reason.NOT_PRINTABLE)
    if len(kept) < SHORTEST:
        return Refused(Reason.TOO_SHORT)
    return Shown(picture, kept) if len(kept) <= LONGEST else Refused(Reason.TOO_LONG)


def gives_away(phrase: str, *, password: str) -> bool:
    """Whether a phrase, which is shown to whoever types the user ID, would show the password too."""
    return bool(password) and _folded(password) in _folded(phrase)


def decoy(seed: bytes) -> Shown:
    """What a user ID without a site key is shown; the same seed gives the same for ever.

    `seed` is a keyed digest of portal and login key, so nobody outside can compute what a decoy would be.
    """
    numbers = [int.from_bytes(seed[start : start + 2], "big") for start in range(0, 32, 2)]
    picture = PICTURES[numbers[0] % len(PICTURES)]
    pattern = decoy_words.PATTERNS[numbers[1] % len(decoy_words.PATTERNS)]
    words = {
        name: choices[number % len(choices)]
        for (name, choices), number in zip(decoy_words.WORDS.items(), numbers[2:8], strict=True)
    }
    phrase = pattern.format(**words, number=numbers[8] % 99 + 1)
    return Shown(picture, phrase[0].upper() + phrase[1:] if numbers[9] % 4 == 0 else phrase)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()
