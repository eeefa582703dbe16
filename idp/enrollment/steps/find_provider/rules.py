"""What may be searched for, and where a list goes on. Pure."""

from enum import StrEnum
from typing import Final

from idp.vocabulary.identifiers import Malformed, Npi

PAGE: Final = 10
LONGEST: Final = 80
_BETWEEN: Final = "|"


class Reason(StrEnum):
    """Why nothing was picked."""

    NOTHING_CHOSEN = "nothing_chosen"
    NOT_SERVED = "not_served"


def searchable(text: str) -> str | None:
    """A name, or an NPI; the payer's own numbers are proof of something elsewhere and find nobody here."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None
    return text if any(map(str.isalpha, text)) or is_npi(text) else None


def is_npi(text: str) -> bool:
    """Whether this can be an NPI at all."""
    try:
        Npi.parse(text.strip())
    except Malformed:
        return False
    return True


def place(after: tuple[str, str] | None) -> str | None:
    """Where the next page of a list begins, as a button carries it."""
    return None if after is None else _BETWEEN.join(after)


def place_of(text: str) -> tuple[str, str] | None:
    """The place that a button carried; anything else is the list's beginning."""
    name, between, number = text.partition(_BETWEEN)
    return (name, number) if between and len(text) <= 300 else None
