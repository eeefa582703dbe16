"""*Close my account*."""

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.account import standing
from idp.account.closing import rules, service
from idp.account.closing.forms import CloseForm
from idp.account.closing.rules import Reason
from idp.account.closing.words import REASONS
from idp.account.pages import my_session, myself, need_session
from idp.foundation import clock, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.pages import show_person
from idp.foundation.parsing import FormErrors
from idp.sessions import cookies
from idp.vocabulary.refused import Refused

bp = Blueprint("closing", __name__, url_prefix="/account")
bp.before_request(need_session)


@bp.get("/close")
@route_policy(auth="session")
def close() -> ResponseReturnValue:
    """Says what ends now and what stays for how long, and asks."""
    return _page() if standing.is_proven(my_session(), now=clock.now()) else _prove()


@bp.post("/close")
@route_policy(auth="session", bucket="sign_in")
def closed() -> ResponseReturnValue:
    """Close it; this browser is signed out with all the others."""
    form = parsing.form(CloseForm, request.form)
    if isinstance(form, FormErrors):
        if "" in form:
            abort(400)
        return _page(refused=Refused(Reason.NOT_TYPED)), 422
    done = service.close(my_session(), typed=form.confirm, now=clock.now(), origin=origin())
    if isinstance(done, Refused):
        return _prove() if isinstance(done.reason, standing.Reason) else (_page(refused=done), 422)
    show_person(None)
    response = make_response(render_template("account/closing/closed.html"))
    cookies.forget_session(response)
    return response


def _prove() -> ResponseReturnValue:
    return redirect(url_for("sign_in.own", to="closing.close", fresh="1"), 303)


def _page(*, refused: Refused | None = None) -> str:
    sentence = REASONS[refused.reason] if refused else None  # type: ignore[index]
    typed = refused is not None and refused.reason is Reason.NOT_TYPED
    return render_template(
        "account/closing/close.html",
        at="profile",
        outlook=service.look(my_session(), now=clock.now()),
        wanted=rules.what_to_type(myself()),
        errors={"confirm": sentence} if typed else {},
        problem=None if typed else sentence,
    )
