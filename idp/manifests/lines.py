"""Which line of a TOML file holds a key: `tomllib` reads values, this finds where they stand."""

from typing import Final

from idp.relying_parties.faults import Path

_BLANK: Final = " \t\r\n"
_ENDS_BARE: Final = " \t\r\n=.,]}#"


def lines_of(text: str) -> dict[Path, int]:
    """Line, counted from 1, of every key, table and list entry. `text` must be TOML that `tomllib` accepts."""
    return _Scanner(text).scan()


def line_of(path: Path, *, lines: dict[Path, int]) -> int:
    """The line of a key, or of the nearest table around a key that is not there."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


class _Scanner:
    """Walks the text once; values are skipped, only their places are kept."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip_blank():
            if self._text.startswith("[[", self._at):
                self._forward(2)
                table = self._entered(self._key())
                number = self._counts.get(table, -1) + 1
                self._counts[table] = number
                self._lines.setdefault(table, self._line)
                table = (*table, number)
                self._lines[table] = self._line
                self._through("]]")
            elif self._text[self._at] == "[":
                self._forward(1)
                table = self._entered(self._key())
                self._lines[table] = self._line
                self._through("]")
            else:
                self._pair(table)
        return self._lines

    def _entered(self, key: Path) -> Path:
        """A header's path, through the latest entry of each list of tables on its way; it opens tables above it too."""
        path: Path = ()
        for part in key[:-1]:
            path = (*path, part)
            self._lines.setdefault(path, self._line)
            if path in self._counts:
                path = (*path, self._counts[path])
        return (*path, key[-1])

    def _pair(self, table: Path) -> None:
        line = self._line
        key = self._key()
        for length in range(1, len(key) + 1):
            self._lines.setdefault((*table, *key[:length]), line)
        self._skip_blank()
        self._forward(1)
        self._skip_blank()
        self._value((*table, *key))

    def _key(self) -> Path:
        parts: list[str] = []
        while True:
            self._skip_blank()
            if self._text[self._at] in "\"'":
                start = self._at + 1
                self._string()
                parts.append(self._text[start : self._at - 1])
            else:
                start = self._at
                while self._text[self._at] not in _ENDS_BARE:
                    self._forward(1)
                parts.append(self._text[start : self._at])
            self._skip_blank()
            if self._text[self._at] != ".":
                return tuple(parts)
            self._forward(1)

    def _value(self, path: Path) -> None:
        self._lines.setdefault(path, self._line)
        match self._text[self._at]:
            case "[":
                self._sequence(path, "]")
            case "{":
                self._sequence(path, "}")
            case '"' | "'":
                self._string()
            case _:
                while self._at < len(self._text) and self._text[self._at] not in ",]}#\r\n":
                    self._forward(1)

    def _sequence(self, path: Path, close: str) -> None:
        """A list or an inline table."""
        self._forward(1)
        number = 0
        while self._skip_blank() and self._text[self._at] != close:
            if self._text[self._at] == ",":
                self._forward(1)
            elif close == "]":
                self._value((*path, number))
                number += 1
            else:
                self._pair(path)
        self._forward(1)

    def _string(self) -> None:
        quote = self._text[self._at]
        mark = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._forward(len(mark))
        while not self._text.startswith(mark, self._at):
            self._forward(2 if quote == '"' and self._text[self._at] == "\\" else 1)
        self._forward(len(mark))
        while len(mark) == 3 and self._text.startswith(quote, self._at):
            self._forward(1)

    def _skip_blank(self) -> bool:
        """Past blanks and comments; whether anything is left."""
        while self._at < len(self._text):
            if self._text[self._at] == "#":
                while self._at < len(self._text) and self._text[self._at] != "\n":
                    self._at += 1
            elif self._text[self._at] in _BLANK:
                self._forward(1)
            else:
                return True
        return False

    def _through(self, mark: str) -> None:
        while not self._text.startswith(mark, self._at):
            self._forward(1)
        self._forward(len(mark))

    def _forward(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count
