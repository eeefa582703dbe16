"""Where SAML identity providers read our metadata and post their answers, and where a browser brings one home."""

import re
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.federation import sign_out, views
from idp.federation.connections import facts as connections
from idp.federation.connections.facts import Applied
from idp.federation.requests import Asked, Purpose
from idp.federation.rules import Reason
from idp.federation.service import By, Outcome
from idp.federation.upstream_saml import arriving, logout
from idp.federation.upstream_saml import service as upstream
from idp.federation.upstream_saml.service import Carried
from idp.foundation import clock, error_pages, house, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import count, origin, route_policy
from idp.relying_parties import service as relying_parties
from idp.sessions.transactions import UNCLAIMED
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

bp = Blueprint("upstream_saml", __name__)

_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z", re.ASCII)
"""RelayState as we make it; anything else, above all an address, is nothing to us (FE-41)."""


@bp.get("/federation/saml/<name>/metadata")
@route_policy(auth="public")
def metadata(name: str) -> ResponseReturnValue:
    """Our metadata for one connection, for its provider to read."""
    document = upstream.metadata(_applied(name), now=clock.now())
    answer = Response(document, mimetype="application/samlmetadata+xml")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@bp.post("/federation/saml/<name>/acs")
@route_policy(auth="none", bucket="authorize", cross_site=True)
def acs(name: str) -> ResponseReturnValue:
    """A posted answer: it comes cross-site without cookies, so it is only verified, and carried on by 303."""
    applied = _applied(name)
    values = parsing.single_values(request.form) or {}
    encoded, relayed = values.get("SAMLResponse"), values.get("RelayState", "")
    if not encoded:
        abort(400)
    state = Secret(relayed) if _STATE.match(relayed) else None
    now = clock.now()
    taken = upstream.take(applied, encoded, state=state, now=now)
    if isinstance(taken, Refused):
        arriving.note(applied, taken.reason, by=By(UNCLAIMED, None, origin(), now))
        known = relayed if state is not None else None
        return redirect(url_for("upstream_saml.arrive", name=name, why=taken.reason.value, state=known), 303)
    return redirect(url_for("upstream_saml.arrive", name=name, answer=upstream.carry(taken, name=name, now=now)), 303)


@bp.get("/federation/saml/<name>/arrive")
@route_policy(auth="browser", changes=True)
def arrive(name: str) -> ResponseReturnValue:
    """The same answer in the browser that was sent away for it, or what was wrong with it."""
    count("authorize")
    applied = _applied(name)
    values = parsing.single_values(request.args) or {}
    by = views.by()
    if "why" in values:
        refused, asked = arriving.told(applied, values["why"], state=values.get("state", ""), by=by)
        return _end(refused, applied, asked)
    carried = upstream.carried_in(values.get("answer", ""), name=name, now=by.now)
    if isinstance(carried, Refused):
        return views.refused(carried, name=name, txn=None)
    if carried.state is None:
        return _begin(applied, carried)
    outcome, asked = arriving.arrive(applied, carried, state=carried.state, by=by)
    return _end(outcome, applied, asked)


@bp.get("/federation/saml/<name>/sign-out")
@route_policy(auth="browser", changes=True)
def signs_out(name: str) -> ResponseReturnValue:
    """The provider signs somebody out, by a request that it signed; or it is done with ours, and the browser goes on."""
    count("authorize")
    g.is_error_page = True  # the address holds the provider's message, which no page of ours repeats (SE-18)
    applied, by = _applied(name), views.by()
    if b"SAMLRequest=" not in request.query_string:
        values = parsing.single_values(request.args) or {}
        with reading() as tx:
            location = sign_out.came_back(
                tx, name, values.get("RelayState", ""), browser_digest=by.browser_digest, now=by.now
            )
        return error_pages.signed_out(party=None) if location is None else redirect(location, 303)
    provider = upstream.provider_of(applied, now=by.now)
    if isinstance(provider, Refused):
        abort(400)
    asked = logout.read_request(request.query_string, provider=provider, ours=upstream.ours_at(name), now=by.now)
    if isinstance(asked, Refused) or isinstance(arriving.ended(applied, asked, by=by), Refused):
        abort(400)
    answer = upstream.signed_out(applied, asked, provider=provider, now=by.now)
    return error_pages.signed_out(party=None) if answer is None else redirect(answer, 303)


def _end(outcome: Outcome, applied: Applied, asked: Asked | None) -> ResponseReturnValue:
    if asked is not None and asked.purpose is Purpose.TEST:
        return redirect(url_for("console_connections.connection", name=applied.name), 303)
    return views.answer(outcome, name=applied.name, txn=asked.txn if asked is not None else None)


def _begin(applied: Applied, carried: Carried) -> ResponseReturnValue:
    """Nobody asked: the portal asks anew, so that what leads in was asked for by this very browser (FE-37)."""
    if not arriving.unasked(applied, carried, by=views.by()):
        return views.refused(Refused(Reason.REPLAYED), name=applied.name, txn=None)
    for client_id in applied.connection.portals:
        party = relying_parties.find(client_id)
        if party is not None and party.enabled and party.registration.initiate_login_uri is not None:
            start = party.absolute(party.registration.initiate_login_uri)
            joint = "&" if "?" in start else "?"
            return redirect(f"{start}{joint}{urlencode({'iss': house.get(Settings).issuer})}", 303)
    return redirect(url_for("account.overview"), 303)


def _applied(name: str) -> Applied:
    with reading() as tx:
        applied = connections.find(tx, name)
    if applied is None or not applied.enabled or applied.connection.saml is None:
        abort(404)
    return applied
