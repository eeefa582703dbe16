"""Reading a file line by line without trusting it: encoding, header, length, and an end that is an end."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

LONGEST_LINE: Final = 64 * 1024
NOT_ENDED: Final = "the file ends without a line end and may be cut short; if it is whole, end its last line"
BOM: Final = b"\xef\xbb\xbf"
ZIP: Final = b"PK\x03\x04"
PACKED: Final = {ZIP: "a zip archive", b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstandard"}
SHEET: Final = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/")
"""How the first entry of an OOXML spreadsheet is called (ECMA-376, part 2)."""
_ENTRY_NAME: Final = 30
"""Where it stands in a zip archive."""


class BadFile(ValueError):
    """The file as a whole cannot be read on; the message names file and line and quotes nothing from it."""

    def __init__(self, name: str, line: int, what: str) -> None:
        super().__init__(f"{name}, line {line}: {what}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Line:
    """One record, by the line on which it begins; `cells` is `None` where they cannot be read, such as with too few columns."""

    number: int
    cells: Any
    opening: str = ""
    """Its first cell, whatever the others are."""
    place: str = ""
    """Where a line tells too little: which entry of the file it is, in words."""


class Lines:
    """The records of one CSV stream (RFC 4180, UTF-8, a byte order mark tolerated, the columns exactly as expected).

    The last line must be ended too: of one that is not, nobody knows whether all of its last cell is there.

    A row is read as its cells by name, or by `shape`, which a format needs that has had other layouts, `also`.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        name: str,
        columns: tuple[str, ...],
        also: Sequence[tuple[str, ...]] = (),
        shape: Callable[[list[str]], Any] | None = None,
    ) -> None:
        self._stream = stream
        self._name = name
        self._layouts = (columns, *also)
        self._shape = shape or (lambda cells: dict(zip(columns, cells, strict=True)))
        self._read = 0
        self._begun = 1
        self._held = 0
        self._cut = False

    def bad(self, line: int, what: str) -> BadFile:
        return BadFile(self._name, line, what)

    def part(self) -> None:
        """A CSV file says nothing of being no whole one."""

    def __iter__(self) -> Iterator[Line]:
        records = csv.reader(self._texts(), strict=True)
        width = len(self._layout(self._next(records)))
        if self._cut:
            raise self.bad(1, NOT_ENDED)
        while (cells := self._next(records)) is not None:
            if not cells:
                continue
            whole = len(cells) == width
            if self._cut:
                raise self.bad(records.line_num, NOT_ENDED if whole else "the file ends in the middle of a row")
            yield Line(self._begun, self._shape(cells) if whole else None, cells[0])

    def _next(self, records: Iterator[list[str]]) -> list[str] | None:
        self._begun, self._held = self._read + 1, 0
        try:
            return next(records, None)
        except csv.Error as error:
            is_open = "end of data" in str(error)
            what = "the file ends inside a quoted field that begins here" if is_open else "the quoting is broken"
            raise self.bad(self._begun, what) from None

    def _layout(self, header: list[str] | None) -> tuple[str, ...]:
        if header is None:
            raise self.bad(1, "the file is empty")
        if tuple(header) in self._layouts:
            return tuple(header)
        columns = max(self._layouts, key=lambda layout: _agree(layout, header))
        place = _agree(columns, header)
        if place < len(columns):
            raise self.bad(1, f"column {place + 1} of the header must be {columns[place]}")
        raise self.bad(1, f"the header must have {len(columns)} columns, it has {len(header)}")

    def _texts(self) -> Iterator[str]:
        while raw := self._stream.readline(LONGEST_LINE + 1):
            self._read += 1
            if self._read == 1:
                raw = self._opening(raw)
            if len(raw) > LONGEST_LINE:
                raise self.bad(self._read, f"the line is longer than {LONGEST_LINE // 1024} KiB")
            self._held += len(raw)
            if self._held > LONGEST_LINE:
                raise self.bad(self._begun, f"the row is longer than {LONGEST_LINE // 1024} KiB: is a quote left open?")
            if b"\x00" in raw:
                raise self.bad(self._read, "this is binary data, not UTF-8 text")
            self._cut = not raw.endswith((b"\n", b"\r"))
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError:
                raise self.bad(self._read, "this is not UTF-8 text") from None

    def _opening(self, raw: bytes) -> bytes:
        if what := packed(raw, self._stream):
            raise self.bad(1, what)
        return raw.removeprefix(BOM)


def packed(opening: bytes, rest: BinaryIO) -> str | None:
    """What is to be said of a file that begins like this, where that is an archive; nothing of it is unpacked."""
    if opening.startswith(ZIP) and (opening + rest.read(64))[_ENTRY_NAME:].startswith(SHEET):
        return "this is a spreadsheet; save it as CSV"
    return next(
        (f"this is {what}; unpack it first" for magic, what in PACKED.items() if opening.startswith(magic)), None
    )


def _agree(layout: tuple[str, ...], header: list[str]) -> int:
    """How many leading columns are as they must be."""
    same = 0
    for expected, found in zip(layout, header, strict=False):
        if expected != found:
            break
        same += 1
    return same
