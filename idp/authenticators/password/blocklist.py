"""Passwords that attackers try first: the offline list of common ones, keyboard walks, repetitions, the person's words.

NIST SP 800-63B-4 §3.1.1.2: the whole password is compared, not its parts; so that the list also bites at fifteen
characters, the text is compared again without what people put around a common word to lengthen it, and without blanks
between its letters. Pure and linear.
"""

import re
from collections.abc import Iterable
from typing import Final

from zxcvbn.frequency_lists import FREQUENCY_LISTS

_PUBLISHED: Final = frozenset(
    {"correcthorsebatterystaple", "correcthorsebattery", "thisisapassword", "thisismypassword"}
)
"""Examples out of print: too long for the list, but on everybody else's."""
_COMMON: Final = frozenset(FREQUENCY_LISTS["passwords"]) | _PUBLISHED
_DICTIONARY: Final = frozenset(
    word for name in ("english_wikipedia", "female_names", "male_names", "surnames") for word in FREQUENCY_LISTS[name]
)
_WALKS: Final = (
    "abcdefghijklmnopqrstuvwxyz 01234567890123456789 qwertyuiopasdfghjklzxcvbnm 1qaz2wsx3edc4rfv5tgb6yhn7ujm"
)
_WALK_TEXT: Final = f"{_WALKS} {_WALKS[::-1]}"
_LEET: Final = str.maketrans("013457@$!", "oleastasi")
_LETTERS: Final = re.compile(r"[^a-z]+")
_WORDS: Final = re.compile(r"[^a-z0-9]+")
_SHORTEST_CONTEXT: Final = 4


def is_common(plain: str, *, context: Iterable[str] = ()) -> bool:
    """Whether a password is guessable at once: on the list, a walk, one thing repeated, or the person's own words."""
    folded = plain.casefold()
    if any(_is_listed(text) for text in dict.fromkeys((folded, "".join(folded.split())))):
        return True
    core = _core(folded.translate(_LEET))
    if len(core) >= _SHORTEST_CONTEXT and len(core) >= len(folded) // 2 and core in _DICTIONARY:
        return True
    return _only_context(folded, context)


def _is_listed(text: str) -> bool:
    """Whether `text`, what it repeats, or what is inside it stands on the list or is a walk over the keyboard."""
    unit = _repeated(text)
    candidates = {text, unit, _core(text), _core(text.translate(_LEET)), _repeated(_core(text))}
    return bool(candidates & _COMMON) or len(unit) <= 2 or _is_walk(text) or _is_walk(unit)


def _core(text: str) -> str:
    """`text` without leading and trailing digits, blanks and signs."""
    return text.strip("0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def _repeated(text: str) -> str:
    """The shortest unit that `text` repeats, or `text` itself; by the prefix function, so linear."""
    table = [0] * len(text)
    for position in range(1, len(text)):
        length = table[position - 1]
        while length and text[position] != text[length]:
            length = table[length - 1]
        table[position] = length + (text[position] == text[length])
    period = len(text) - table[-1] if text else 0
    return text[:period] if period and len(text) // period >= 2 and not _remainder_differs(text, period) else text


def _remainder_differs(text: str, period: int) -> bool:
    rest = len(text) % period
    return rest > 0 and not text.endswith(text[:rest])


def _is_walk(text: str) -> bool:
    return len(text) >= 4 and text in _WALK_TEXT


def _only_context(folded: str, context: Iterable[str]) -> bool:
    """Whether nothing but the person's words, and fewer than six other letters, stands in the password."""
    words = {
        part
        for text in context
        for part in (_WORDS.sub("", text.casefold()), *_WORDS.split(text.casefold()))
        if len(part) >= _SHORTEST_CONTEXT
    }
    rest = folded
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != folded and len(_LETTERS.sub("", rest)) < 6
