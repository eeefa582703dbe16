"""*Recent activity*."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from idp.account.activity import service
from idp.account.pages import my_session, need_session
from idp.foundation.front_door import route_policy

bp = Blueprint("activity", __name__, url_prefix="/account")
bp.before_request(need_session)


@bp.get("/activity")
@route_policy(auth="session")
def activity() -> ResponseReturnValue:
    """What happened to the account lately."""
    return render_template("account/activity/activity.html", at="activity", lines=service.newest(my_session()))
