"""What a console shows of the directory; nothing here is for anybody but staff."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.directory import service as directory
from idp.directory import words
from idp.directory.imports.rules import Fault
from idp.directory.looking_up import facts
from idp.directory.looking_up.facts import Change, RejectFacts, RosterRecord, RunFacts
from idp.directory.rules import EVERY_RECORD, DirectoryFilter, formula_safe
from idp.directory.search.facts import npi_records
from idp.directory.search.rules import NpiFacts
from idp.foundation import house
from idp.foundation.database import reading
from idp.keyring.service import Keyring
from idp.vocabulary.identifiers import Malformed, Tin

MOST: Final = 100
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class EveryRecord:
    """All that any file says of one NPI."""

    npi: tuple[NpiFacts, ...]
    roster: tuple[RosterRecord, ...]
    after: tuple[str, str] | None = None
    """The registry and number after which the next page begins; none: this is the last."""


def every_record(tx: Session, npi: str, *, after: tuple[str, str] | None = None, limit: int = MOST) -> EveryRecord:
    """Every source's record of an NPI, with its date, payers' by registry and number; text that is no NPI has none."""
    if not (npi.isascii() and npi.isdigit()):
        return EveryRecord((), ())
    place = after if after is not None and all(part.isprintable() for part in after) else ("", "")
    roster = facts.of_npi(tx, npi, after=place, limit=limit + 1)
    shown = roster[:limit]
    last = shown[-1].provider if len(roster) > limit else None
    return EveryRecord(npi_records(tx, npi), shown, None if last is None else (last.registry, last.provider_id))


def by_tin(
    tx: Session,
    tin: str,
    *,
    registry: str,
    within: DirectoryFilter = EVERY_RECORD,
    after: tuple[str, str] | None = None,
    limit: int = MOST,
) -> tuple[RosterRecord, ...]:
    """Records whose own TIN or whose practice's TIN this is, ended ones too; the next page begins after the last one's
    (registry, number)."""
    try:
        index = directory.tin_index(Tin.parse(tin), key=house.get(Keyring).index)
    except Malformed:
        return ()
    last = after[1] if after is not None and after[1].isprintable() else ""
    return facts.of_tin(tx, registry=registry, tin=index, within=within, after=last, limit=limit)


def history(tx: Session, target_id: UUID | str, *, before: int | None = None, limit: int = MOST) -> tuple[Change, ...]:
    """What the audit tells of a provider record, a practice or an NPI, the latest first; the next page begins before the last
    one's `sequence`."""
    return facts.history(tx, target_id, before=before, limit=limit)


def imports(tx: Session, *, before: UUID | None = None, limit: int = 25) -> tuple[RunFacts, ...]:
    """The last imports of every format; the next page begins before the last one's id."""
    return facts.runs(tx, before=before, limit=limit)


def one_import(tx: Session, run_id: UUID) -> RunFacts | None:
    """One of them."""
    return facts.run(tx, run_id)


def rejects(tx: Session, run_id: UUID, *, after: int = 0, limit: int = MOST) -> tuple[RejectFacts, ...]:
    """Refused lines of one import; the next page begins after the last one's number."""
    return facts.rejects(tx, run_id, after=after, limit=limit)


def rejects_csv(run_id: UUID) -> Iterator[str]:
    """All that were kept (`KEPT_REJECTS`) as a download: `line,key,reasons,explanation`, safe to open in a spreadsheet; each page a short read."""
    yield _line("line", "key", "reasons", "explanation")
    after = 0
    while True:
        with reading() as tx:
            page = facts.rejects(tx, run_id, after=after, limit=_PAGE)
        if not page:
            return
        yield "".join(_reject(each) for each in page)
        after = page[-1].number


def _reject(each: RejectFacts) -> str:
    why = " ".join(words.FAULTS[Fault(reason)] for reason in each.reasons)
    explanation = f"{each.place}: {why}" if each.place else why
    return _line(str(each.line), each.key, ";".join(each.reasons), explanation)


def _line(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([formula_safe(cell) for cell in cells])
    return text.getvalue()
