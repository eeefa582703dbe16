"""The ceremonies' addresses: `/enroll/<portal>/<ceremony>/` begins, a run's own address says which page is next."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, abort, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from idp.authenticators.password.views import busy
from idp.enrollment import pages, service
from idp.enrollment.again.service import REMOVED
from idp.enrollment.ceremonies import is_again
from idp.enrollment.completing import landing
from idp.enrollment.forms import AvailabilityForm
from idp.enrollment.place import Place, Visit
from idp.enrollment.rules import Complete, OtherPerson, Page, Show, SignIn, by_slug
from idp.enrollment.service import Again, Busy, Onward
from idp.enrollment.steps.create_account.step import unavailable
from idp.enrollment.steps.create_account.words import AVAILABLE
from idp.foundation import clock, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import count, route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions import cookies

bp = Blueprint("enrollment", __name__)

NO_MAIL: Final = _("We have sent several e-mails to this address already. Please wait an hour, then ask again.")
MAILED: Final = _("We have sent the e-mail again. The former link no longer works.")
_SIGN_IN: Final = "sign_in"
_ASKS_AVAILABILITY: Final = "check_availability"


@bp.get("/enroll/<client_id>/<ceremony>/")
@route_policy(auth="none")
def start(client_id: str, ceremony: str) -> ResponseReturnValue:
    """The first page; a ceremony that this browser has begun goes on where it was."""
    visit = pages.visit(client_id, ceremony)
    run = service.newest(visit)
    if run is not None:
        return redirect(_resume(visit, run.id), 303)
    place = service.where(visit)
    return pages.page(place, place.pages[0])


@bp.post("/enroll/<client_id>/<ceremony>/")
@route_policy(auth="none", bucket="enrollment")
def begin(client_id: str, ceremony: str) -> ResponseReturnValue:
    """Take the first page, and begin with it."""
    visit = pages.visit(client_id, ceremony)
    return _submitted(visit, visit.pages[0])


@bp.get("/enroll/<client_id>/<ceremony>/<uuid:run>")
@route_policy(auth="browser")
def resume(client_id: str, ceremony: str, run: UUID) -> ResponseReturnValue:
    """On to the next page, to the sign-in, or to what came of it."""
    visit = pages.visit(client_id, ceremony, run)
    place = service.where(visit)
    if place.run is None:
        return redirect(url_for("enrollment.done", client_id=client_id, ceremony=ceremony, run=run), 303)
    verdict = place.verdict()
    match verdict:
        case Show():
            return redirect(pages.address(visit, verdict.page), 303)
        case SignIn():
            return redirect(url_for("sign_in.own", to="enrollment.signed_in", at=client_id), 303)
        case OtherPerson():
            return pages.other_person(place)
        case Complete():
            return _at_the_end(visit, place)


@bp.post("/enroll/<client_id>/<ceremony>/<uuid:run>/finish")
@route_policy(auth="session", bucket="enrollment")
def finish(client_id: str, ceremony: str, run: UUID) -> ResponseReturnValue:
    """The one button for whoever lacks nothing: let all of it happen (X4)."""
    visit = pages.visit(client_id, ceremony, run)
    refused = service.finish(visit)
    return pages.stuck(service.where(visit)) if refused is not None else redirect(_resume(visit, run), 303)


@bp.get("/enroll/<client_id>/<ceremony>/<uuid:run>/<slug>")
@route_policy(auth="browser")
def show(client_id: str, ceremony: str, run: UUID, slug: str) -> ResponseReturnValue:
    """One page, if it is the next one or an earlier one that may still be changed."""
    visit = pages.visit(client_id, ceremony, run)
    place, page = service.where(visit), by_slug(visit.pages, slug) or abort(404)
    return pages.page(place, page) if place.may_open(page) else redirect(_resume(visit, run), 303)


@bp.post("/enroll/<client_id>/<ceremony>/<uuid:run>/<slug>")
@route_policy(auth="browser", bucket="enrollment")
def answer(client_id: str, ceremony: str, run: UUID, slug: str) -> ResponseReturnValue:
    """Take one page; a page that is not awaited changes nothing."""
    visit = pages.visit(client_id, ceremony, run)
    page = by_slug(visit.pages, slug) or abort(404)
    return _submitted(visit, page)


@bp.post("/enroll/<client_id>/<ceremony>/<uuid:run>/send-again")
@route_policy(auth="browser", bucket="recovery")
def send_again(client_id: str, ceremony: str, run: UUID) -> ResponseReturnValue:
    """Mail a new link (A8, C3); the former one is void."""
    visit = pages.visit(client_id, ceremony, run)
    sent = service.send_again(visit)
    place = service.where(visit)
    verdict = place.verdict()
    if sent is None or not isinstance(verdict, Show):
        return redirect(_resume(visit, run), 303)
    return pages.page(place, verdict.page, done=MAILED if sent else None, problem=None if sent else NO_MAIL)


@bp.post("/enroll/<client_id>/<ceremony>/<uuid:run>/leave")
@route_policy(auth="browser", bucket="enrollment")
def leave(client_id: str, ceremony: str, run: UUID) -> ResponseReturnValue:
    """*Cancel*: what was typed is forgotten, the portal's first page comes next."""
    visit = pages.visit(client_id, ceremony, run)
    service.leave(visit)
    if is_again(ceremony):
        return redirect(url_for("enrollment_again.evidence"), 303)
    return redirect(f"{visit.party.manifest.base_url}/", 303)


