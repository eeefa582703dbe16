"""Pages of upstream sign-in: the way there, the first time, the link; and the keys that providers know us by."""

from collections.abc import Hashable
from typing import Final
from uuid import UUID

import orjson
from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.federation import leaving, rules, sign_out, welcoming, words
from idp.federation.connections import facts as connections
from idp.federation.connections.facts import Applied
from idp.federation.connections.manifest import Connection
from idp.federation.forms import FirstTimeForm, LinkForm, StartForm
from idp.federation.leaving import Leave
from idp.federation.rules import Reason
from idp.federation.service import By, Outcome, SignedIn
from idp.foundation import clock, error_pages, house, i18n, parsing
from idp.foundation.database import looking_up, reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.keyring.rules import Use
from idp.keyring.service import Keyring
from idp.relying_parties.rules import RelyingParty
from idp.sessions import cookies
from idp.sessions import parked as pages
from idp.sessions.cookies import browser_digest, current_session
from idp.sessions.parked import Parked, onward
from idp.subjects.rules import spoken_name
from idp.vocabulary.refused import Refused

bp = Blueprint("federation", __name__)

SIGN_IN_STEPS: Final = frozenset({"identify", "password"})
_STATUS: Final = {
    Reason.STATE: 400,
    Reason.OTHER_ISSUER: 400,
    Reason.UNREACHABLE: 503,
    Reason.BUSY: 503,
    Reason.UNFIT_METADATA: 503,
}

_RETRY_AFTER: Final = "60"
"""Seconds: a provider that did not answer is not asked again before (R-17)."""


def connections_shown() -> Hashable:
    """What decides about the doors beside a sign-in, for pages that are kept."""
    with looking_up() as tx:
        return connections.as_shown(tx)


@bp.app_template_global()
def upstream_doors(party: RelyingParty | None) -> list[tuple[str, Connection]]:
    """What a sign-in page offers beside the password: a portal's connections, or on our own pages all of them."""
    with reading() as tx:
        every = connections.every(tx)
    found = {name: each.connection for name, each in every.items() if each.enabled}
    if party is None:
        return sorted(((n, each) for n, each in found.items() if each.button), key=lambda pair: pair[1].name.en)
    return list(rules.doors(found, portal=party.client_id))


@bp.post("/sign-in/<uuid:txn>/with/<name>")
@route_policy(auth="browser", bucket="sign_in")
def start(txn: UUID, name: str) -> ResponseReturnValue:
    """*Continue with …*: a POST of our own page, never a link (FE-12)."""
    parked = at_sign_in(txn)
    form = parsing.form(StartForm, request.form)
    if parked is None:
        return onward(txn)
    if isinstance(form, FormErrors):
        abort(400)
    applied = leaving.offered(name, portal=parked.transaction.client_id)
    if isinstance(applied, Refused):
        return refused(applied, name=None, txn=txn)
    return go(parked, applied, login_hint=form.login_hint)


@bp.get("/sign-in/<uuid:txn>/first-time")
@route_policy(auth="browser")
def first_time(txn: UUID) -> ResponseReturnValue:
    """Whom upstream named, and what they want to be here."""
    parked = pages.at_step(txn, step=welcoming.FIRST_TIME)
    return onward(txn) if parked is None else _first_time_page(parked)


@bp.post("/sign-in/<uuid:txn>/first-time")
@route_policy(auth="browser", bucket="sign_in")
def chosen(txn: UUID) -> ResponseReturnValue:
    """*I have an account*, *I am new*, or neither; a form without a choice changes nothing (FE-17)."""
    parked = pages.at_step(txn, step=welcoming.FIRST_TIME)
    form = parsing.form(FirstTimeForm, request.form)
    if parked is None:
        return onward(txn)
    if isinstance(form, FormErrors):
        return _first_time_page(parked, status=400)
    if form.choice == "create":
        return _begin(parked, form)
    with writing() as tx:
        if form.choice == "link":
            welcoming.has_account(tx, txn, by=by())
        else:
            welcoming.never_mind(tx, txn, step=welcoming.FIRST_TIME, by=by())
    return onward(txn)


@bp.get("/sign-in/<uuid:txn>/link-identity")
@route_policy(auth="session")
def link(txn: UUID) -> ResponseReturnValue:
    """The identity and the account, side by side, before anything is linked (FE-13)."""
    parked = pages.at_step(txn, step=welcoming.LINK)
    if parked is None or not parked.was_shown_to(current_session()):
        return onward(txn)
    with reading() as tx:
        found = welcoming.stranger(tx, transaction=parked.transaction)
    if isinstance(found, Refused):
        return refused(found, name=None, txn=txn)
    return render_template("federation/link.html", txn=txn, stranger=found, party=parked.party)


@bp.post("/sign-in/<uuid:txn>/link-identity")
@route_policy(auth="session", bucket="sign_in")
def linked(txn: UUID) -> ResponseReturnValue:
    """Link it, or forget it, and go on."""
    parked = pages.at_step(txn, step=welcoming.LINK)
    form = parsing.form(LinkForm, request.form)
    if parked is None or isinstance(form, FormErrors):
        return onward(txn)
    with writing() as tx:
        if form.choice == "link":
            done = welcoming.confirm(tx, txn, by=by())
        else:
            done = welcoming.never_mind(tx, txn, step=welcoming.LINK, by=by())
    if isinstance(done, Refused) and isinstance(done.reason, Reason) and done.reason is not Reason.NOT_FRESH:
        return refused(done, name=None, txn=txn)
    return onward(txn)


