"""Which words a person is found by, and what a search looks for; the same folding on both sides. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 64
OF_A_FIELD: Final = 16
"""Words of one field that are kept, so that a name made of hyphens is no heap of rows."""
TERMS: Final = 5
_BEGINS: Final = re.compile(r"(?<![^\W_])(?=[^\W_])|(?=@)")
"""A letter or digit after something that is neither; and the sign before a mail host."""


def folded(text: str) -> str:
    """Without case and marks, the same on every database."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(each))
    return " ".join(bare.split())


def beginnings(text: str | None) -> frozenset[str]:
    """Where a search may begin in this field: `ann@south.example` is found by itself, `@south` and `south`.

    Each runs to the next blank, so that a search may go on over hyphens and dots; the last label of a mail host begins
    nothing.
    """
    found: list[str] = []
    for token in folded(text or "").split(" "):
        starts = sorted({0, *(at.start() for at in _BEGINS.finditer(token))}) if token else []
        if "@" in token:
            last = token.rfind(".") + 1
            starts = [start for start in starts if start != last or last <= token.rfind("@")]
        found += [token[start : start + LONGEST] for start in starts]
    return frozenset(found[:OF_A_FIELD])


def words_of(names: Iterable[str | None], *, email: str | None) -> dict[str, bool]:
    """Each word that a person is found by, and whether only their e-mail address has it."""
    known = frozenset(word for name in names for word in beginnings(name))
    return dict.fromkeys(beginnings(email) - known, True) | dict.fromkeys(known, False)


def terms(search: str) -> tuple[str, ...]:
    """What is looked for: each the beginning of some word; nothing in it is a wildcard (AD-18)."""
    return tuple(term[:LONGEST] for term in folded(search).split(" ") if term)[:TERMS]
