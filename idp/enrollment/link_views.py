"""The page behind the mailed link: opening it changes nothing, its button does (RC-09)."""

import re
from typing import Final

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.authenticators.password.rules import Reason as PasswordReason
from idp.authenticators.password.views import busy
from idp.enrollment import proving
from idp.enrollment.forms import TOKEN_PATTERN, LinkForm
from idp.enrollment.proving import Asks, Opened, Press, Proven
from idp.enrollment.reading import MALFORMED
from idp.enrollment.rules import Reason, options_of, pages_of
from idp.enrollment.steps.create_account.words import TAKEN
from idp.enrollment.views import bp
from idp.foundation import clock, error_pages, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.pages import allow_form_to
from idp.foundation.parsing import FormErrors
from idp.sessions import cookies
from idp.sessions import parked as parked_pages
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_TOKEN: Final = re.compile(TOKEN_PATTERN, re.ASCII)
NOT_THE_PASSWORD: Final = _("This is not the password that was chosen at registration.")
ENTER_PASSWORD: Final = _("Enter the password that you chose at registration.")
TOO_MANY: Final = _("There were too many attempts. Please wait 15 minutes, then try again.")
NOT_POSSIBLE: Final = _(
    "This registration can no longer be completed as it was begun. Please begin again, or call the help line."
)


@bp.get("/enroll/link")
@route_policy(auth="none")
def link() -> ResponseReturnValue:
    """What the link is for, and one button."""
    token = request.args.get("token", "")
    if not _TOKEN.match(token):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    opened = proving.look(token, browser_digest=cookies.browser_digest(), now=clock.now())
    return _dead() if isinstance(opened, Refused) else _page(token, opened)


@bp.post("/enroll/link")
@route_policy(auth="none", bucket="sign_in")
def press() -> ResponseReturnValue:
    """Use the link; the ceremony goes on in this browser."""
    form = parsing.form(LinkForm, request.form)
    if isinstance(form, FormErrors):
        return _unread(form)
    pressed = Press(
        token=form.token,
        browser_digest=cookies.browser_digest(),
        session=cookies.current_session(),
        origin=origin(),
        now=clock.now(),
        plain=Secret(form.password) if form.password is not None else None,
        user_id=form.user_id,
    )
    outcome = proving.prove(pressed)
    match outcome:
        case Proven():
            return _onward(outcome)
        case Opened():
            return _page(form.token, outcome, errors={"user_id": TAKEN}), 422
        case Refused():
            return _refused(form.token, outcome)


def _onward(proven: Proven) -> ResponseReturnValue:
    run = proven.run
    where = url_for("enrollment.resume", client_id=run.client_id, ceremony=run.ceremony, run=run.id)
    response = make_response(redirect(where, 303))
    if proven.cookie is not None:
        cookies.set_session(response, proven.cookie.cookie)
    return response


def _refused(token: str, refused: Refused) -> ResponseReturnValue:
    if refused.reason is PasswordReason.BUSY:
        return busy()
    opened = proving.look(token, browser_digest=cookies.browser_digest(), now=clock.now())
    if isinstance(opened, Refused) or refused.reason is Reason.DEAD_LINK:
        return _dead()
    if refused.reason is PasswordReason.WRONG_PASSWORD:
        return _page(token, opened, errors={"password": NOT_THE_PASSWORD}), 422
    if refused.reason is PasswordReason.TOO_MANY:
        return _page(token, opened, problem=TOO_MANY), 422
    return _page(token, opened, problem=NOT_POSSIBLE), 409


def _unread(form: FormErrors) -> ResponseReturnValue:
    """An empty password is told beside its field; what no page sends is 400 (RC-03)."""
    token = request.form.get("token", "")
    known = _TOKEN.match(token) and not set(form) - {"password", "user_id"}
    opened = proving.look(token, browser_digest=cookies.browser_digest(), now=clock.now()) if known else None
    if opened is None:
        return error_pages.show(error_pages.Kind.BAD_REQUEST, problem=MALFORMED)
    if isinstance(opened, Refused):
        return _dead()
    errors = {"password": ENTER_PASSWORD} if "password" in form else {"user_id": TAKEN}
    return _page(token, opened, errors=errors), 422


def _page(
    token: str, opened: Opened, *, errors: dict[str, LazyString] | None = None, problem: LazyString | None = None
) -> str:
    party, run = opened.party, opened.run
    parked_pages.brand(party)
    allow_form_to(party.absolute(party.registration.initiate_login_uri or "/"))
    return render_template(
        "enrollment/link.html",
        token=token,
        party=party,
        asks=opened.asks.value,
        asks_password=opened.asks is Asks.PASSWORD,
        user_id_taken=opened.user_id_taken or bool(errors and "user_id" in errors),
        options=options_of(pages_of(party.manifest.enrollment[run.ceremony]))["verify_email"],
        login=str(run.kept.get("create_account", {}).get("email", "")),
        errors=errors or {},
        problem=problem,
    )


def _dead() -> ResponseReturnValue:
    return error_pages.show(error_pages.Kind.EXPIRED_LINK)
