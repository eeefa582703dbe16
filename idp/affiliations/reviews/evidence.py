"""What a review proves: who had which access, what a manager said of it and when, what became of it; as CSV and as PDF."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext
from reportlab.lib.pagesizes import letter as paper
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import Place
from idp.affiliations.letters.page import BOLD, TEXT, typefaces
from idp.affiliations.reviews import facts
from idp.affiliations.reviews.models import AccessReview
from idp.audit.rules import formula_safe
from idp.foundation.i18n import localized
from idp.subjects import service as subjects

COLUMNS: Final = (
    "review", "portal", "target", "tin", "name", "user_id", "email", "levels_before", "levels_kept", "said_by", "said_at",
    "outcome",
)  # fmt: skip
WIDTH, HEIGHT = paper
_EDGE: Final = 54.0
_FOOT: Final = 54.0


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the review."""

    name: str
    user_id: str
    email: str
    before: tuple[str, ...]
    kept: tuple[str, ...] | None
    said_by: str
    said_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A review with everybody in it."""

    review: UUID
    portal: str
    target: str
    opened_at: datetime
    due_at: datetime
    confirmed_at: datetime | None
    confirmed_by: str
    closed_at: datetime | None
    rows: tuple[Row, ...]


def evidence_of(tx: Session, place: Place, row: AccessReview) -> Evidence:
    """Everything, as it stands; of a review that is open, only those of whom something was said."""
    names: dict[str, str] = {}

    def name(subject_id: str | None) -> str:
        if subject_id is None:
            return ""
        if subject_id not in names:
            subject = subjects.by_id(tx, subject_id=subject_id)
            names[subject_id] = subject.name if subject is not None else subject_id
        return names[subject_id]

    rows = tuple(
        Row(
            subject.display_name or " ".join(part for part in (subject.given_name, subject.family_name) if part),
            subject.user_id or "",
            subject.email or "",
            tuple(item.levels_before),
            None if item.levels_kept is None else tuple(item.levels_kept),
            name(item.said_by),
            item.said_at,
            item.outcome or "",
        )
        for item, subject in facts.items(tx, row.id)
    )
    return Evidence(
        row.id, place.party.client_id, place.target.name, row.opened_at, row.due_at, row.confirmed_at,
        name(row.confirmed_by), row.closed_at, tuple(sorted(rows, key=lambda each: (each.name.casefold(), each.email))),
    )  # fmt: skip


def as_csv(found: Evidence, *, tin: str) -> Iterator[str]:
    """A row a person, safe to open in a spreadsheet (ST-13)."""
    yield _line(COLUMNS)
    for each in found.rows:
        kept = "" if each.kept is None else ";".join(each.kept) or "none"
        at = each.said_at.isoformat() if each.said_at else ""
        about = (str(found.review), found.portal, found.target, tin, each.name, each.user_id, each.email)
        yield _line((*about, ";".join(each.before), kept, each.said_by, at, each.outcome))


def as_pdf(found: Evidence, *, tin: str, place: Place, outcomes: Mapping[str, Any]) -> bytes:
    """The same on paper: what was reviewed at the head, a person a paragraph, pages numbered."""
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


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([formula_safe(cell) for cell in cells])
    return text.getvalue()


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
