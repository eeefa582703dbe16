"""The evidence of a review on paper; whoever wants it loads this then: typefaces and Pillow are not for every server."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from flask_babel import gettext
from reportlab.lib.pagesizes import letter as paper
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from idp.affiliations.deciding.facts import Place
from idp.affiliations.letters.page import BOLD, TEXT, typefaces
from idp.affiliations.reviews.evidence import Evidence, Row
from idp.foundation.i18n import localized

WIDTH, HEIGHT = paper
_EDGE: Final = 54.0
_FOOT: Final = 54.0


def as_pdf(found: Evidence, *, tin: str, place: Place, outcomes: Mapping[str, Any]) -> bytes:
    """What was reviewed at the head, a person a paragraph, pages numbered."""
    typefaces()
    labels = {level.key: str(localized(level.label)) for level in place.party.manifest.levels}
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=paper, pageCompression=1)
    canvas.setTitle(gettext("Access review"))
    canvas.setCreator("Credence")
    sheet = _Sheet(canvas)
    sheet.text(gettext("Access review"), font=BOLD, size=16, leading=22)
    for line in _head(found, tin=tin, place=place):
        sheet.text(line)
    sheet.space(10)
    for each in found.rows:
        sheet.keep_together(46)
        sheet.text(f"{each.name}  {each.user_id or each.email}", font=BOLD, size=10)
        sheet.text(gettext("Before: %(levels)s", levels=_levels(each.before, labels)))
        sheet.text(_said(each, labels))
        if each.outcome:
            sheet.text(gettext("What became of it: %(outcome)s", outcome=outcomes[each.outcome]))
        sheet.space(6)
    sheet.end()
    canvas.save()
    return buffer.getvalue()


def _head(found: Evidence, *, tin: str, place: Place) -> Iterable[str]:
    yield f"{place.party.manifest.name}: {found.target} {tin}"
    yield gettext(
        "Begun %(begun)s, to be finished by %(due)s (UTC).", begun=_moment(found.opened_at), due=_moment(found.due_at)
    )
    if found.confirmed_at is not None:
        yield gettext("Confirmed by %(name)s, %(moment)s.", name=found.confirmed_by, moment=_moment(found.confirmed_at))
    elif found.closed_at is not None:
        yield gettext("Nobody confirmed it in time; what nobody kept ended then.")
    else:
        yield gettext("Not confirmed yet.")
    yield gettext("People: %(count)s", count=len(found.rows))
    yield str(found.review)


def _said(each: Row, labels: Mapping[str, str]) -> str:
    if each.kept is None:
        return str(gettext("Nobody said anything."))
    kept = _levels(each.kept, labels) if each.kept else gettext("nothing")
    moment = _moment(each.said_at) if each.said_at else ""
    return str(
        gettext("Kept: %(levels)s. Said by %(name)s, %(moment)s.", levels=kept, name=each.said_by, moment=moment)
    )


def _levels(levels: Sequence[str], labels: Mapping[str, str]) -> str:
    return ", ".join(labels.get(level, level) for level in levels) or "–"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


class _Sheet:
    """Lines from the top; a page ends when its foot is reached."""

    def __init__(self, canvas: Any) -> None:
        self._canvas, self._y, self._number = canvas, HEIGHT - _EDGE, 1

    def text(self, text: str, *, font: str = TEXT, size: float = 9.5, leading: float = 13) -> None:
        for line in simpleSplit(text, font, size, WIDTH - 2 * _EDGE):
            self.keep_together(leading)
            self._canvas.setFont(font, size)
            self._canvas.drawString(_EDGE, self._y, line)
            self._y -= leading

    def space(self, height: float) -> None:
        self._y -= height

    def keep_together(self, height: float) -> None:
        if self._y - height < _FOOT:
            self.end()
            self._y, self._number = HEIGHT - _EDGE, self._number + 1

    def end(self) -> None:
        self._canvas.setFont(TEXT, 8.5)
        self._canvas.drawRightString(WIDTH - _EDGE, _FOOT - 18, str(self._number))
        self._canvas.showPage()
