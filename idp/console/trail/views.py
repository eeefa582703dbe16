"""*Audit*: who did what, to whom, what was before and what after."""

from datetime import date, datetime
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from idp.audit import service as audit
from idp.audit.events import Event
from idp.console.pages import actor, page
from idp.console.staff.service import find
from idp.console.trail import export, facts
from idp.console.trail.facts import Key, Wanted
from idp.console.trail.forms import ExportForm, SearchForm
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.downloads import download
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_audit", __name__, url_prefix="/console/audit")
NOT_ENOUGH = _("Name a person, a target or an event.")
NOBODY = _("Nobody has that user ID, e-mail address or subject id.")
BAD_DAY = _("A day is written 2026-11-25.")


@bp.get("")
@route_policy(auth="session", staff=StaffMay.READ_AUDIT)
def index() -> ResponseReturnValue:
    """Events that fit, newest first; what no form of ours sends asks for nothing (AD-24)."""
    wanted = Wanted(
        subject_id=request.args.get("subject", "")[:64] or None,
        target_id=request.args.get("target", "")[:64] or None,
        event=_event(request.args.get("event", "")),
        day=_day(request.args.get("day", "")),
    )
    return _index(wanted, after=_key(request.args.get("after", "")))


@bp.post("")
@route_policy(auth="session", staff=StaffMay.READ_AUDIT)
def searched() -> ResponseReturnValue:
    """From what was typed to an address without anybody's login in it."""
    form = parsing.form(SearchForm, request.form)
    if isinstance(form, FormErrors):
        if set(form) != {"day"}:
            abort(400)
        return _index(Wanted(), problem=BAD_DAY), 422
    subject_id = None
    if form.person.strip():
        with reading() as tx:
            found = find(tx, form.person.strip())
        if isinstance(found, Refused):
            return _index(Wanted(), problem=NOBODY), 422
        subject_id = found.id
    wanted = Wanted(subject_id, form.target.strip() or None, form.event, form.day)
    if not wanted.is_enough:
        return _index(wanted, problem=NOT_ENOUGH), 422
    return redirect(_address(wanted), 303)


@bp.post("/export")
@route_policy(auth="session", staff=StaffMay.READ_AUDIT)
def exported() -> ResponseReturnValue:
    """All events that fit, as a file; that they were taken out is audited."""
    form = parsing.form(ExportForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    wanted = Wanted(form.subject or None, form.target or None, form.event, form.day)
    if not wanted.is_enough:
        abort(400)
    now = clock.now()
    with writing() as tx:
        audit.append(
            tx,
            Event.AUDIT_EXPORTED,
            now=now,
            actor=actor(),
            origin=origin(),
            subject_id=wanted.subject_id,
            details={
                "what": "events",
                "target": wanted.target_id,
                "event": wanted.event,
                "day": wanted.day,
                "format": form.format,
            },
        )
    as_json = form.format == "json"
    parts, name = export.lines(wanted, as_json=as_json), f"audit-{now.date().isoformat()}"
    if as_json:
        return download(parts, name=f"{name}.jsonl", mimetype="application/x-ndjson")
    return download(parts, name=f"{name}.csv")


def _address(wanted: Wanted, *, after: Key | None = None) -> str:
    asked = {
        "subject": wanted.subject_id,
        "target": wanted.target_id,
        "event": wanted.event.value if wanted.event else None,
        "day": wanted.day.isoformat() if wanted.day else None,
        "after": f"{after[0].isoformat()}_{after[1]}" if after else None,
    }
    return url_for("console_audit.index", **{name: value for name, value in asked.items() if value})  # type: ignore[arg-type]


def _index(wanted: Wanted, *, after: Key | None = None, problem: object = None) -> str:
    lines: tuple[facts.Line, ...] = ()
    more: Key | None = None
    with reading() as tx:
        if wanted.is_enough and problem is None:
            lines, more = facts.search(tx, wanted, after=after)
        names = facts.names(tx, lines)
    return page(
        "console/trail/index.html",
        at="audit",
        wanted=wanted,
        lines=lines,
        names=names,
        more=_address(wanted, after=more) if more else None,
        first=_address(wanted) if after else None,
        events=[(event.value, event.value.replace("_", " ")) for event in sorted(Event)],
        typed=request.form,
        problem=problem,
    )


def _event(text: str) -> Event | None:
    return Event(text) if text in set(Event) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def _key(text: str) -> Key | None:
    at, _dot, identity = text[:80].partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, UUID(identity)) if moment.tzinfo is not None else None
    except ValueError:
        return None
