"""The list; whom it names, staff find in the directory."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from idp.affiliations.reviews import words
from idp.console.pages import page
from idp.console.reviews import facts
from idp.foundation import clock
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.relying_parties import service as relying_parties
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_reviews", __name__, url_prefix="/console/reviews")


@bp.get("")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def index() -> ResponseReturnValue:
    """Not confirmed in time, or ending within a week."""
    with reading() as tx:
        found = facts.urgent(tx, now=clock.now())
    parties = {party.client_id: party.manifest.name for party in relying_parties.every().values()}
    return page("console/reviews/index.html", at="reviews", found=found, parties=parties, states=words.STATES)
