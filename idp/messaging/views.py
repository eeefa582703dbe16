"""The demo's outbox page; in production it is never registered, so its addresses are 404 (DESIGN §7)."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, render_template
from flask.typing import ResponseReturnValue

from idp.foundation import house
from idp.foundation.front_door import route_policy
from idp.messaging.kept import FOLDER, KeepingTransport, KeptMessage
from idp.settings import Settings

bp = Blueprint("messaging", __name__)

_MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
"""A mail's own styles show and its links lead on; it runs nothing, loads nothing and posts nothing."""


@bp.get("/dev/outbox")
@route_policy(auth="none")
def outbox() -> ResponseReturnValue:
    """All messages, newest first."""
    return render_template("messaging/outbox.html", messages=list(_kept().newest()))


@bp.get("/dev/outbox/<uuid:message>")
@route_policy(auth="none")
def message(message: UUID) -> ResponseReturnValue:
    """One message: who to, what about, its text and its links."""
    return render_template("messaging/message.html", message=_found(message))


@bp.get("/dev/outbox/<uuid:message>/html")
@route_policy(auth="none")
def html_part(message: UUID) -> ResponseReturnValue:
    """The HTML part by itself, as a mail program would show it, under a policy of its own."""
    html = _found(message).html
    if html is None:
        abort(404)
    response: Response = make_response(html)
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    return response


def _kept() -> KeepingTransport:
    return KeepingTransport(house.get(Settings).data_dir / FOLDER)


def _found(identity: UUID) -> KeptMessage:
    found = _kept().find(identity)
    if found is None:
        abort(404)
    return found
