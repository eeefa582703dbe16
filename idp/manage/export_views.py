"""The list as CSV (ST-13): what the tab and the search show, streamed a page at a time; that it was taken is kept."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from idp.affiliations.deciding.facts import Place
from idp.audit import service as audit
from idp.audit.events import Event
from idp.audit.rules import formula_safe
from idp.foundation import clock, house, parsing
from idp.foundation.database import reading, see_as, writing
from idp.foundation.downloads import download
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.manage import facts
from idp.manage.entrance import enter
from idp.manage.forms import ExportForm
from idp.manage.rules import Filter, Key, Row, filter_of
from idp.settings import Settings

bp = Blueprint("manage_export", __name__, url_prefix="/manage")

COLUMNS: Final = (
    "name", "first_name", "last_name", "user_id", "email", "status", "account_manager", "levels", "last_sign_in",
)  # fmt: skip
_A_READ: Final = 500


@bp.post("/<client_id>/<uuid:target_id>/people/export")
@route_policy(auth="session", bucket="manage")
def people(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """The people of this target, and of no other."""
    opened, form = enter(client_id, target_id), parsing.form(ExportForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    now, shown, target = clock.now(), filter_of(form.status), opened.place.target
    with writing() as tx:
        audit.append(
            tx,
            Event.PEOPLE_EXPORTED,
            now=now,
            actor=opened.acting.subject_id,
            origin=origin(),
            client_id=client_id,
            target_kind=target.kind.value,
            target_id=target.id,
            details={"status": shown.value, "searched": bool(form.q)},
        )
    parts = _file(opened.place, shown=shown, search=form.q.strip(), now=now)
    return download(parts, name=f"people-{now.date().isoformat()}.csv")


def _file(place: Place, *, shown: Filter, search: str, now: datetime) -> Iterator[str]:
    """Each page is a short read of its own, so that a slow download holds no connection."""
    yield _line(COLUMNS)
    after: Key | None = None
    while True:
        with reading() as tx:
            see_as(tx, target_id=place.target.id)
            dormancy = house.get(Settings).dormancy
            page = facts.people(
                tx, place, shown=shown, search=search, after=after, now=now, dormancy=dormancy, limit=_A_READ
            )
        yield "".join(_line(_cells(row)) for row in page.rows)
        if page.after is None:
            return
        after = page.after


def _cells(row: Row) -> tuple[str, ...]:
    signed_in = row.last_sign_in_at.isoformat() if row.last_sign_in_at is not None else ""
    manager = "yes" if row.account_manager else "no"
    names = (row.name, row.first_name, row.last_name, row.user_id, row.email)
    return (*names, row.status.value, manager, " ".join(row.levels), signed_in)


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([formula_safe(cell) for cell in cells])
    return text.getvalue()
