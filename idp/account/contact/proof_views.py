"""The page behind the link to a new mailbox: for everybody who opens it, of use to its asker alone."""

import re
from typing import Final

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.account.contact import service
from idp.account.contact.forms import ProofForm
from idp.account.contact.rules import Reason
from idp.account.contact.words import REASONS
from idp.authenticators.recovery.forms import TOKEN_PATTERN
from idp.foundation import clock, error_pages, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions import cookies
from idp.vocabulary.refused import Refused

bp = Blueprint("contact_proof", __name__, url_prefix="/account")
_TOKEN: Final = re.compile(TOKEN_PATTERN, re.ASCII)
_STATUS: Final = {Reason.NOT_SIGNED_IN: 200, Reason.OTHER_ACCOUNT: 403, Reason.ADDRESS_IN_USE: 409}


@bp.get("/email/confirm")
@route_policy(auth="none")
def confirm() -> ResponseReturnValue:
    """Says what the button does; opening the link does nothing (RC-09)."""
    token = request.args.get("token", "")
    if not _TOKEN.match(token):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    seen = service.look(cookies.current_session(), token, now=clock.now())
    if isinstance(seen, Refused):
        return _no(seen)
    return render_template("account/contact/confirm.html", token=token, seen=seen)


@bp.post("/email/confirm")
@route_policy(auth="none", bucket="recovery")
def confirmed() -> ResponseReturnValue:
    """Make the address theirs; this browser goes on with a new cookie (G7)."""
    form = parsing.form(ProofForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    outcome = service.confirm(cookies.current_session(), form.token, now=clock.now(), origin=origin())
    if isinstance(outcome, Refused):
        return _no(outcome)
    response = make_response(redirect(url_for("account.profile", done="email"), 303))
    cookies.set_session(response, outcome.cookie)
    return response


def _no(refused: Refused) -> ResponseReturnValue:
    reason = Reason(refused.reason)
    page = render_template("account/contact/no.html", sentence=REASONS[reason], sign_in=reason is Reason.NOT_SIGNED_IN)
    return page, _STATUS.get(reason, 410)
