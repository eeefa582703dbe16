"""Whether a logo is only a drawing: an SVG without script, style, reference or anything foreign (DR-05)."""

import re
from typing import Final
from xml.etree import ElementTree

MAX_LOGO: Final = 20 * 1024
HEIGHT: Final = 36
WIDEST: Final = 160
_SPACE: Final = "{http://www.w3.org/2000/svg}"
_SHAPES: Final = frozenset(
    [
        "svg",
        "g",
        "title",
        "desc",
        "defs",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "linearGradient",
        "radialGradient",
        "stop",
        "clipPath",
    ]
)
_ATTRIBUTES: Final = frozenset(
    [
        "id",
        "viewBox",
        "width",
        "height",
        "x",
        "y",
        "x1",
        "y1",
        "x2",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "fx",
        "fy",
        "d",
        "points",
        "transform",
        "fill",
        "fill-opacity",
        "fill-rule",
        "clip-rule",
        "clip-path",
        "stroke",
        "stroke-width",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-opacity",
        "stroke-dasharray",
        "stroke-miterlimit",
        "opacity",
        "offset",
        "stop-color",
        "stop-opacity",
        "gradientUnits",
        "gradientTransform",
        "role",
        "aria-hidden",
        "focusable",
    ]
)
_LOCAL: Final = re.compile(r"url\(#[A-Za-z][A-Za-z0-9_-]*\)\Z", re.ASCII)


def wrong_logo(text: str) -> str | None:
    """Why this is not a logo that may be served, or `None`."""
    if len(text.encode()) > MAX_LOGO:
        return f"is larger than {MAX_LOGO // 1024} KB"
    if "<!" in text.replace("<!--", "") or "<?" in text.removeprefix('<?xml version="1.0" encoding="UTF-8"?>'):
        return "holds a declaration; a logo is plain shapes"
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  without declarations there are no entities to blow up
    except ElementTree.ParseError:
        return "is not well-formed XML"
    if root.tag != f"{_SPACE}svg":
        return "is not an SVG drawing"
    for element in root.iter():
        name = str(element.tag).removeprefix(_SPACE)
        if name not in _SHAPES:
            return f"holds <{name.rpartition('}')[2]}>, which is not a plain shape"
        for attribute, value in element.attrib.items():
            if attribute not in _ATTRIBUTES:
                return f"holds the attribute {attribute.rpartition('}')[2]}, which plain shapes do not need"
            if "(" in value and attribute not in ("transform", "gradientTransform") and not _LOCAL.match(value):
                return f"refers to something outside itself in {attribute}"
    return _wrong_size(root.get("viewBox", ""))


def _wrong_size(view_box: str) -> str | None:
    try:
        _, _, width, height = map(float, view_box.split())
    except ValueError:
        return "has no viewBox of four numbers"
    if not (height > 0 and 0 < width / height <= WIDEST / HEIGHT):
        return f"is wider than {WIDEST} at a height of {HEIGHT}"
    return None
