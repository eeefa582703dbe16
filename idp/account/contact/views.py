"""*Change e-mail* and *Change telephone*."""

from typing import Final
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.account import standing
from idp.account.contact import phones, service
from idp.account.contact.forms import CodeForm, EmailForm, PhoneForm
from idp.account.contact.rules import Reason
from idp.account.contact.words import ENTER_CODE, REASONS
from idp.account.pages import my_session, myself, need_session
from idp.authenticators.password.views import status_of
from idp.foundation import clock, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.subjects import service as subjects
from idp.vocabulary.refused import Refused

bp = Blueprint("contact", __name__, url_prefix="/account")
bp.before_request(need_session)
_GONE: Final = frozenset(standing.Reason)


@bp.get("/email")
@route_policy(auth="session")
def email() -> ResponseReturnValue:
    """Asks for the new address, from somebody who has proven themselves a moment ago."""
    return _email_page() if standing.is_proven(my_session(), now=clock.now()) else _prove("contact.email")


@bp.post("/email")
@route_policy(auth="session", bucket="codes")
def email_asked() -> ResponseReturnValue:
    """Mail a link to it."""
    form = parsing.form(EmailForm, request.form)
    if isinstance(form, FormErrors):
        return _email_page(refused=Refused(Reason.BAD_EMAIL)), status_of(form)
    refused = service.ask(my_session(), typed=form.email, now=clock.now(), origin=origin())
    if refused is None:
        return redirect(url_for("contact.email_mailed"), 303)
    if refused.reason in _GONE:
        return _prove("contact.email")
    return _email_page(refused=refused), 422


@bp.get("/email/mailed")
@route_policy(auth="session")
def email_mailed() -> ResponseReturnValue:
    """Sends the person to the new mailbox, and back into a browser where they are signed in."""
    return render_template("account/contact/mailed.html", at="profile")


@bp.get("/phone")
@route_policy(auth="session")
def phone() -> ResponseReturnValue:
    """Asks for the new telephone."""
    return _phone_page() if standing.is_proven(my_session(), now=clock.now()) else _prove("contact.phone")


@bp.post("/phone")
@route_policy(auth="session", bucket="codes")
def phone_asked() -> ResponseReturnValue:
    """Text a code to it."""
    form = parsing.form(PhoneForm, request.form)
    if isinstance(form, FormErrors):
        return _phone_page(refused=Refused(Reason.BAD_PHONE)), status_of(form)
    change = phones.ask(my_session(), typed=form.phone, now=clock.now(), origin=origin())
    if not isinstance(change, Refused):
        return redirect(url_for("contact.phone_code", change=change), 303)
    return _prove("contact.phone") if change.reason in _GONE else (_phone_page(refused=change), 422)


@bp.get("/phone/<uuid:change>")
@route_policy(auth="session")
def phone_code(change: UUID) -> ResponseReturnValue:
    """Asks for the code that was texted."""
    return _code_page(change)


@bp.post("/phone/<uuid:change>")
@route_policy(auth="session", bucket="sign_in")
def phone_proven(change: UUID) -> ResponseReturnValue:
    """Try it."""
    form = parsing.form(CodeForm, request.form)
    if isinstance(form, FormErrors):
        if "" in form:
            abort(400)
        return _code_page(change, problem=ENTER_CODE, status=422)
    refused = phones.confirm(my_session(), change, typed=form.code, now=clock.now(), origin=origin())
    if refused is None:
        return redirect(url_for("account.profile", done="phone"), 303)
    if refused.reason in _GONE:
        return _prove("contact.phone")
    return _code_page(change, problem=REASONS[refused.reason], status=422)  # type: ignore[index]


def _prove(endpoint: str) -> ResponseReturnValue:
    return redirect(url_for("sign_in.own", to=endpoint, fresh="1"), 303)


def _email_page(*, refused: Refused | None = None) -> str:
    return render_template(
        "account/contact/email.html",
        at="profile",
        subject=myself(),
        typed=request.form.get("email", ""),
        errors={"email": REASONS[refused.reason]} if refused else {},  # type: ignore[index]
    )


def _phone_page(*, refused: Refused | None = None) -> str:
    return render_template(
        "account/contact/phone.html",
        at="profile",
        phone=subjects.phone_of(myself()),
        typed=request.form.get("phone", ""),
        errors={"phone": REASONS[refused.reason]} if refused else {},  # type: ignore[index]
    )


def _code_page(change: UUID, *, problem: object = None, status: int = 200) -> ResponseReturnValue:
    seen = phones.look(my_session(), change, now=clock.now())
    if isinstance(seen, Refused):
        return _phone_page(refused=seen), 410
    errors = {"code": problem} if problem else {}
    page = render_template("account/contact/code.html", at="profile", change=change, to=seen, errors=errors)
    return page, status
