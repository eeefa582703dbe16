"""*Messages*."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from idp.account.messages import service
from idp.account.pages import my_session, need_session
from idp.foundation.front_door import route_policy

bp = Blueprint("messages", __name__, url_prefix="/account")
bp.before_request(need_session)


@bp.get("/messages")
@route_policy(auth="session")
def messages() -> ResponseReturnValue:
    """What was sent to this person lately (D5)."""
    return render_template("account/messages/messages.html", at="messages", lines=service.newest(my_session()))
