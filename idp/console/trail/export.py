"""Events as a file: CSV that no spreadsheet takes for formulas, or JSON, an event a line; streamed, with a cap."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from idp.audit.models import AuditEvent
from idp.audit.rules import formula_safe
from idp.console.trail import facts
from idp.console.trail.facts import Key, Wanted
from idp.foundation.database import reading

MOST: Final = 50_000
"""Events in one file; `idp audit export` has no such limit."""
_A_READ: Final = 500
_COLUMNS: Final = (
    "at", "type", "outcome", "actor", "subject_id", "client_id", "target_kind", "target_id", "before", "after",
    "details", "address", "session_digest", "request_id", "stream", "sequence", "hash",
)  # fmt: skip


def lines(wanted: Wanted, *, as_json: bool) -> Iterator[str]:
    """Newest first; each page is a short read of its own, so that a slow download holds no connection."""
    if not as_json:
        yield _csv(_COLUMNS)
    after: Key | None = None
    for _page in range(MOST // _A_READ):
        with reading() as tx:
            rows = facts.rows(tx, wanted, after=after, limit=_A_READ)
        yield "".join(_line(row, as_json=as_json) for row in rows)
        if len(rows) < _A_READ:
            return
        after = (rows[-1].at, rows[-1].id)


def _line(row: AuditEvent, *, as_json: bool) -> str:
    members = _members(row)
    return json.dumps(members, ensure_ascii=False, sort_keys=True) + "\n" if as_json else _csv(_cells(members))


def _members(row: AuditEvent) -> dict[str, Any]:
    details = dict(row.details)
    before, after = details.pop("before", None), details.pop("after", None)
    members = {name: getattr(row, name) for name in _COLUMNS if name not in ("before", "after", "details")}
    told = {"at": row.at.isoformat(), "before": before, "after": after, "details": details, "hash": row.hash.hex()}
    return members | told


def _cells(members: dict[str, Any]) -> Iterator[str]:
    for name in _COLUMNS:
        value = members[name]
        plain = value is None or isinstance(value, str | int)
        yield ("" if value is None else str(value)) if plain else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _csv(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([formula_safe(cell) for cell in cells])
    return text.getvalue()
