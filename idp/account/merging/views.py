"""*I have another account*."""

from typing import Final
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.account.merging import codes, doing, service, words
from idp.account.merging.forms import OtherAccountForm
from idp.account.merging.rules import Reason
from idp.account.merging.service import Claim, Mailed
from idp.account.pages import my_session, myself, need_session, only_a_button
from idp.authenticators.password.rules import Reason as PasswordReason
from idp.authenticators.password.views import busy, status_of
from idp.authenticators.password.words import MALFORMED
from idp.foundation import clock, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import cookies
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

bp = Blueprint("merging", __name__, url_prefix="/account/merge")
bp.before_request(need_session)
_MISSING: Final = {"username": words.ENTER_LOGIN, "password": words.ENTER_PASSWORD}


@bp.get("")
@route_policy(auth="session")
def start() -> ResponseReturnValue:
    """Asks for the other account, from somebody who has proven this one a moment ago."""
    with reading() as tx:
        fresh = service.fresh(tx, my_session(), now=clock.now())
    return _page() if fresh else _prove_again()


@bp.post("")
@route_policy(auth="session", bucket="sign_in")
def other_account() -> ResponseReturnValue:
    """Try the other account's password; the same counters and the same answer as at sign-in (SI-20)."""
    form = parsing.form(OtherAccountForm, request.form)
    if isinstance(form, FormErrors):
        errors = {field: _MISSING[field] for field in form if field in _MISSING}
        return _page(errors=errors, problem=None if errors else MALFORMED), status_of(form)
    claim = Claim(
        session=my_session(),
        portal=form.portal,
        login=form.username,
        plain=Secret(form.password),
        origin=origin(),
        now=clock.now(),
        code=form.code,
    )
    match service.prove(claim):
        case Refused() as refused:
            return _refused(refused)
        case Mailed():
            return redirect(url_for("merging.mailed"), 303)
        case proof:
            return redirect(url_for("merging.review", proof=proof), 303)


@bp.get("/mailed")
@route_policy(auth="session")
def mailed() -> ResponseReturnValue:
    """Sends the person to the other account's mailbox, and back into this browser."""
    return render_template("account/merging/mailed.html", at="profile")


@bp.post("/code")
@route_policy(auth="session", bucket="sign_in")
def code() -> ResponseReturnValue:
    """Shows, once, the code by which this account may become part of another."""
    only_a_button()
    made = codes.make(my_session(), now=clock.now(), origin=origin())
    if isinstance(made, Refused):
        return _prove_again()
    return render_template("account/merging/code.html", at="profile", code=made.reveal())


@bp.get("/<uuid:proof>")
@route_policy(auth="session")
def review(proof: UUID) -> ResponseReturnValue:
    """What will move and what will not, before anything does."""
    seen = doing.look(my_session(), proof, now=clock.now())
    if isinstance(seen, Refused):
        return _page(problem=words.REASONS[seen.reason]), 409  # type: ignore[index]
    return render_template(
        "account/merging/review.html", at="profile", proof=proof, seen=seen, ways=words.WAYS, parties=_portals()
    )


@bp.post("/<uuid:proof>")
@route_policy(auth="session")
def merged(proof: UUID) -> ResponseReturnValue:
    """Make one account of two; this browser goes on with a new cookie (G7)."""
    only_a_button()
    outcome = doing.merge(my_session(), proof, now=clock.now(), origin=origin())
    if isinstance(outcome, Refused):
        return _refused(outcome, status=409)
    response = make_response(redirect(url_for("account.access", done="merged"), 303))
    cookies.set_session(response, outcome.cookie)
    return response


def _refused(outcome: Refused, *, status: int = 422) -> ResponseReturnValue:
    if outcome.reason is PasswordReason.BUSY:
        busy()
    if outcome.reason is Reason.NOT_FRESH:
        return _prove_again()
    sentence = words.REASONS[outcome.reason]  # type: ignore[index]
    if outcome.reason is Reason.SECOND_FACTOR:
        return _page(errors={"code": sentence}), status
    if outcome.reason is Reason.NOT_RIGHT:
        return _page(errors={"password": sentence}), status
    return _page(problem=sentence), status


def _prove_again() -> ResponseReturnValue:
    return redirect(url_for("sign_in.own", to="merging.start", fresh="1"), 303)


def _page(*, errors: dict[str, LazyString] | None = None, problem: LazyString | None = None) -> str:
    return render_template(
        "account/merging/start.html",
        at="profile",
        subject=myself(),
        portals=[("", words.ANYWHERE), *((key, party.manifest.name) for key, party in _portals().items())],
        typed=request.form,
        errors=errors or {},
        problem=problem,
    )


def _portals() -> dict[str, RelyingParty]:
    """Every portal by its `client_id`, in the order of names."""
    every = (party for party in relying_parties.every().values() if party.portal is not None)
    return {party.client_id: party for party in sorted(every, key=lambda each: each.manifest.name)}
