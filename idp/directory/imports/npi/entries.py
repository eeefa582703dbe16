"""Reading a FHIR bundle entry by entry without trusting it or holding it: the bundle may be larger than the memory."""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from idp.directory.imports.files import BadFile, Line, packed

LONGEST_ENTRY: Final = 1024 * 1024
_CHUNK: Final = 64 * 1024
_BLANKS: Final = " \t\r\n"
_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{0,63}", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_OTHER_PAGES: Final = ("next", "previous", "prev")
_BESIDE: Final = ("include", "outcome")
"""What a searchset holds beside its matches, and `total` does not count (FHIR R4, `Bundle.total`, `search-entry-mode`)."""
_OF_BUNDLE: Final = frozenset({"resourceType", "type", "total", "link"})


class Entries:
    """The resources of one JSON bundle, each with the line on which its entry begins, its number and what FHIR calls it.

    An entry that deletes a resource has none to be read.
    """

    def __init__(self, stream: BinaryIO, *, name: str) -> None:
        self._stream = stream
        self._name = name
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._line = 1
        self._over = False
        self._count = 0
        self._beside = 0
        self._said: dict[str, Any] = {}

    def bad(self, line: int, what: str) -> BadFile:
        return BadFile(self._name, line, what)

    def __iter__(self) -> Iterator[Line]:
        self._opening()
        has_entries = False
        for _ in self._members("}"):
            member = self._value()
            self._take(":", "a colon is missing")
            if member == "entry":
                has_entries = True
                yield from self._entries()
            else:
                value = self._value()
                if member in _OF_BUNDLE:
                    self._said[member] = value
        if self._next(at_end=True):
            raise self.bad(self._line, "something stands after the bundle")
        if self._said.get("resourceType") != "Bundle" or not (has_entries or self._said.get("type") == "searchset"):
            raise self.bad(1, "this is not a FHIR bundle with entries")

    def part(self) -> str | None:
        """Known once all is read: a page of a searchset says which is the next or was the last (FHIR R4, 3.1.1.4), or that
        there are more."""
        links, total = self._said.get("link"), self._said.get("total")
        every = links if isinstance(links, list) else []
        if any(isinstance(each, dict) and each.get("relation") in _OTHER_PAGES for each in every):
            return "the bundle is one page of several, its link names another"
        if isinstance(total, int) and total > self._count - self._beside:
            return "the bundle says itself that there are more entries"
        return None

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
        for _ in self._members("]"):
            line, entry = self._line, _object(self._value())
            self._count += 1
            self._beside += _object(entry.get("search")).get("mode") in _BESIDE
            resource, request = _object(entry.get("resource")), _object(entry.get("request"))
            if request.get("method") == "DELETE":
                url = request.get("url")
                about = _about(*(url if isinstance(url, str) else "").partition("/")[::2])
                yield Line(line, None, place=f"Entry {self._count}{about}")
            else:
                about = _about(resource.get("resourceType"), resource.get("id"))
                yield Line(line, resource, place=f"Entry {self._count}{about}")

    def _members(self, end: str) -> Iterator[None]:
        """Each time another member begins, until the object or list ends; a comma stands between two, and nowhere else."""
        goes_on = self._next() != end
        while goes_on:
            yield
            goes_on = self._next() != end
            if goes_on:
                self._take(",", "a comma is missing")
                if self._next() == end:
                    raise self.bad(self._line, "a comma stands behind the last one")
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


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _about(kind: object, identity: object) -> str:
    """Type and id of a resource, as far as they have FHIR's form: nothing else of it is shown."""
    if not (isinstance(kind, str) and _TYPE.fullmatch(kind)):
        return ""
    is_one = isinstance(identity, str) and _ID.fullmatch(identity)
    return f", {kind}/{identity}" if is_one else f", {kind}"
