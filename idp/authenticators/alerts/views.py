"""The page behind *This wasn't me*."""

import re
from typing import Annotated, Final

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from idp.authenticators.alerts import service
from idp.authenticators.recovery import service as recovery
from idp.authenticators.recovery.forms import TOKEN_PATTERN
from idp.foundation import clock, error_pages, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import Form, FormErrors
from idp.subjects.rules import login_key
from idp.vocabulary.refused import Refused

bp = Blueprint("alerts", __name__)
_TOKEN: Final = re.compile(TOKEN_PATTERN, re.ASCII)


class NotMeForm(Form):
    """The link's secret."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]


@bp.get("/sign-in/not-me")
@route_policy(auth="none")
def not_me() -> ResponseReturnValue:
    """Says what the button does; opening the link does nothing (RC-09)."""
    token = request.args.get("token", "")
    if not _TOKEN.match(token):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    if isinstance(service.look_at_link(token, now=clock.now()), Refused):
        return _dead()
    return render_template("authenticators/alerts/not_me.html", token=token)


@bp.post("/sign-in/not-me")
@route_policy(auth="none", bucket="recovery")
def disowned() -> ResponseReturnValue:
    """End it all, and mail a link for a new password."""
    form = parsing.form(NotMeForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    now = clock.now()
    subject = service.not_me(form.token, now=now, origin=origin())
    if isinstance(subject, Refused):
        return _dead()
    key = login_key(subject.user_id or subject.email or "")
    recovery.ask_for_reset(recovery.Ask(login=key, origin=origin(), now=now))
    return render_template("authenticators/alerts/disowned.html")


def _dead() -> ResponseReturnValue:
    return render_template("authenticators/alerts/dead.html"), 410
