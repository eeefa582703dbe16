"""Reading a FHIR bundle entry by entry without trusting it or holding it: the bundle may be larger than the memory."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from idp.directory.imports.files import BadFile, Line, packed

LONGEST_ENTRY: Final = 1024 * 1024
_CHUNK: Final = 64 * 1024
_BLANKS: Final = " \t\r\n"


class Entries:
    """The resources of one JSON bundle, each with the line on which its entry begins."""

    def __init__(self, stream: BinaryIO, *, name: str) -> None:
        self._stream = stream
        self._name = name
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._line = 1
        self._over = False

    def bad(self, line: int, what: str) -> BadFile:
        return BadFile(self._name, line, what)

    def __iter__(self) -> Iterator[Line]:
        self._opening()
        kind, entries = None, False
        while self._next() != "}":
            member = self._value()
            self._take(":", "a colon is missing")
            if member == "entry":
                entries = True
                yield from self._entries()
            elif (value := self._value()) is not None and member == "resourceType":
                kind = value
            if self._next() == ",":
                self._at += 1
        self._at += 1
        if self._next(at_end=True):
            raise self.bad(self._line, "something stands after the bundle")
        if kind != "Bundle" or not entries:
            raise self.bad(1, "this is not a FHIR bundle with entries")

    def _opening(self) -> None:
        opening = self._stream.read(_CHUNK)
        if not opening:
            raise self.bad(1, "the file is empty")
        if what := packed(opening, self._stream):
            raise self.bad(1, what)
        self._text = self._decoded(opening)
        if self._next() != "{":
            raise self.bad(self._line, "this is not a JSON object")
        self._at += 1

    def _entries(self) -> Iterator[Line]:
        self._take("[", "the entries are not a list")
        while self._next() != "]":
            line = self._line
            entry = self._value()
            resource = entry.get("resource") if isinstance(entry, dict) else None
            yield Line(line, resource if isinstance(resource, dict) else {})
            if self._next() == ",":
                self._at += 1
        self._at += 1

    def _value(self) -> Any:
        """The next JSON value, read on for as long as it is not whole."""
        self._next()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except RecursionError:
                raise self.bad(self._line, "it is nested too deeply") from None
            except ValueError:
                if len(self._text) - self._at > LONGEST_ENTRY:
                    raise self.bad(self._line, "an entry is longer than 1 MiB, or is no JSON") from None
                if not self._more():
                    raise self.bad(self._line, "the file ends in the middle, or is no JSON") from None
                continue
            if end == len(self._text) and self._more():
                continue
            self._line += self._text.count("\n", self._at, end)
            self._at = end
            return value

    def _take(self, sign: str, otherwise: str) -> None:
        if self._next() != sign:
            raise self.bad(self._line, otherwise)
        self._at += 1

    def _next(self, *, at_end: bool = False) -> str:
        """The next sign that is no blank; it is left standing."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANKS:
                self._line += self._text[self._at] == "\n"
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                if at_end:
                    return ""
                raise self.bad(self._line, "the file ends in the middle")

    def _more(self) -> bool:
        if self._over:
            return False
        chunk = self._stream.read(_CHUNK)
        self._over = not chunk
        self._text = self._text[self._at :] + self._decoded(chunk)
        self._at = 0
        return not self._over

    def _decoded(self, chunk: bytes) -> str:
        if b"\x00" in chunk:
            raise self.bad(self._line, "this is binary data, not UTF-8 text")
        try:
            return self._decode(chunk, not chunk)
        except UnicodeDecodeError:
            raise self.bad(self._line, "this is not UTF-8 text") from None
