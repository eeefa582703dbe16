"""The dispatcher's two addresses: *resume*, to which every step returns, and *own*, for the provider's own pages."""

from uuid import UUID

from flask import Blueprint, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.foundation import clock, house
from idp.foundation.database import reading, writing
from idp.foundation.front_door import policy_of, route_policy
from idp.relying_parties import service as relying_parties
from idp.sessions import refusals, transactions
from idp.sessions.cookies import browser_digest, current_session
from idp.settings import Settings
from idp.sign_in.requests import parked, unparked
from idp.sign_in.rules import AuthorizationRequest, Show, Step
from idp.sign_in.service import decide
from idp.vocabulary.refused import Refused

bp = Blueprint("sign_in", __name__)

STEP_PAGES: dict[Step, str] = {
    Step.IDENTIFY: "password.identify",
    Step.PASSWORD: "password.password",
    Step.CHANGE_PASSWORD: "password.change_password",
    Step.AGREEMENT: "consent.agreement",
    Step.CHOOSE: "affiliations.choose",
    Step.CANNOT_ACT: "affiliations.cannot_act",
    Step.CONSENT: "consent.consent",
}
"""Which page each step is; the pages live in the rooms below and come back here by redirect."""


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
        if transaction.awaiting != verdict.step:
            with writing() as tx:
                transactions.await_step(tx, txn=txn, step=verdict.step)
        return redirect(url_for(STEP_PAGES[verdict.step], txn=txn), 303)
    if asked.return_to is not None:
        return redirect(url_for(asked.return_to), 303)
    return redirect(url_for("oidc.answer", txn=txn), 303)


@bp.get("/sign-in")
@route_policy(auth="none", changes=True)
def own() -> ResponseReturnValue:
    """Sign in for one of the provider's own pages, named by its endpoint, never by an address (SI-14)."""
    endpoint = request.args.get("to", "account.overview")
    if not _is_own_page(endpoint):
        abort(404)
    asked = AuthorizationRequest(client_id=None, return_to=endpoint)
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
    return policy is not None and policy.auth == "session"
