"""Setting letters: US Letter, one a page, the address where a No. 10 window envelope shows it, the PIN where it does not.

Only reportlab's canvas is used: its paragraphs read markup, and names are other people's text.
"""

import io
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import pymupdf_fonts
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import letter as paper
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from idp.affiliations.letters.content import Content, TooLong

WIDTH, HEIGHT = paper
INCH: Final = 72.0
LEFT: Final = 0.9 * INCH
RIGHT: Final = WIDTH - 0.9 * INCH
FOLDS: Final = (HEIGHT / 3, 2 * HEIGHT / 3)
WINDOW: Final = 3.9 * INCH
"""Width of an address; the window is 4½ inches wide, and the sheet may slip in the envelope."""
FOOT: Final = 1.05 * INCH
SIZES: Final = (10.5, 9.5, 8.5)
TEXT, BOLD, CODE = "FiraGO", "FiraGO-Bold", "CascadiaMono-Bold"
_FILES: Final = {TEXT: "figo", BOLD: "figbo", CODE: "cascadiab"}
_INK: Final = "#16212B"
_QUIET: Final = "#4B5B68"
_LINE: Final = "#A5B4C0"


def document(contents: Sequence[Content], *, title: str, language: str) -> bytes:
    """The letters as one PDF, with their typefaces inside."""
    typefaces()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=paper, lang=language, pageCompression=1)
    canvas.setTitle(title)
    canvas.setCreator("Credence")
    scratch = Canvas(io.BytesIO(), pagesize=paper)
    for content in contents:
        _Sheet(canvas, content, size=_fitting(scratch, content)).draw()
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _fitting(scratch: Any, content: Content) -> float:
    """The largest size at which the words stand above the foot; `TooLong` where none is."""
    for size in SIZES:
        sheet = _Sheet(scratch, content, size=size)
        sheet.draw()
        scratch.showPage()
        if sheet.y_of_text >= FOOT:
            return size
    raise TooLong(content.portal)


@cache
def typefaces() -> None:
    """Register the typefaces, once for the process."""
    for name, code in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, io.BytesIO(pymupdf_fonts.myfont(code))))


class _Sheet:
    """One page, drawn from the top; `y` is where the next line stands."""

    def __init__(self, canvas: Any, content: Content, *, size: float) -> None:
        self.canvas, self.content, self.size = canvas, content, size
        self.y = self.y_of_text = HEIGHT

    def draw(self) -> None:
        self._head()
        self._address()
        self._folds()
        self.y = HEIGHT - 4.15 * INCH
        self._text(self.content.heading, font=BOLD, size=17, leading=22)
        self.y -= 4
        self._text(self.content.intro)
        self._box()
        self._text(self.content.what_to_do, font=BOLD, size=12, leading=18)
        self._steps()
        self.y -= 6
        self._text(self.content.keep, font=BOLD, size=12, leading=18)
        for sentence in self.content.advice:
            self._text(sentence)
            self.y -= 2
        self._foot()

    def _head(self) -> None:
        self.canvas.setFillColor(HexColor(self.content.accent))
        self.canvas.rect(LEFT, HEIGHT - 0.62 * INCH, RIGHT - LEFT, 3, stroke=0, fill=1)
        self.y = HEIGHT - 0.95 * INCH
        top = self.y
        self._text(self.content.portal, font=BOLD, size=14, leading=18, width=4.2 * INCH)
        self._set(TEXT, 10.5)
        self.canvas.drawRightString(RIGHT, top, self.content.date)

    def _address(self) -> None:
        """From 2.1 to 3 inches below the edge: within the window, above the first fold."""
        name, *rest = self.content.address
        lines = simpleSplit(name, TEXT, 11, WINDOW)
        if len(lines) > 3:
            lines = [*lines[:2], lines[2].rstrip() + "…"]
        self.y = HEIGHT - 2.2 * INCH
        for line in (*lines, *rest):
            self._set(TEXT, 11)
            self.canvas.drawString(LEFT, self.y, line)
            self.y -= 14

    def _folds(self) -> None:
        self.canvas.setStrokeColor(HexColor(_LINE))
        self.canvas.setLineWidth(0.5)
        for fold in FOLDS:
            self.canvas.line(0.2 * INCH, fold, 0.38 * INCH, fold)

    def _box(self) -> None:
        """Login ID and PIN, as large as can be, in a typeface of one width with a stroke through its zero."""
        until = simpleSplit(self.content.until, TEXT, 10.5, RIGHT - LEFT - 32)
        spelled = simpleSplit(self.content.spelled, TEXT, 10.5, RIGHT - LEFT - 32)
        height = 72 + 15 * (len(until) + len(spelled))
        self.y -= 8
        self.canvas.setStrokeColor(HexColor(_INK))
        self.canvas.setLineWidth(1)
        self.canvas.roundRect(LEFT, self.y - height + 8, RIGHT - LEFT, height, 6)
        top, middle = self.y - 12, LEFT + 2.85 * INCH
        for x, label, value in (
            (LEFT + 16, self.content.login_label, self.content.login_id),
            (middle, self.content.pin_label, self.content.pin),
        ):
            self._set(TEXT, 9.5, _QUIET)
            self.canvas.drawString(x, top, label)
            self._set(CODE, 24)
            self.canvas.drawString(x, top - 30, value, charSpace=2)
        self.y = top - 52
        for line in (*spelled, *until):
            self._set(TEXT, 10.5)
            self.canvas.drawString(LEFT + 16, self.y, line)
            self.y -= 15
        self.y -= 22

    def _steps(self) -> None:
        address, *others = self.content.steps
        self._text(address, indent=17, mark="1.")
        self._text(self.content.url, font=CODE, indent=17)
        for number, step in enumerate(others, start=2):
            self._text(step, indent=17, mark=f"{number}.")

    def _foot(self) -> None:
        self.y_of_text = self.y
        self.y = 0.85 * INCH
        self.canvas.setStrokeColor(HexColor(_LINE))
        self.canvas.line(LEFT, self.y + 14, RIGHT, self.y + 14)
        top = self.y
        self._text(self.content.help, width=RIGHT - LEFT - 1.5 * INCH)
        self._set(TEXT, 9, _QUIET)
        self.canvas.drawRightString(RIGHT, top, self.content.reference)

    def _text(
        self,
        text: str,
        *,
        font: str = TEXT,
        size: float | None = None,
        leading: float | None = None,
        indent: float = 0,
        width: float | None = None,
        mark: str = "",
    ) -> None:
        size = size or self.size
        leading = leading or self.size + 4.5
        self._set(font, size)
        if mark:
            self.canvas.drawString(LEFT, self.y, mark)
        for line in simpleSplit(text, font, size, (width or RIGHT - LEFT) - indent):
            self.canvas.drawString(LEFT + indent, self.y, line)
            self.y -= leading

    def _set(self, font: str, size: float, colour: str = _INK) -> None:
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(HexColor(colour))
