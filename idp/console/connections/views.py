"""*Connections*: who may sign people in for us, one at a time; a trial that says what is wrong; off and on (R-36)."""

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from idp.console.connections import facts
from idp.console.connections.facts import ConnectionPage
from idp.console.connections.words import CODES, EVIDENCE, PROTOCOLS, SAVED, explained
from idp.console.pages import actor, myself, only_a_button, page
from idp.federation import leaving, trials, views
from idp.federation.upstream_oidc.providers import Failed
from idp.foundation import clock
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.manifests.connections import service
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_connections", __name__, url_prefix="/console/connections")


@bp.get("")
@route_policy(auth="session", staff=StaffMay.READ_SYSTEM)
def index() -> ResponseReturnValue:
    """All of them."""
    with reading() as tx:
        found = facts.every(tx)
    return page("console/connections/index.html", at="connections", found=found, protocols=PROTOCOLS)


@bp.get("/<name>")
@route_policy(auth="session", staff=StaffMay.READ_SYSTEM)
def connection(name: str) -> ResponseReturnValue:
    """One: what it may, what its provider must be told of us, and what the last trial said."""
    return page(
        "console/connections/connection.html",
        at="connections",
        saved=SAVED,
        found=_found(name),
        protocols=PROTOCOLS,
        explained=explained,
        codes=CODES,
        masked=facts.masked,
        evidence=EVIDENCE,
    )


@bp.post("/<name>/test")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM)
def tested(name: str) -> ResponseReturnValue:
    """Sign in there with an identity of one's own; nobody is signed in here by that."""
    only_a_button()
    applied = _found(name).applied
    by = views.by()
    left = leaving.depart(leaving.testing(applied, by=by, subject_id=myself().id), by=by)
    if not isinstance(left, Refused):
        return views.away(left)
    wrong = left.wrong if isinstance(left, Failed) else left.reason
    with writing() as tx:
        trials.keep(tx, applied, wrong, now=by.now)
    return redirect(url_for("console_connections.connection", name=name), 303)


@bp.get("/<name>/disable")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def disable(name: str) -> ResponseReturnValue:
    """Asks before it is switched off."""
    return page("console/connections/disable.html", at="connections", found=_found(name))


@bp.post("/<name>/disable")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def disabled(name: str) -> ResponseReturnValue:
    """Switch it off: nobody signs in by it, and every other way stays."""
    return _switch(name, on=False, done="disabled")


@bp.post("/<name>/enable")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def enabled(name: str) -> ResponseReturnValue:
    """Switch it on again."""
    return _switch(name, on=True, done="enabled")


def _switch(name: str, *, on: bool, done: str) -> ResponseReturnValue:
    only_a_button()
    if service.switch(name[:64], on=on, now=clock.now(), origin=origin(), actor=actor()) is not None:
        abort(404)
    return redirect(url_for("console_connections.connection", name=name, done=done), 303)


def _found(name: str) -> ConnectionPage:
    with reading() as tx:
        found = facts.one(tx, name[:64], now=clock.now())
    if found is None:
        abort(404)
    return found
