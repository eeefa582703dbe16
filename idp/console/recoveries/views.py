"""*Recoveries*: who waits for the payer's word, and giving or refusing it."""

from typing import Annotated
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _
from pydantic import Field

from idp.authenticators.lost_factors.rules import LONGEST_NOTE, Reason
from idp.authenticators.lost_factors.words import REASONS, STARTERS
from idp.console.pages import by, page
from idp.console.recoveries import facts, service
from idp.foundation import clock, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import Form, FormErrors
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_recoveries", __name__, url_prefix="/console/recoveries")
_SAVED = {
    "confirmed": _("Confirmed. The person gets a link as soon as the waiting time is over."),
    "refused": _("The recovery has ended. The person is told."),
}


class NoteForm(Form):
    """What was seen, or why not."""

    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""


@bp.get("")
@route_policy(auth="session", staff=StaffMay.DECIDE)
def index() -> ResponseReturnValue:
    """Everybody who waits."""
    return _index()


@bp.post("/<uuid:recovery_id>/confirm")
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def confirmed(recovery_id: UUID) -> ResponseReturnValue:
    """The evidence was seen."""
    return _done(service.confirm(by(), recovery_id=recovery_id, note=_note()), "confirmed")


@bp.post("/<uuid:recovery_id>/refuse")
@route_policy(auth="session", staff=StaffMay.DECIDE)
def refused(recovery_id: UUID) -> ResponseReturnValue:
    """It was not enough."""
    return _done(service.refuse(by(), recovery_id=recovery_id, note=_note()), "refused")


def _note() -> str:
    form = parsing.form(NoteForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    return form.note


def _done(outcome: Refused | None, done: str) -> ResponseReturnValue:
    if outcome is None:
        return redirect(url_for("console_recoveries.index", done=done), 303)
    return _index(refused=outcome), 409 if outcome.reason is Reason.NOT_UNDER_WAY else 422


def _index(*, refused: Refused | None = None) -> str:
    with reading() as tx:
        waiting = facts.waiting(tx, now=clock.now())
    return page(
        "console/recoveries/index.html",
        at="recoveries",
        saved=_SAVED,
        waiting=waiting,
        starters=STARTERS,
        longest=LONGEST_NOTE,
        problem=REASONS[Reason(refused.reason)] if refused is not None else None,
    )
