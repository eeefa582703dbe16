"""The page behind *Open my account again*: for whoever has the mailbox, signed in nowhere."""

import re
from typing import Final

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from idp.account.closing import service
from idp.account.closing.forms import ReopenForm
from idp.authenticators.recovery.forms import TOKEN_PATTERN
from idp.foundation import clock, error_pages, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.vocabulary.refused import Refused

bp = Blueprint("reopening", __name__, url_prefix="/account")
_TOKEN: Final = re.compile(TOKEN_PATTERN, re.ASCII)


@bp.get("/reopen")
@route_policy(auth="none")
def reopen() -> ResponseReturnValue:
    """Says what the button does; opening the link does nothing (RC-09)."""
    token = request.args.get("token", "")
    if not _TOKEN.match(token):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    if isinstance(service.look_at_link(token, now=clock.now()), Refused):
        return _dead()
    return render_template("account/closing/reopen.html", token=token)


@bp.post("/reopen")
@route_policy(auth="none", bucket="recovery")
def reopened() -> ResponseReturnValue:
    """Open it again."""
    form = parsing.form(ReopenForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    if isinstance(service.open_again(form.token, now=clock.now(), origin=origin()), Refused):
        return _dead()
    return render_template("account/closing/reopened.html")


def _dead() -> ResponseReturnValue:
    return render_template("account/closing/dead.html"), 410
