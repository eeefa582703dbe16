"""How a page writes what a line must not break apart, and what people read in groups."""

import re
from typing import Final

from markupsafe import Markup, escape

_NORTH_AMERICAN: Final = re.compile(r"\+1([2-9]\d\d)(\d{3})(\d{4})")
_UNBROKEN: Final = "e-mail"


def unbroken(text: object) -> Markup:
    """A heading whose "e-mail" stays on one line: narrow screens would break it at its hyphen."""
    whole = Markup('<span class="nowrap">{}</span>').format(_UNBROKEN)
    return whole.join(escape(part) for part in str(text).split(_UNBROKEN))


def telephone(number: str | None) -> str:
    """`(417) 555-0100`, as the country writes it; a number from elsewhere stays as it is dialed."""
    found = _NORTH_AMERICAN.fullmatch(number or "")
    return "({}) {}-{}".format(*found.groups()) if found else number or ""
