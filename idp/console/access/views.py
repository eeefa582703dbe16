"""The question, its answer, and the answer as a file."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from idp.affiliations.standing import labels, service, sheet
from idp.audit import service as audit
from idp.audit.events import Event
from idp.console.access.forms import AskForm, ExportForm
from idp.console.pages import actor, page
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.downloads import download
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_access", __name__, url_prefix="/console/access")
UNKNOWN = _("No practice has or had this Tax ID.")
UNREADABLE = _("A Tax ID has nine digits, a day is written 2026-11-25.")


@bp.get("")
@route_policy(auth="session", staff=StaffMay.READ_AUDIT)
def index() -> ResponseReturnValue:
    """The question; with a practice and a day in the address, its answer, a page at a time."""
    practice, on = _uuid(request.args.get("practice", "")), _day(request.args.get("day", ""))
    if practice is None or on is None:
        return _page()
    with reading() as tx:
        asked = service.ask(tx, on=on, now=clock.now(), practice_id=practice, every_owner=True)
        if asked is None:
            abort(404)
        after = request.args.get("after", "")[:64]
        lines, more = service.page(tx, asked, after=after)
        names = service.named(tx, lines)
    next_page = url_for("console_access.index", practice=practice, day=on, after=more) if more else None
    first = url_for("console_access.index", practice=practice, day=on) if after else None
    return _page(asked=asked, practice=practice, lines=lines, names=names, more=next_page, first=first)


@bp.post("")
@route_policy(auth="session", staff=StaffMay.READ_AUDIT)
def asked() -> ResponseReturnValue:
    """From the number typed to an address that does not hold it."""
    form = parsing.form(AskForm, request.form)
    if isinstance(form, FormErrors):
        if "" in form:
            abort(400)
        return _page(problem=UNREADABLE), 422
    with reading() as tx:
        found = service.ask(tx, on=form.day, now=clock.now(), tin=form.tin.strip())
    if found is None:
        return _page(problem=UNKNOWN), 422
    return redirect(url_for("console_access.index", practice=found.practices[0].id, day=form.day.isoformat()), 303)


@bp.post("/export")
@route_policy(auth="session", staff=StaffMay.READ_AUDIT)
def export() -> ResponseReturnValue:
    """The whole answer as CSV; that it was taken out is audited."""
    form = parsing.form(ExportForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    now = clock.now()
    with writing() as tx:
        found = service.ask(tx, on=form.day, now=now, practice_id=form.practice, every_owner=True)
        if found is None:
            abort(404)
        audit.append(
            tx,
            Event.AUDIT_EXPORTED,
            now=now,
            actor=actor(),
            origin=origin(),
            target_kind="practice",
            target_id=form.practice,
            details={"what": "access", "day": form.day},
        )
    return download(sheet.file(found), name=f"access-{form.day.isoformat()}-{found.practices[0].tin_last4}.csv")


def _page(**shown: Any) -> str:
    return page(
        "console/access/index.html",
        at="access",
        typed=request.form,
        today=clock.now().date(),
        names_of=labels.names_of(),
        **{"asked": None, "lines": (), "problem": None} | shown,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text[:36]) if text else None
    except ValueError:
        return None
