"""Moments as SAML writes them: `xs:dateTime` in UTC (SAML core §1.3.3)."""

import re
from datetime import UTC, datetime
from typing import Final

_FORM: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z\Z", re.ASCII)


def read(text: str | None) -> datetime | None:
    """The moment, to the second; `None` for anything else, also for one without `Z`."""
    found = _FORM.match(text or "")
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        return None


def written(moment: datetime) -> str:
    """The moment to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
