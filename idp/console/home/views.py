"""The console's first page."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from idp.console.home.facts import counters
from idp.console.pages import myself, page
from idp.console.staff import facts
from idp.console.staff.words import ROLE_NOTES, ROLES
from idp.foundation import clock
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.vocabulary.staff import StaffMay, StaffRole

bp = Blueprint("console", __name__, url_prefix="/console")


@bp.get("/")
@route_policy(auth="session", staff=StaffMay.ENTER)
def index() -> ResponseReturnValue:
    """Who you are here, what waits, and where you may go."""
    with reading() as tx:
        mine = facts.roles_of(tx, subject_id=myself().id)
        counted = counters(tx, now=clock.now())
    roles = [(ROLES[role], ROLE_NOTES[role]) for role in StaffRole if role in mine]
    return page("console/home/index.html", at="home", roles=roles, counted=counted)
