"""*Relying parties*: read them, switch them off and on, give them a new secret."""

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from idp.console.pages import actor, only_a_button, page
from idp.console.parties import facts
from idp.console.parties.facts import PartyPage
from idp.console.parties.words import REASONS, SAVED
from idp.foundation import clock
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.relying_parties import service
from idp.relying_parties.registration.rules import keeps_secret
from idp.relying_parties.service import Reason
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_parties", __name__, url_prefix="/console/relying-parties")


@bp.get("")
@route_policy(auth="session", staff=StaffMay.READ_SYSTEM)
def index() -> ResponseReturnValue:
    """All of them."""
    return page("console/parties/index.html", at="parties", parties=facts.every(now=clock.now()))


@bp.get("/<client_id>")
@route_policy(auth="session", staff=StaffMay.READ_SYSTEM)
def party(client_id: str) -> ResponseReturnValue:
    """One: how it is registered, and its secrets' dates."""
    return _party(client_id)


@bp.get("/<client_id>/disable")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def disable(client_id: str) -> ResponseReturnValue:
    """Asks before it is switched off."""
    return page("console/parties/disable.html", at="parties", found=_found(client_id))


@bp.post("/<client_id>/disable")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def disabled(client_id: str) -> ResponseReturnValue:
    """Switch it off; everything issued to it ends."""
    only_a_button()
    with writing() as tx:
        refused = service.disable(tx, client_id=client_id, now=clock.now(), actor=actor(), origin=origin())
    return _switched(refused, client_id, "disabled")


@bp.post("/<client_id>/enable")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def enabled(client_id: str) -> ResponseReturnValue:
    """Switch it on again."""
    only_a_button()
    with writing() as tx:
        refused = service.enable(tx, client_id=client_id, now=clock.now(), actor=actor(), origin=origin())
    return _switched(refused, client_id, "enabled")


@bp.get("/<client_id>/secret")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def secret(client_id: str) -> ResponseReturnValue:
    """Asks before a new secret is made."""
    return page("console/parties/secret.html", at="parties", found=_found(client_id))


@bp.post("/<client_id>/secret")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def rotated(client_id: str) -> ResponseReturnValue:
    """A new secret, shown this once; the former one works a day longer (TK-16)."""
    only_a_button()
    with writing() as tx:
        made = service.add_secret(tx, client_id=client_id, now=clock.now(), actor=actor(), origin=origin())
    if isinstance(made, Refused):
        return _switched(made, client_id, "")
    return page("console/parties/made.html", at="parties", found=_found(client_id), secret=made)


def _found(client_id: str) -> PartyPage:
    with reading() as tx:
        found = facts.one(tx, client_id[:64], now=clock.now())
    if found is None:
        abort(404)
    return found


def _party(client_id: str, *, refused: Refused | None = None) -> str:
    found = _found(client_id)
    return page(
        "console/parties/party.html",
        at="parties",
        saved=SAVED,
        found=found,
        keeps_secret=keeps_secret(found.party.registration),
        problem=REASONS[Reason(refused.reason)] if refused else None,
    )


def _switched(refused: Refused | None, client_id: str, done: str) -> ResponseReturnValue:
    if refused is None:
        return redirect(url_for("console_parties.party", client_id=client_id, done=done), 303)
    if refused.reason is Reason.UNKNOWN:
        abort(404)
    return _party(client_id, refused=refused), 409
