"""*Outbox*: what waits and what was given up; making what waits due at once."""

from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from idp.audit import service as audit
from idp.audit.events import Event
from idp.console.outbox import facts
from idp.console.pages import actor, only_a_button, page
from idp.foundation import clock
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.messaging import service
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_outbox", __name__, url_prefix="/console/outbox")
SAVED = {"retried": _("Due now. The worker tries within seconds.")}
SHOWN = 100


@bp.get("")
@route_policy(auth="session", staff=StaffMay.READ_SYSTEM)
def index() -> ResponseReturnValue:
    """What waits, or what was given up."""
    dead = request.args.get("state") == "dead"
    with reading() as tx:
        rows = service.waiting(tx, dead=dead, limit=SHOWN)
        counts = facts.waiting(tx), facts.dead(tx)
    return page(
        "console/outbox/index.html", at="outbox", saved=SAVED, rows=rows, dead=dead, counts=counts, now=clock.now()
    )


@bp.post("/retry")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM)
def retried_all() -> ResponseReturnValue:
    """Everything that waits is due at once: the mail server is back."""
    only_a_button()
    _retry(None)
    return redirect(url_for("console_outbox.index", done="retried"), 303)


@bp.post("/<uuid:message_id>/retry")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM)
def retried(message_id: UUID) -> ResponseReturnValue:
    """One message is due at once; a dead one stays dead, since its content is wiped."""
    only_a_button()
    if _retry(message_id) == 0:
        abort(404)
    return redirect(url_for("console_outbox.index", done="retried"), 303)


def _retry(message_id: UUID | None) -> int:
    now = clock.now()
    with writing() as tx:
        count = service.retry_now(tx, now=now, identity=message_id)
        if count:
            details = {"count": count, "message": message_id}
            audit.append(tx, Event.MESSAGES_RETRIED, now=now, actor=actor(), origin=origin(), details=details)
    return count
