"""Which languages and zones can be chosen. Pure."""

from enum import StrEnum
from typing import Final
from zoneinfo import available_timezones

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


def is_zone(name: str) -> bool:
    """Whether `name` is a time zone of the IANA list."""
    return name in available_timezones()
