"""What a search for a person may show, and what an offered access does when the person answers. Pure (ruling 10)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

WORDS: Final = 4
MOST: Final = 20
"""Colleagues that one search shows."""
SHORTEST: Final = 2
"""Letters of a name below which nothing is looked for: one letter lists half of the practice."""


class Reason(StrEnum):
    """Why a person is not found or not added."""

    UNKNOWN = "unknown"
    ALREADY_HELD = "already_held"
    TOO_MANY = "too_many"
    NOTHING_TYPED = "nothing_typed"
    NO_MAILBOX = "no_mailbox"


class Answer(StrEnum):
    """What the person says to an access that is offered."""

    ACCEPT = "accept"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a manager typed into the search."""

    user_name: str = ""
    first_name: str = ""
    last_name: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Parts of a name or user name, each to be found among colleagues."""
        typed = f"{self.user_name} {self.first_name} {self.last_name}".casefold().split()
        return tuple(word for word in typed if len(word) >= SHORTEST)[:WORDS]

    @property
    def names_somebody(self) -> bool:
        """Whether it could be the exact user name and last name of somebody who works elsewhere."""
        return bool(self.user_name.strip() and self.last_name.strip())


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the practice: the manager may know their name, and picks them by their affiliation here."""

    key: str
    user_name: str
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who works elsewhere: initials, and no more than was typed."""

    user_name: str
    last_name: str
    initials: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search may show."""

    colleagues: Sequence[Colleague] = field(default=())
    stranger: Stranger | None = None


def initials(*names: str | None) -> str:
    """*J. H.*: enough to see that it is who was meant, and nothing to learn a name from."""
    return " ".join(f"{name.strip()[0].upper()}." for name in names if name and name.strip())


def same_last_name(typed: str, known: str | None) -> bool:
    """Letter by letter, whatever the case; a name that is not known is nobody's."""
    return bool(known) and typed.strip().casefold() == (known or "").strip().casefold()
