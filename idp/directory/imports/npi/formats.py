"""The two files that fill the NPI record."""

from array import array
from collections.abc import Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.directory.imports.files import Lines
from idp.directory.imports.kinds import PAGE, Seen
from idp.directory.imports.kinds import Source as File
from idp.directory.imports.npi import layout, taking
from idp.directory.imports.npi.entries import Entries
from idp.directory.imports.npi.rules import NpiRow, Source, Standing, fhir_npi, fhir_row, nppes_row
from idp.directory.imports.npi.taking import record
from idp.directory.imports.rules import Fault
from idp.directory.imports.run import Run
from idp.vocabulary.identifiers import Malformed, Npi

_FIRST, _LAST = 100_000_000, 299_999_999
"""An NPI without its check digit begins with 1 or 2."""


class SeenNpis:
    """NPIs of a file, in one bit each: 25 MB, however many they are."""

    def __init__(self) -> None:
        self._bits = bytearray((_LAST - _FIRST) // 8 + 1)

    def first(self, number: str, line: int) -> int | None:
        place = _place(number)
        if place is None:
            return None
        before = self._bits[place >> 3] & (1 << (place & 7))
        self._bits[place >> 3] |= 1 << (place & 7)
        return 0 if before else None

    def __contains__(self, number: object) -> bool:
        place = _place(str(number))
        return place is not None and bool(self._bits[place >> 3] & (1 << (place & 7)))


class _NpiFile:
    """What both have in common."""

    offers_full = True
    national = True
    of_registries: bool
    source: Source

    def seen(self) -> Seen:
        return SeenNpis()

    def identify(self, text: str) -> str:
        try:
            return str(Npi.parse(text))
        except Malformed:
            return ""

    def key(self, row: NpiRow) -> str:
        return row.npi

    def take(self, tx: Session, batch: Sequence[tuple[int, NpiRow]], run: Run) -> None:
        rows = [row for _line, row in batch]
        taking.take(tx, rows, run, source=self.source.of(run.registry))

    def missing(self, tx: Session, registry: str, seen: Seen, *, on: date) -> tuple[int, Sequence[int]]:
        """Counted and compared in pages: the numbers of a whole country are never held at once."""
        listed, leaving, after = 0, array("Q"), ""
        query = select(record.c.npi).where(
            record.c.source == self.source.of(registry), record.c.status.in_((Standing.ACTIVE, Standing.INACTIVE))
        )
        while page := tx.execute(query.where(record.c.npi > after).order_by(record.c.npi).limit(PAGE)).scalars().all():
            listed, after = listed + len(page), page[-1]
            leaving.extend(int(npi) for npi in page if npi not in seen)
        return listed, leaving

    def end(self, tx: Session, numbers: Sequence[int], run: Run) -> int:
        return taking.leave(tx, [f"{number:010}" for number in numbers], run, source=self.source.of(run.registry))


class Nppes(_NpiFile):
    """CMS's NPPES dissemination file, full or weekly."""

    name = "nppes"
    may_repeat = False
    unread = Fault.COLUMN_COUNT
    of_registries = False
    source = Source.NPPES

    def read(self, stream: BinaryIO, *, name: str) -> File:
        places = [layout.NPPES_329.index(column) for column in layout.READ]
        return Lines(stream, name=name, columns=layout.NPPES_329, also=layout.LAYOUTS, shape=itemgetter(*places))

    def number(self, cells: Sequence[str]) -> str:
        return self.identify(cells[0])

    def parse(self, cells: Sequence[str]) -> NpiRow | tuple[Fault, ...]:
        return nppes_row(cells)

    def public_key(self, cells: Sequence[str]) -> str:
        return self.number(cells)


class Fhir(_NpiFile):
    """A FHIR R4 bundle of Da Vinci PDEX Plan-Net resources."""

    name = "fhir"
    may_repeat = True
    unread = Fault.DELETES
    of_registries = True
    source = Source.FHIR

    def read(self, stream: BinaryIO, *, name: str) -> File:
        return Entries(stream, name=name)

    def number(self, cells: Mapping[str, Any]) -> str:
        return self.identify(fhir_npi(cells) or "")

    def parse(self, cells: Mapping[str, Any]) -> NpiRow | tuple[Fault, ...] | None:
        return fhir_row(cells)

    def public_key(self, cells: Mapping[str, Any]) -> str:
        return self.number(cells)


def _place(number: str) -> int | None:
    """Where an NPI's bit stands; `None` for text that is none."""
    if len(number) != 10 or not (number.isascii() and number.isdigit()):
        return None
    place = int(number[:9]) - _FIRST
    return place if 0 <= place <= _LAST - _FIRST else None
