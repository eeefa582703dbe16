"""What people call a browser, as far as it tells."""

from functools import lru_cache
from typing import Final

from ua_parser import parse

_LONGEST_AGENT: Final = 256


@lru_cache(maxsize=1024)
def browser_name(user_agent: str) -> str:
    """`Firefox, Windows`, as far as the browser tells; empty when it tells nothing."""
    told = parse(user_agent[:_LONGEST_AGENT])
    browser = told.user_agent.family if told.user_agent else None
    system = told.os.family if told.os else None
    return ", ".join(part for part in (browser, system) if part and part != "Other")
