"""What one kind of file brings: how it is read, what a line of it is, and how a batch of rows is taken in."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, BinaryIO, Final, Generic, Protocol, TypeVar

from sqlalchemy import Column, ColumnElement, select
from sqlalchemy.orm import Session

from idp.directory.imports.files import BadFile, Line, Lines
from idp.directory.imports.rules import Fault
from idp.directory.imports.run import Run
from idp.vocabulary.identifiers import Malformed, ProviderId, TradingPartnerId

PAGE: Final = 10_000
"""So many numbers of those listed are read at once."""
RowType = TypeVar("RowType")


class Source(Protocol):
    """The lines of one file, read as they come."""

    def bad(self, line: int, what: str) -> BadFile: ...

    def __iter__(self) -> Iterator[Line]: ...

    def part(self) -> str | None:
        """Once all is read: what the file says itself of being no whole one."""
        ...


class Seen(Protocol):
    """Which numbers the file has named so far."""

    def first(self, number: str, line: int) -> int | None:
        """The line that named it before, 0 where that is not remembered, `None` the first time."""
        ...

    def __contains__(self, number: object) -> bool: ...


class SeenLines:
    """For files of a payer: each number with its line."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}

    def first(self, number: str, line: int) -> int | None:
        before = self._lines.setdefault(number, line)
        return None if before == line else before

    def __contains__(self, number: object) -> bool:
        return number in self._lines


class Format(Protocol, Generic[RowType]):
    """One kind of file."""

    @property
    def name(self) -> str: ...
    @property
    def offers_full(self) -> bool: ...
    @property
    def national(self) -> bool:
        """Whether it fills NPI records, which are no registry's own."""
        ...

    @property
    def of_registries(self) -> bool:
        """Whether `--registry` may say whose it is."""
        ...

    @property
    def may_repeat(self) -> bool:
        """Whether a second line of the same key is refused alone, instead of the file."""
        ...

    @property
    def unread(self) -> Fault:
        """Why a line without cells is refused."""
        ...

    def read(self, stream: BinaryIO, *, name: str) -> Source: ...

    def seen(self) -> Seen: ...

    def identify(self, text: str) -> str:
        """The number that a cell holds, as `missing` lists it, whatever way it is written; empty where it holds none."""
        ...

    def number(self, cells: Any) -> str:
        """What `missing` compares, of a line that may be wrong elsewhere."""
        ...

    def parse(self, cells: Any) -> RowType | tuple[Fault, ...] | None:
        """The row, or what is wrong with it; `None`: it is about something else."""
        ...

    def key(self, row: RowType) -> str:
        """What no two lines of a file may share."""
        ...

    def public_key(self, cells: Any) -> str:
        """What names a line in the rejects: never a TIN, never a PIN, empty when it is malformed."""
        ...

    def take(self, tx: Session, batch: Sequence[tuple[int, RowType]], run: Run) -> None: ...

    def missing(self, tx: Session, registry: str, seen: Seen, *, on: date) -> tuple[int, Sequence[Any]]:
        """How many are listed on the day, and which of them the file has not named; read in pages, so that none takes long."""
        ...

    def end(self, tx: Session, numbers: Sequence[Any], run: Run) -> int:
        """End what has left the file, and say how many of them had not ended meanwhile."""
        ...


class PayersFile:
    """What the payer's own CSV files share; the first column has the number."""

    columns: tuple[str, ...]
    identity: type[ProviderId] | type[TradingPartnerId] = ProviderId
    national = False
    of_registries = True
    may_repeat = False
    unread = Fault.COLUMN_COUNT

    def read(self, stream: BinaryIO, *, name: str) -> Source:
        return Lines(stream, name=name, columns=self.columns)

    def seen(self) -> Seen:
        return SeenLines()

    def identify(self, text: str) -> str:
        try:
            return str(self.identity.parse(text))
        except Malformed:
            return ""

    def number(self, cells: Mapping[str, str]) -> str:
        return self.identify(cells[self.columns[0]])

    def public_key(self, cells: Mapping[str, str]) -> str:
        return self.number(cells)

    def listed(self, registry: str, on: date) -> tuple[Column[str], ColumnElement[bool]] | None:
        """Which column has the numbers, and which of its rows count as on the roster; none where a file never ends others."""
        return None

    def missing(self, tx: Session, registry: str, seen: Seen, *, on: date) -> tuple[int, Sequence[str]]:
        count, leaving, after = 0, list[str](), ""
        if (listed := self.listed(registry, on)) is None:
            return count, leaving
        number, counts = listed
        query = select(number).where(counts).order_by(number).limit(PAGE)
        while page := tx.execute(query.where(number > after)).scalars().all():
            count, after = count + len(page), page[-1]
            leaving += (each for each in page if each not in seen)
        return count, leaving
