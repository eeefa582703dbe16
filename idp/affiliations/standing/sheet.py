"""An answer as CSV: a row for each person, target, portal and level, safe to open in a spreadsheet (ST-13)."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from idp.affiliations.standing import service
from idp.affiliations.standing.rules import Proof
from idp.affiliations.standing.service import Asked, Line
from idp.audit.rules import formula_safe
from idp.foundation.database import reading

COLUMNS: Final = (
    "tin", "day", "name", "user_id", "subject_id", "registry", "target_kind", "target_name", "target_number", "through",
    "assigned_by", "account_manager", "portal", "level", "granted_by", "proof", "since", "until", "last_used",
)  # fmt: skip


MOST: Final = 50_000
"""People in one file; `idp affiliations on` has no such limit."""
_A_READ: Final = 200


def file(asked: Asked) -> Iterator[str]:
    """The whole answer; each page is a short read of its own, so that a slow download holds no connection."""
    yield _line(COLUMNS)
    after: str | None = ""
    count = 0
    while after is not None and count < MOST:
        with reading() as tx:
            lines, after = service.page(tx, asked, after=after, limit=_A_READ)
            names = service.named(tx, lines)
        count += len(lines)
        yield "".join(_rows(asked, lines, names))


def _rows(asked: Asked, lines: Iterable[Line], names: Mapping[str, str]) -> Iterator[str]:
    for each in lines:
        record, found = each.record, each.could
        about = (asked.practices[0].masked_tin, asked.date.isoformat(), each.subject.name, each.subject.user_id or "")
        target = (each.subject.id, record.registry, record.kind.value, each.target_name, each.target_number or "")
        engaged = each.engagement.source if each.engagement is not None else ""
        through = (engaged, names.get(each.assigned_by or "", each.assigned_by or ""))
        proof = "; ".join(_proof(each, names) for each in record.proofs)
        moments = [moment.isoformat() if moment else "" for moment in (record.activated_at, found.until, found.used_at)]
        for lets in found.at:
            for level, by in lets.levels:
                access = ("yes" if record.account_manager else "no", lets.portal, level, names.get(by or "", by or ""))
                yield _line((*about, *target, *through, *access, proof, *moments))


def _proof(proof: Proof, names: Mapping[str, str]) -> str:
    by = names.get(proof.by or "", proof.by or "")
    return f"{proof.kind.value} at {proof.portal} on {proof.at.date().isoformat()}" + (f" by {by}" if by else "")


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([formula_safe(cell) for cell in cells])
    return text.getvalue()
