"""What a message to support may be. Pure."""

from enum import StrEnum
from typing import Final

from idp.relying_parties.rules import RelyingParty

LENGTH: Final = 500


class Reason(StrEnum):
    """Why a message was not taken."""

    TOO_MANY = "too_many"


def address_of(party: RelyingParty) -> str | None:
    """Where the portal's messages go; `None` where it offers no such page."""
    offers = any(link.message for link in party.manifest.links)
    return party.manifest.help.email if offers and party.enabled else None


def measured(text: str) -> str:
    """The message as it counts: a line's end is one character, as the countdown in the browser takes it."""
    return text.replace("\r\n", "\n").strip()
