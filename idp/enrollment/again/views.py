"""`/enroll/again`: what is still needed, in the browser that opened the mailed link."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.authenticators.factors.forms import NoFields
from idp.enrollment.again import service
from idp.enrollment.again.words import WAYS
from idp.enrollment.ceremonies import again
from idp.foundation import clock, error_pages, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.relying_parties import service as relying_parties
from idp.sessions import cookies
from idp.sessions import parked as parked_pages
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused

bp = Blueprint("enrollment_again", __name__)


@bp.get("/enroll/again")
@route_policy(auth="browser")
def evidence() -> ResponseReturnValue:
    """One button where others have vouched; else the portals' own evidence, or whom to ask."""
    standing = service.look(cookies.browser_digest(), now=clock.now())
    if standing is None:
        return error_pages.show(error_pages.Kind.EXPIRED_PAGE)
    parked_pages.brand(standing.party)
    return render_template(
        "enrollment/again/evidence.html",
        standing=standing,
        ways=[(way, WAYS[way.step]) for way in standing.ways],
        staff_only=standing.wanted is Evidence.PAYER or not standing.ways,
    )


@bp.post("/enroll/again")
@route_policy(auth="browser", bucket="recovery")
def finished() -> ResponseReturnValue:
    """Take the lost factors away."""
    _only_a_button()
    standing = service.look(cookies.browser_digest(), now=clock.now())
    refused = service.finish(cookies.browser_digest(), now=clock.now(), origin=origin())
    if isinstance(refused, Refused):
        return redirect(url_for("enrollment_again.evidence"), 303)
    client_id = standing.recovery.client_id if standing is not None else None
    return redirect(url_for("enrollment_again.removed", at=client_id), 303)


@bp.post("/enroll/again/<client_id>/<ceremony>")
@route_policy(auth="browser", bucket="recovery")
def begin(client_id: str, ceremony: str) -> ResponseReturnValue:
    """Go to one portal's evidence."""
    _only_a_button()
    run = service.begin(cookies.browser_digest(), client_id=client_id, ceremony=ceremony, now=clock.now())
    if run is None:
        return redirect(url_for("enrollment_again.evidence"), 303)
    return redirect(url_for("enrollment.resume", client_id=client_id, ceremony=again(ceremony), run=run), 303)


@bp.get("/enroll/again/removed")
@route_policy(auth="none")
def removed() -> ResponseReturnValue:
    """What comes next; says nothing about anybody."""
    party = relying_parties.find(request.args.get("at", "")[:64])
    parked_pages.brand(party if party is not None and party.portal is not None else None)
    return render_template("enrollment/again/removed.html")


def _only_a_button() -> None:
    if isinstance(parsing.form(NoFields, request.form), FormErrors):
        abort(400)
