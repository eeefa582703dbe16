"""XML from elsewhere: refused unless it is plain, then read into values that no parser can change (SECURITY D8, FE-33).

Only this module and `xml_signature` import lxml. No document type, entity, processing instruction or marked section
reaches the parser, so nothing in a document can name another one or grow; size, depth and number of elements are capped.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from idp.vocabulary.refused import Refused

SIZE: Final = 98304
"""Bytes of a message; the wall lets no larger body in than 128 KB, and base64 adds a third."""
METADATA_SIZE: Final = 2097152
DEPTH: Final = 32
ELEMENTS: Final = 4000
ATTRIBUTES: Final = 32
_DECLARATION: Final = re.compile(
    rb"""\A\s*<\?xml\s+version=["']1\.0["'](?:\s+encoding=["']utf-8["'])?(?:\s+standalone=["'](?:yes|no)["'])?\s*\?>""",
    re.IGNORECASE,
)
_COMMENT: Final = re.compile(rb"<!--(?:[^-]|-[^-])*-->")
_INCLUDING: Final = frozenset({"http://www.w3.org/2001/XInclude", "http://www.w3.org/1999/XSL/Transform"})


class Reason(StrEnum):
    """Why a document is not read."""

    TOO_LARGE = "too_large"
    NOT_PLAIN = "not_plain"
    """A document type, an entity, a comment, an instruction, a marked section, or another encoding than UTF-8."""
    MALFORMED = "malformed"
    TOO_DEEP = "too_deep"


@dataclass(frozen=True, slots=True)
class Node:
    """One element, for good: its `{namespace}name`, attributes, own text, and children."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple["Node", ...] = ()

    def all(self, name: str) -> tuple["Node", ...]:
        """The children of that name."""
        return tuple(child for child in self.children if child.name == name)

    def only(self, name: str) -> "Node | None":
        """The child of that name, if there is just one."""
        found = self.all(name)
        return found[0] if len(found) == 1 else None

    def everything(self) -> Iterator["Node"]:
        """This element and all below it."""
        yield self
        for child in self.children:
            yield from child.everything()


def parse(document: bytes, *, comments: bool = False, size: int = SIZE) -> "etree._Element | Refused":
    """The root of a plain document. `comments` may stand in a file that people write; in a message nobody wants them."""
    if len(document) > size:
        return Refused(Reason.TOO_LARGE)
    try:
        document.decode("utf-8")
    except UnicodeDecodeError:
        return Refused(Reason.NOT_PLAIN)
    if comments:
        document = _COMMENT.sub(b"", document.removeprefix(b"\xef\xbb\xbf"))
    plain = _DECLARATION.sub(b"", document, count=1)
    if b"<!" in plain or b"<?" in plain or b"\x00" in plain:
        return Refused(Reason.NOT_PLAIN)
    try:
        root = etree.fromstring(plain, parser=parser())
    except (etree.XMLSyntaxError, ValueError):
        return Refused(Reason.MALFORMED)
    return _too_much(root) or root


def parser() -> "etree.XMLParser":
    """A parser that resolves nothing, fetches nothing and has the library's own limits; each is used by one thread."""
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, collect_ids=False
    )


def read(document: bytes, *, comments: bool = False, size: int = SIZE) -> Node | Refused:
    """A plain document as values."""
    root = parse(document, comments=comments, size=size)
    return root if isinstance(root, Refused) else node_of(root)


def node_of(element: "etree._Element") -> Node:
    """The values of an element that was judged by `parse`; text that children interrupt is not put together."""
    return Node(
        str(element.tag),
        MappingProxyType({str(name): str(value) for name, value in element.attrib.items()}),
        element.text or "",
        tuple(node_of(child) for child in element),
    )


def written(node: Node, *, prefixes: Mapping[str, str]) -> str:
    """A document of our own; `prefixes` are the namespaces that it uses, by the prefix that each is written with."""
    spelled = {namespace: prefix for prefix, namespace in prefixes.items()}
    declared = "".join(f" xmlns:{prefix}={quoteattr(namespace)}" for prefix, namespace in prefixes.items())
    return _write(node, spelled, declared)


def _write(node: Node, spelled: Mapping[str, str], declared: str) -> str:
    namespace, _, local = node.name[1:].rpartition("}")
    name = f"{spelled[namespace]}:{local}"
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in node.attributes.items())
    inner = escape(node.text) + "".join(_write(child, spelled, "") for child in node.children)
    return f"<{name}{declared}{attributes}>{inner}</{name}>" if inner else f"<{name}{declared}{attributes}/>"


def _too_much(root: "etree._Element") -> Refused | None:
    """Counted without recursion, before anything walks the tree by it."""
    waiting = [(root, 1)]
    seen = 0
    while waiting:
        element, depth = waiting.pop()
        seen += 1
        if depth > DEPTH or seen > ELEMENTS or len(element.attrib) > ATTRIBUTES:
            return Refused(Reason.TOO_DEEP)
        if not isinstance(element.tag, str) or etree.QName(element).namespace in _INCLUDING:
            return Refused(Reason.NOT_PLAIN)
        waiting.extend((child, depth + 1) for child in element)
    return None
