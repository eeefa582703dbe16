"""Which languages and zones can be chosen. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import available_timezones

from idp.subjects.rules import NAME_MAX, spoken_name
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

LANGUAGES: Final = ("en", "es")
ZONES: Final = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
    "Pacific/Guam",
    "UTC",
)
"""Offered first; the person's own stays offered if it is another."""


class Reason(StrEnum):
    """Why a page of the account did not do as asked."""

    UNKNOWN = "unknown"
    BAD_LANGUAGE = "bad_language"
    BAD_ZONE = "bad_zone"
    BAD_NAME = "bad_name"
    NAME_LOCKED = "name_locked"


@dataclass(frozen=True, slots=True)
class Names:
    """What a person wants to be called."""

    given_name: str
    family_name: str
    display_name: str

    def checked(self) -> dict[str, str | None] | Refused:
        """As they are kept; there is at least a first and last name, or a name to be shown."""
        typed = {"given_name": self.given_name, "family_name": self.family_name, "display_name": self.display_name}
        kept: dict[str, str | None] = {}
        for field, text in typed.items():
            limit = 2 * NAME_MAX if field == "display_name" else NAME_MAX
            name = spoken_name(text, limit=limit) if text.strip() else None
            if isinstance(name, Refused):
                return Refused(Reason.BAD_NAME)
            kept[field] = name
        whole = kept["display_name"] or (kept["given_name"] and kept["family_name"])
        return kept if whole else Refused(Reason.BAD_NAME)


def binds_the_name(evidence: Collection[Evidence]) -> bool:
    """Whether others gave access to a person of this name: more than the person's own word (MODEL §1)."""
    return any(each is not Evidence.SELF for each in evidence)


def is_zone(name: str) -> bool:
    """Whether `name` is a time zone of the IANA list."""
    return name in available_timezones()
