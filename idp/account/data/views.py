"""*Download my data*."""

from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from idp.account import standing
from idp.account.data import service
from idp.account.data.rules import Reason
from idp.account.pages import my_session, need_session, only_a_button
from idp.foundation import clock
from idp.foundation.front_door import origin, route_policy
from idp.vocabulary.refused import Refused

bp = Blueprint("data", __name__, url_prefix="/account")
bp.before_request(need_session)
TOO_MANY = _("You have downloaded it five times today. Please come back tomorrow.")


@bp.get("/data")
@route_policy(auth="session")
def data() -> ResponseReturnValue:
    """Says what is in the file."""
    return _page() if standing.is_proven(my_session(), now=clock.now()) else _prove()


@bp.post("/data")
@route_policy(auth="session", bucket="sign_in")
def downloaded() -> ResponseReturnValue:
    """The file."""
    only_a_button()
    pieces = service.download(my_session(), now=clock.now(), origin=origin())
    if isinstance(pieces, Refused):
        return (_page(problem=TOO_MANY), 422) if pieces.reason is Reason.TOO_MANY else _prove()
    response = Response(pieces, mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="my-credence-data.json"'
    return response


def _prove() -> ResponseReturnValue:
    return redirect(url_for("sign_in.own", to="data.data", fresh="1"), 303)


def _page(*, problem: object = None) -> str:
    return render_template("account/data/data.html", at="profile", problem=problem)