@bp.get("/enroll/<client_id>/<ceremony>/<uuid:run>/done")
@route_policy(auth="browser")
def done(client_id: str, ceremony: str, run: UUID) -> ResponseReturnValue:
    """What came of it; with access and no confirmation page, the portal itself."""
    visit = pages.visit(client_id, ceremony, run)
    ended = service.ended(visit)
    if ended is None:
        return pages.unknown(visit)
    if ended.outcome == REMOVED:
        return redirect(url_for("enrollment_again.removed", at=client_id), 303)
    if ended.outcome == "left":
        return redirect(url_for("enrollment.start", client_id=client_id, ceremony=ceremony), 303)
    if pages.lands_at_once(visit, ended):
        return redirect(landing(visit.party), 303)
    return pages.confirmation(visit, ended)


@bp.get("/enroll/signed-in")
@route_policy(auth="session")
def signed_in() -> ResponseReturnValue:
    """Where a sign-in for an enrollment comes back to: whatever this browser was about."""
    run = service.newest_of(cookies.browser_digest(), now=clock.now())
    if run is None:
        return redirect(url_for("account.overview"), 303)
    return redirect(url_for("enrollment.resume", client_id=run.client_id, ceremony=run.ceremony, run=run.id), 303)


@bp.post("/enroll/<client_id>/user-id")
@route_policy(auth="none", bucket="availability")
def user_id_available(client_id: str) -> ResponseReturnValue:
    """*Check Availability* without a page load (A3): about user IDs only (ruling 6)."""
    party = pages.portal(client_id)
    offers = any(pages.offers_availability(ceremony) for ceremony in party.manifest.enrollment.values())
    form = parsing.form(AvailabilityForm, request.form) if offers else abort(404)
    if isinstance(form, FormErrors):
        abort(400)
    with reading() as tx:
        wrong = unavailable(tx, form.user_id)
    answer: Response = jsonify(available=wrong is None, sentence=str(AVAILABLE if wrong is None else wrong))
    return answer


def _submitted(visit: Visit, page: Page) -> ResponseReturnValue:
    if _SIGN_IN in request.form and pages.offers_sign_in(page):
        service.begin(visit)
        return redirect(url_for("sign_in.own", to="enrollment.signed_in", at=visit.party.client_id), 303)
    if _ASKS_AVAILABILITY in request.form:
        count("availability")
    outcome = service.submit(visit, page, request.form)
    match outcome:
        case Onward(_, elsewhere=str() as other):
            return redirect(url_for("enrollment.start", client_id=visit.party.client_id, ceremony=other), 303)
        case Onward(run_id):
            return redirect(_resume(visit, run_id), 303)
        case Busy():
            return busy()
        case Again():
            return pages.page(_placed(visit), page, again=outcome), outcome.status
        case None:
            return redirect(_resume(visit, visit.run_id), 303)


def _at_the_end(visit: Visit, place: Place) -> ResponseReturnValue:
    """Nothing is left to ask: its person signs in, sees for whom it is, and lets it happen."""
    if is_again(visit.ceremony):
        return redirect(url_for("enrollment_again.evidence"), 303)
    if place.signed_in is None:
        return redirect(url_for("sign_in.own", to="enrollment.signed_in", at=visit.party.client_id), 303)
    return pages.finish(place) if place.is_its_persons else pages.other_person(place)


def _placed(visit: Visit) -> Place:
    return service.where(visit)


def _resume(visit: Visit, run_id: UUID | None) -> str:
    client_id, ceremony = visit.party.client_id, visit.ceremony
    if run_id is None:
        return url_for("enrollment.start", client_id=client_id, ceremony=ceremony)
    return url_for("enrollment.resume", client_id=client_id, ceremony=ceremony, run=run_id)
