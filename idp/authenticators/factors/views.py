"""The step that asks for a second factor, its other ways, and the page that sets factors up (C4)."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.authenticators.factors import asking, finishing, words
from idp.authenticators.factors.forms import NoFields
from idp.authenticators.factors.kinds import CHALLENGE_PAGES, SET_UP_PAGES
from idp.authenticators.factors.proving import STEP
from idp.authenticators.factors.rules import Reason, default_way, kinds_of
from idp.foundation import parsing
from idp.foundation.database import writing
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions import cookies, transactions
from idp.sessions import parked as pages
from idp.sessions.parked import onward
from idp.sessions.rules import Reason as Parking
from idp.sessions.service import NewSession
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

bp = Blueprint("factors", __name__)
_BACK: Final = frozenset({Reason.NOTHING_PENDING, Reason.NOT_ACCEPTED, Reason.NOT_FRESH})
"""The dispatcher knows what to ask instead."""


@bp.get("/sign-in/<uuid:txn>/second-factor")
@route_policy(auth="browser")
def second_factor(txn: UUID) -> ResponseReturnValue:
    """On to the page of the factor that is asked first."""
    asked = asking.asked(txn)
    if asked is None:
        return onward(txn)
    first = default_way([way for way in asked.ways if way.kind in CHALLENGE_PAGES])
    if first is None:
        return redirect(url_for("factors.ways", txn=txn), 303)
    return redirect(url_for(CHALLENGE_PAGES[first.kind], txn=txn), 303)


@bp.get("/sign-in/<uuid:txn>/second-factor/ways")
@route_policy(auth="browser")
def ways(txn: UUID) -> ResponseReturnValue:
    """*Another way*: everything that the person holds and that is accepted here."""
    asked = asking.asked(txn)
    if asked is None:
        return onward(txn)
    kinds = [kind for kind in (*kinds_of(asked.ways), Factor.RECOVERY) if kind in CHALLENGE_PAGES]
    return render_template(
        "authenticators/factors/ways.html",
        txn=txn,
        ways=[(kind, url_for(CHALLENGE_PAGES[kind], txn=txn)) for kind in kinds if kind in asked.accepts],
        held=asked.ways,
        words=words,
    )


@bp.post("/sign-in/<uuid:txn>/start-over")
@route_policy(auth="browser")
def start_over(txn: UUID) -> ResponseReturnValue:
    """*Use another account*: forget whose password it was."""
    _only_a_button()
    if pages.at_step(txn, step=STEP) is not None:
        with writing() as tx:
            transactions.forget_first_factor(tx, txn=txn)
            transactions.remember_login(tx, txn=txn, login=None)
    return onward(txn)


@bp.get("/sign-in/<uuid:txn>/set-up-mfa")
@route_policy(auth="session")
def set_up(txn: UUID) -> ResponseReturnValue:
    """*Set Up Multifactor Authentication*."""
    at = asking.setting_up(txn)
    if at is None:
        return onward(txn)
    return render_template(
        "authenticators/factors/set_up.html",
        txn=txn,
        subject=at.subject,
        kinds=[(kind, url_for(SET_UP_PAGES[kind], txn=txn)) for kind in at.kinds],
        held=at.held,
        enough=any(each.kind in at.parked.transaction.accepts for each in at.held),
        words=words,
    )


@bp.post("/sign-in/<uuid:txn>/set-up-mfa")
@route_policy(auth="session")
def set_up_done(txn: UUID) -> ResponseReturnValue:
    """*Continue*: recovery codes for whoever has none yet, then back to the dispatcher."""
    _only_a_button()
    at = asking.setting_up(txn)
    if at is None:
        return onward(txn)
    codes = finishing.finish(asking.set_up(at))
    if isinstance(codes, Refused) or not codes:
        return onward(txn)
    way = url_for("sign_in.resume", txn=txn)
    return render_template("authenticators/recovery_codes/codes.html", codes=codes, subject=at.subject, onward=way)


def answer(
    txn: UUID, outcome: NewSession | Refused, *, page: Callable[[Refused], ResponseReturnValue]
) -> ResponseReturnValue:
    """The one answer to a factor: on with the new cookie, back to the dispatcher, or the same page again."""
    if isinstance(outcome, NewSession):
        return cookies.signed_in(make_response(onward(txn)), outcome)
    if isinstance(outcome.reason, Parking) or outcome.reason in _BACK:
        return onward(txn)
    if outcome.reason is Reason.TOO_MANY_HERE:
        return make_response(render_template("authenticators/factors/too_many.html", txn=txn), 422)
    return make_response(page(outcome), 422)


def added(txn: UUID, session: NewSession) -> ResponseReturnValue:
    """Back to the list of factors, under the new cookie."""
    response = make_response(redirect(url_for("factors.set_up", txn=txn), 303))
    cookies.set_session(response, session.cookie)
    return response


def _only_a_button() -> None:
    """A confirmation carries nothing but its token (AD-06)."""
    if isinstance(parsing.form(NoFields, request.form), FormErrors):
        abort(400)
