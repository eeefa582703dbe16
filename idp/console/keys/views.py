"""*Keys*: where each stands, and the ordinary rotation after a fresh proof. No secret is ever shown."""

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from idp.console.keys.words import BROKEN, NOTES, REASONS, SAVED, STATES, USES
from idp.console.pages import actor, only_a_button, page
from idp.foundation import clock, house
from idp.foundation.front_door import origin, route_policy
from idp.keyring import custody, rotation
from idp.keyring.folder import KeysUnusable
from idp.keyring.rules import KeyFile, Reason, Use
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_keys", __name__, url_prefix="/console/keys")


@bp.get("")
@route_policy(auth="session", staff=StaffMay.READ_SYSTEM)
def index() -> ResponseReturnValue:
    """What is in the folder."""
    return _index()


@bp.get("/<use>/rotate")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def rotate(use: str) -> ResponseReturnValue:
    """Asks before keys are rotated."""
    return page("console/keys/rotate.html", at="keys", use=_use(use), uses=USES)


@bp.post("/<use>/rotate")
@route_policy(auth="session", staff=StaffMay.CHANGE_SYSTEM, step_up=True)
def rotated(use: str) -> ResponseReturnValue:
    """The next key becomes active, the active one retired; told in the audit before anything moves."""
    only_a_button()
    try:
        outcome = custody.rotate(
            house.get(Settings).keys_dir,
            now=clock.now(),
            use=_use(use),
            alg=None,
            at_once=False,
            actor=actor(),
            origin=origin(),
        )
    except (KeysUnusable, OSError):
        return _index(problem=BROKEN), 409
    if isinstance(outcome, Refused):
        return _index(problem=REASONS[Reason(outcome.reason)]), 409
    return redirect(url_for("console_keys.index", done="rotated"), 303)


def _use(text: str) -> Use:
    if text not in {each.value for each in rotation.ROTATING}:
        abort(404)
    return Use(text)


def _index(*, problem: object = None) -> str:
    files: tuple[KeyFile, ...] = ()
    try:
        files = rotation.listed(house.get(Settings).keys_dir)
    except (KeysUnusable, OSError):
        problem = problem or BROKEN
    return page(
        "console/keys/index.html",
        at="keys",
        saved=SAVED,
        groups=[(use, [file for file in files if file.use is use]) for use in Use],
        rotating=rotation.ROTATING,
        uses=USES,
        notes=NOTES,
        states=STATES,
        problem=problem,
    )
