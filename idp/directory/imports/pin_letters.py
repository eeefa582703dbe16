"""Taking in PIN letters: each PIN becomes an artefact bound to its provider, and is never kept itself (D2, ruling 11)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from idp.directory import facts
from idp.directory.imports.kinds import PayersFile
from idp.directory.imports.rules import LETTER_COLUMNS, Fault, LetterRow, letter_row
from idp.directory.imports.run import Run
from idp.directory.letters import service as letters
from idp.directory.letters.digest import pin_digest
from idp.directory.models import PinLetter
from idp.foundation import artefacts
from idp.foundation.database import new_id

__all__ = ["PinLetters", "pin_digest"]
_table: Table = PinLetter.__table__  # type: ignore[assignment]
_DAY = timedelta(days=1)


class PinLetters(PayersFile):
    """The payer's file of letters sent; the providers must be in the directory already."""

    name = "pin-letters"
    columns = LETTER_COLUMNS
    offers_full = False

    def parse(self, cells: Mapping[str, str]) -> LetterRow | tuple[Fault, ...]:
        return letter_row(cells)

    def key(self, row: LetterRow) -> str:
        return f"{row.provider_id} {row.pin.reveal()}"

    def take(self, tx: Session, batch: Sequence[tuple[int, LetterRow]], run: Run) -> None:
        numbers = [row.provider_id for _line, row in batch]
        table = facts.provider
        query = select(table.c.provider_id, table.c.id).where(
            table.c.registry == run.registry, table.c.provider_id.in_(numbers)
        )
        providers = {row.provider_id: row.id for row in tx.execute(query)}
        for line, row in batch:
            provider = providers.get(row.provider_id)
            if provider is None:
                run.refuse(line, row.provider_id, Fault.PROVIDER_UNKNOWN)
            else:
                _take_letter(tx, line, row, provider, run)

    def end(self, tx: Session, numbers: Sequence[str], run: Run) -> int:
        """Nothing is listed, so nothing ends."""
        return 0


def _take_letter(tx: Session, line: int, row: LetterRow, provider: UUID, run: Run) -> None:
    digest = pin_digest(row.pin.reveal(), provider=provider, key=run.index)
    letter = _known(tx, row, provider, digest, run)
    if letter is None:
        run.report.added += 1
        run.report.notes[_state(row, run.today)] += 1
        if not run.dry:
            _add(tx, row, provider, digest)
            if voided := letters.void_outdated(tx, provider, now=run.now):
                run.report.notes["letters_replaced"] += voided
    elif letter.expires_on != row.expires_on or letter.issued_on != row.issued_on:
        run.refuse(line, row.provider_id, Fault.LETTER_DIFFERS)
    elif row.used_on is not None and letter.used_on is None:
        run.report.changed += 1
        if not run.dry:
            artefacts.redeem(tx, kind=artefacts.Kind.PIN_LETTER, digest=digest, now=run.now)
            tx.execute(update(_table).where(_table.c.id == letter.id).values(used_on=row.used_on))
    else:
        run.report.unchanged += 1


def _known(tx: Session, row: LetterRow, provider: UUID, digest: bytes, run: Run) -> PinLetter | None:
    """The letter with this PIN; one that ended so long ago that its PIN was purged is known by its days.

    Else the file of a letter that a newer one replaced would bring it back to life.
    """
    family = artefacts.family_of_digest(tx, kind=artefacts.Kind.PIN_LETTER, digest=digest)
    if family is not None:
        return tx.get(PinLetter, family)
    query = select(PinLetter).where(
        PinLetter.provider_id == provider,
        PinLetter.issued_on == row.issued_on,
        PinLetter.expires_on == row.expires_on,
    )
    if row.expires_on >= run.today:
        query = query.where(PinLetter.voided_at.is_not(None))
    return tx.execute(query).scalars().first()


def _add(tx: Session, row: LetterRow, provider: UUID, digest: bytes) -> None:
    """A letter is good through the whole of its last day (UTC)."""
    identity = new_id()
    issued = _midnight(row.issued_on)
    _secret, artefact = artefacts.issue(
        tx,
        kind=artefacts.Kind.PIN_LETTER,
        now=issued,
        lifetime=_midnight(row.expires_on) + _DAY - issued,
        family=identity,
        digest=digest,
    )
    if row.used_on is not None:
        used = _midnight(min(row.used_on, row.expires_on))
        artefacts.redeem(tx, kind=artefacts.Kind.PIN_LETTER, digest=digest, now=used)
    days = {"issued_on": row.issued_on, "expires_on": row.expires_on, "used_on": row.used_on}
    tx.execute(insert(_table).values(id=identity, provider_id=provider, artefact_id=artefact, **days))


def _state(row: LetterRow, today: date) -> str:
    if row.used_on is not None:
        return "letters_used"
    return "letters_expired" if row.expires_on < today else "letters_open"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
