"""Where upstream OpenID providers answer: one callback and one sign-out address for each connection."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.federation import requests, service, trials, views
from idp.federation.connections import facts as connections
from idp.federation.connections.facts import Applied
from idp.federation.requests import Asked, Purpose
from idp.federation.rules import Reason
from idp.federation.service import Outcome
from idp.federation.upstream_oidc import service as upstream
from idp.federation.upstream_oidc.providers import Failed
from idp.federation.upstream_oidc.service import Answer, Taken
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import count, route_policy
from idp.sessions.cookies import browser_digest
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

bp = Blueprint("upstream_oidc", __name__)


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
    if asked.purpose is Purpose.TEST:
        _keep_trial(applied, answer, taken)
        return redirect(url_for("console_connections.connection", name=name), 303)
    return views.answer(_arrive(applied, asked, answer, taken), name=name, txn=asked.txn)


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
        trials.keep(tx, applied, taken.wrong if isinstance(taken, Failed) else taken.identity, now=by.now)
