"""Where upstream OpenID providers answer: one callback and one sign-out address for each connection."""

from typing import Final

from flask import Blueprint, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.federation import requests, service, sign_out, trials, views
from idp.federation.connections import facts as connections
from idp.federation.connections.facts import Applied
from idp.federation.requests import Asked, Purpose
from idp.federation.rules import Reason
from idp.federation.service import Outcome
from idp.federation.sign_out import Told
from idp.federation.upstream_oidc import service as upstream
from idp.federation.upstream_oidc.providers import Failed
from idp.federation.upstream_oidc.service import Answer, Taken
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import count, origin, route_policy
from idp.sessions.cookies import browser_digest
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

bp = Blueprint("upstream_oidc", __name__)

FORM: Final = "application/x-www-form-urlencoded"


@bp.get("/federation/<name>/callback")
@route_policy(auth="browser", changes=True)
def callback(name: str) -> ResponseReturnValue:
    """The answer to one request of this browser at this very connection (FE-04, FE-05)."""
    count("authorize")
    found = _asked(name)
    if isinstance(found, Refused):
        return views.refused(found, name=name, txn=None)
    applied, asked, answer = found
    taken = upstream.take(applied, asked, answer, now=clock.now())
    if isinstance(taken, Failed) and taken.reason is Reason.BUSY:
        return views.refused(taken, name=name, txn=asked.txn)  # nothing was used up: loading the page again goes on
    if asked.purpose is Purpose.TEST:
        _keep_trial(applied, answer, taken)
        return redirect(url_for("console_connections.connection", name=name), 303)
    return views.answer(_arrive(applied, asked, answer, taken), name=name, txn=asked.txn)


@bp.post("/federation/<name>/logout")
@route_policy(auth="client", csrf=False, bucket="authorize")
def signed_out_there(name: str) -> ResponseReturnValue:
    """Back-Channel Logout §2.5, incoming: 200 when it is done, 400 for whatever is no such message of this provider."""
    values = parsing.single_values(request.form) if request.mimetype == FORM else None
    token = (values or {}).get("logout_token", "")
    with reading() as tx:
        applied = connections.find(tx, name)
    done = _end_what_rests(applied, token) if applied is not None else Refused(Reason.UNKNOWN_CONNECTION)
    response = jsonify({"error": "invalid_request"} if isinstance(done, Refused) else {})
    response.status_code = 400 if isinstance(done, Refused) else 200
    response.headers["Cache-Control"] = "no-store"
    return response


def _end_what_rests(applied: Applied, token: str) -> int | Refused:
    now = clock.now()
    if not applied.enabled or applied.connection.protocol != "oidc" or not token:
        return Refused(Reason.SWITCHED_OFF)
    claims = upstream.logout_claims(applied, token, now=now)
    if isinstance(claims, Refused):
        return claims
    named = {name: claims[name] if isinstance(claims.get(name), str) else None for name in ("sub", "sid")}
    said = Told(message=claims["jti"], subject=named["sub"], session=named["sid"])
    with writing() as tx:
        another = sign_out.names_another(tx, applied, said, now=now, origin=origin())
        return another or sign_out.told(tx, applied, said, now=now, origin=origin())


def _asked(name: str) -> tuple[Applied, Asked, Answer] | Refused:
    """The request that the answer names; looked at, and used up only with what comes of it."""
    values = parsing.single_values(request.args)
    if values is None or not values.get("state"):
        return Refused(Reason.STATE)
    with reading() as tx:
        applied = connections.find(tx, name)
        asked = requests.look(tx, values["state"], connection=name, browser_digest=browser_digest(), now=clock.now())
    if isinstance(asked, Refused):
        return asked
    if applied is None or not applied.enabled or applied.connection.protocol != "oidc":
        return Refused(Reason.SWITCHED_OFF)
    answer = Answer(Secret(values["state"]), values.get("code"), values.get("error"), values.get("iss"))
    return applied, asked, answer


def _arrive(applied: Applied, asked: Asked, answer: Answer, taken: Taken | Failed) -> Outcome:
    """Use the request up and let what was proven happen, in one transaction; of two answers one counts."""
    by = views.by()
    with writing() as tx:
        used = requests.use_up(
            tx, answer.state.reveal(), connection=applied.name, browser_digest=by.browser_digest, now=by.now
        )
        if isinstance(used, Refused):
            return used
        if isinstance(taken, Failed):
            service.audit_failure(tx, applied.name, asked, taken, wrong=taken.wrong.value, by=by)
            return taken
        return service.arrived(tx, identity=taken.identity, asked=asked, by=by, hint=taken.id_token)


def _keep_trial(applied: Applied, answer: Answer, taken: Taken | Failed) -> None:
    """What staff see of their own trial; an answer for another session than theirs is none."""
    by = views.by()
    with writing() as tx:
        used = requests.use_up(
            tx, answer.state.reveal(), connection=applied.name, browser_digest=by.browser_digest, now=by.now
        )
        if isinstance(used, Refused) or by.session is None or used.by != by.session.subject_id:
            return
        if isinstance(taken, Failed):
            service.audit_failure(tx, applied.name, used, taken, wrong=taken.wrong.value, by=by)
            trials.keep(tx, applied, taken.wrong, now=by.now, code=taken.code)
        else:
            trials.keep(tx, applied, taken.identity, now=by.now)
