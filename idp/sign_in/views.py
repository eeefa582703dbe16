"""The dispatcher's addresses: *resume*, to which every step returns, *own* for own pages, and *not you*."""

from uuid import UUID

from flask import Blueprint, abort, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.foundation import clock, front_door, house
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, policy_of, route_policy
from idp.relying_parties import service as relying_parties
from idp.sessions import refusals, transactions
from idp.sessions import service as sessions
from idp.sessions.cookies import browser_digest, current_session, forget_session
from idp.sessions.parked import of_this_browser, onward
from idp.sessions.rules import Ended
from idp.settings import Settings
from idp.sign_in import steps
from idp.sign_in.requests import parked, unparked
from idp.sign_in.rules import AuthorizationRequest, Show
from idp.sign_in.service import decide, is_shown, show
from idp.vocabulary.refused import Refused

bp = Blueprint("sign_in", __name__)


@bp.get("/sign-in/<uuid:txn>")
@route_policy(auth="browser", changes=True)
def resume(txn: UUID) -> ResponseReturnValue:
    """Where a sign-in stands: on to the next step, or back to whoever asked for it."""
    now, session = clock.now(), current_session()
    with reading() as tx:
        transaction = transactions.load(tx, txn=txn, browser_digest=browser_digest(), now=now)
        if isinstance(transaction, Refused):
            return refusals.answer(transaction, txn=txn)
        asked = unparked(transaction.request)
        party = relying_parties.find(transaction.client_id) if transaction.client_id else None
        verdict = decide(tx, asked, party=party, transaction=transaction, session=session, now=now).verdict
    if isinstance(verdict, Show):
        if not is_shown(verdict, transaction=transaction, session=session):
            with writing() as tx:
                show(tx, verdict, txn=txn, session=session, now=now)
        return redirect(url_for(steps.PAGES[verdict.step], txn=txn), 303)
    if asked.return_to is not None:
        return redirect(url_for(asked.return_to), 303)
    return redirect(url_for("oidc.answer", txn=txn), 303)


@bp.get("/sign-in/<uuid:txn>/not-you")
@route_policy(auth="session")
def not_you(txn: UUID) -> ResponseReturnValue:
    """*Not you?* asks before it ends anything; the sign-in then goes on for whoever it is."""
    parked = of_this_browser(txn)
    if parked is None or current_session() is None:
        return onward(txn)
    return render_template("sign_in/not_you.html", txn=txn, party=parked.party)


@bp.post("/sign-in/<uuid:txn>/not-you")
@route_policy(auth="session")
def somebody_else(txn: UUID) -> ResponseReturnValue:
    """End the session of whoever is signed in here, portals included, and ask who it is."""
    session = current_session()
    answer = make_response(onward(txn))
    if session is not None:
        with writing() as tx:
            sessions.end_session(
                tx,
                session_id=session.id,
                reason=Ended.SIGNED_OUT,
                now=clock.now(),
                origin=origin(),
                subject_id=session.subject_id,
            )
        forget_session(answer)
    return answer


@bp.get("/")
@route_policy(auth="none")
def home() -> ResponseReturnValue:
    """The provider's own front door is the person's account."""
    return redirect(url_for("account.overview"), 303)


@bp.get("/sign-in")
@route_policy(auth="none", changes=True)
def own() -> ResponseReturnValue:
    """Sign in for one of the provider's own pages, named by its endpoint, never by an address (SI-14).

    `fresh=1`: with a strong proof of the last 15 minutes; `set-up=1`: and by way of the page that sets up factors.
    `at` names the portal whose look the pages wear on the way.
    """
    endpoint = request.args.get("to", "account.overview")
    if not _is_own_page(endpoint):
        abort(404)
    front_door.count("authorize")
    fresh, set_up = (request.args.get(name) == "1" for name in ("fresh", "set-up"))
    worn = relying_parties.find(request.args.get("at", "")[:64])
    brand = worn.client_id if worn is not None else None
    asked = AuthorizationRequest(client_id=None, return_to=endpoint, fresh=fresh, set_up=set_up, brand=brand)
    with writing() as tx:
        txn = transactions.park(
            tx,
            browser_digest=browser_digest(),
            client_id=None,
            request=parked(asked),
            now=clock.now(),
            lifetime=house.get(Settings).transaction_lifetime,
        )
    return redirect(url_for("sign_in.resume", txn=txn), 303)


def _is_own_page(endpoint: str) -> bool:
    policy = policy_of(endpoint) if endpoint in current_app.view_functions else None
    if policy is None or policy.auth != "session":
        return False
    rules = current_app.url_map.iter_rules(endpoint)
    return any("GET" in (rule.methods or ()) and not rule.arguments for rule in rules)
