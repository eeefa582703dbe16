"""What the person's pages say about browsers, and which languages and zones can be chosen. Pure."""

from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

from ua_parser import parse

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
_LONGEST_AGENT: Final = 256


class Reason(StrEnum):
    """Why a page of the account did not do as asked."""

    UNKNOWN = "unknown"
    BAD_LANGUAGE = "bad_language"
    BAD_ZONE = "bad_zone"


@lru_cache(maxsize=1024)
def browser_name(user_agent: str) -> str:
    """`Firefox, Windows`, as far as the browser tells; empty when it tells nothing."""
    told = parse(user_agent[:_LONGEST_AGENT])
    browser = told.user_agent.family if told.user_agent else None
    system = told.os.family if told.os else None
    return ", ".join(part for part in (browser, system) if part and part != "Other")


def is_zone(name: str) -> bool:
    """Whether `name` is a time zone of the IANA list."""
    return name in available_timezones()