@bp.get("/federation/jwks")
@route_policy(auth="public")
def jwks() -> ResponseReturnValue:
    """The public halves of our federation keys: what proves `private_key_jwt`, and what ID tokens are encrypted to."""
    keyring = house.get(Keyring)
    ours = keyring.upstream(Use.FEDERATION)
    signing = orjson.loads(ours.jwks)["keys"] if ours is not None else []
    document = orjson.dumps({"keys": [*signing, *keyring.encryption_jwks()]})
    answer = Response(document, mimetype="application/jwk-set+json")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@bp.get("/federation/<name>/signed-out")
@route_policy(auth="browser")
def signed_out(name: str) -> ResponseReturnValue:
    """Back from signing out there: on to the portal that asked, as it was kept here."""
    values = parsing.single_values(request.args) or {}
    with reading() as tx:
        location = sign_out.came_back(
            tx, name, values.get("state", ""), browser_digest=browser_digest(), now=clock.now()
        )
    return error_pages.signed_out(party=None) if location is None else _onto(location)


def by() -> By:
    """This request, as services take it."""
    return By(browser_digest(), current_session(), origin(), clock.now())


def away(leave: Leave, *, signing_out: bool = False) -> str:
    """A page that goes on by itself: no form of ours then ends at an address that is not ours (CSP)."""
    g.is_error_page = True  # what the address asks was done; nobody comes back to it for another language
    return render_template(
        "federation/leaving.html", url=leave.url, name=leave.applied.connection.name, signing_out=signing_out
    )


def answer(outcome: Outcome, *, name: str, txn: UUID | None) -> ResponseReturnValue:
    """After a callback: to the dispatcher, with the new session where there is one, or the page that says why not."""
    if isinstance(outcome, Refused):
        return refused(outcome, name=name, txn=txn)
    landed = make_response(_onto(url_for("sign_in.resume", txn=outcome.txn)))
    return cookies.signed_in(landed, outcome.session) if isinstance(outcome, SignedIn) else landed


def _onto(url: str) -> str:
    """A page that goes on by itself: a form there may end here, and by its own policy at no third place (CSP)."""
    g.is_error_page = True  # as above: the address holds the provider's answer
    return render_template("federation/arrived.html", url=url)


def refused(reason: Refused, *, name: str | None, txn: UUID | None) -> ResponseReturnValue:
    """One page for every no: whose sign-in it was, why, and the way back to the others (R-17)."""
    g.is_error_page = True  # the address holds the provider's answer, which no page of ours repeats (SE-18)
    parked = pages.of_this_browser(txn)
    with reading() as tx:
        applied = connections.find(tx, name) if name is not None else None
    known = reason.reason if isinstance(reason.reason, Reason) else Reason.STATE
    page = render_template(
        "federation/refused.html",
        name=applied.connection.name if applied is not None else None,
        why=words.REASONS[known],
        back_url=url_for("sign_in.resume", txn=txn) if parked is not None else None,
    )
    answer = make_response(page, _STATUS.get(known, 422))
    if answer.status_code == 503:
        answer.headers["Retry-After"] = _RETRY_AFTER
    return answer


def at_sign_in(txn: UUID) -> Parked | None:
    """The sign-in that this browser parked, while it may still be made from elsewhere."""
    parked = pages.of_this_browser(txn)
    return parked if parked is not None and parked.transaction.awaiting in SIGN_IN_STEPS else None


def go(parked: Parked, applied: Applied, *, login_hint: str) -> ResponseReturnValue:
    """Send the browser to a provider for a parked sign-in."""
    going = leaving.signing_in(applied, parked.transaction, by=by(), login_hint=login_hint)
    left = leaving.depart(going, by=by())
    if isinstance(left, Refused):
        return refused(left, name=applied.name, txn=parked.transaction.id)
    return away(left)


def _begin(parked: Parked, form: FirstTimeForm) -> ResponseReturnValue:
    txn = parked.transaction.id
    with reading() as tx:
        found = welcoming.stranger(tx, transaction=parked.transaction)
    if isinstance(found, Refused):
        return onward(txn)
    names = {
        "given_name": found.identity.given_name or form.given_name,
        "family_name": found.identity.family_name or form.family_name,
    }
    missing = {name: words.MISSING_NAME for name, text in names.items() if isinstance(spoken_name(text), Refused)}
    if missing:
        return _first_time_page(parked, errors=missing, status=422)
    with writing() as tx:
        begun = welcoming.begin(tx, txn, locale=i18n.language(), by=by(), **names)
    if isinstance(begun, Refused):
        return refused(begun, name=found.applied.name, txn=txn)
    there = onward(txn)
    if begun.run_id is not None and parked.party is not None:
        client_id = parked.party.client_id
        there = redirect(
            url_for("enrollment.resume", client_id=client_id, ceremony=begun.ceremony, run=begun.run_id), 303
        )
    return cookies.signed_in(make_response(there), begun.entered.session)


def _first_time_page(
    parked: Parked, *, errors: dict[str, LazyString] | None = None, status: int = 200
) -> ResponseReturnValue:
    with reading() as tx:
        found = welcoming.stranger(tx, transaction=parked.transaction)
    if isinstance(found, Refused):
        return refused(found, name=None, txn=parked.transaction.id)
    page = render_template(
        "federation/first_time.html",
        txn=parked.transaction.id,
        stranger=found,
        party=parked.party,
        typed=request.form,
        errors=errors or {},
    )
    return page, status
