"""*Who could act* for the target on a day: a manager sees it of what they manage, and of nothing else (AU-06, AU-08)."""

from datetime import UTC, date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.affiliations.standing import labels, service, sheet
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.downloads import download
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.manage.entrance import enter
from idp.manage.forms import DayForm
from idp.manage.service import Opened

bp = Blueprint("manage_access", __name__, url_prefix="/manage")

_PLACE = "/<client_id>/<uuid:target_id>"


@bp.get(f"{_PLACE}/access")
@route_policy(auth="session")
def on(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """Today, or the day in the address; a page at a time."""
    opened, now = enter(client_id, target_id), clock.now()
    wanted, after = _day(request.args.get("day", "")), request.args.get("after", "")[:64]
    with reading() as tx:
        asked = service.ask_within(tx, acting=opened.acting, on=wanted or now.astimezone(UTC).date(), now=now)
        if asked is None:
            abort(404)
        lines, more = service.page(tx, asked, after=after)
        names = service.named(tx, lines)
    address = _address(opened)
    pages = {"first": url_for("manage_access.on", day=asked.date, **address) if after else None}
    pages["more"] = url_for("manage_access.on", day=asked.date, after=more, **address) if more else None
    return render_template(
        "manage/access.html",
        place=opened.place,
        address=address,
        asked=asked,
        lines=lines,
        names=names,
        names_of=labels.names_of(),
        today=now.date(),
        **pages,
    )


@bp.post(f"{_PLACE}/access/export")
@route_policy(auth="session", bucket="manage")
def export(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """The same as CSV; audited."""
    opened, now = enter(client_id, target_id), clock.now()
    form = parsing.form(DayForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    with writing() as tx:
        asked = service.ask_within(tx, acting=opened.acting, on=form.day, now=now)
        if asked is None:
            abort(404)
        audit.append(
            tx,
            Event.AUDIT_EXPORTED,
            now=now,
            actor=opened.acting.subject_id,
            origin=origin(),
            client_id=opened.place.party.client_id,
            target_kind=opened.acting.target_kind.value,
            target_id=opened.acting.target_id,
            details={"what": "access", "day": form.day},
        )
    return download(sheet.file(asked), name=f"access-{form.day.isoformat()}.csv")


def _address(opened: Opened) -> dict[str, Any]:
    return {"client_id": opened.place.party.client_id, "target_id": opened.place.target.id}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None
