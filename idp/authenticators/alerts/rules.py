"""When a sign-in looks new. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

REMEMBERED_FOR: Final = timedelta(days=90)
"""How far back a browser is looked for among the person's sign-ins."""
LINK_LIFETIME: Final = timedelta(days=7)
TELL_AFTER: Final = 3
"""Wrong second factors within a day after which the person is told that their password was right (MF-04)."""


class Reason(StrEnum):
    """Why the link did nothing."""

    DEAD_LINK = "dead_link"


@dataclass(frozen=True, slots=True)
class Seen:
    """One earlier sign-in: the browser by its cookie, and how it looked."""

    browser_digest: bytes
    user_agent: str
    address: str


def is_new(here: Seen, *, before: Collection[Seen]) -> bool:
    """Whether nothing like this browser signed this person in before; a very first sign-in is no news."""
    if not before:
        return False
    return all(
        here.browser_digest != each.browser_digest
        and (here.user_agent, here.address) != (each.user_agent, each.address)
        for each in before
    )
