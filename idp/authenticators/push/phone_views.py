"""On the phone: a small web app that can be installed, and the addresses that its script calls with signed words.

No cookie is needed or looked at: what a phone's key did not sign for this address is not listened to.
"""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, jsonify, make_response, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp.authenticators.push import answering, calls, enrolling, subscribing, words
from idp.authenticators.push.answering import Waiting
from idp.authenticators.push.calls import Call
from idp.authenticators.push.forms import CallForm, EnrolmentForm
from idp.authenticators.push.rules import Reason
from idp.foundation import clock, house, masks, pages, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.vocabulary.refused import Refused

bp = Blueprint("phones", __name__, url_prefix=calls.PATH)
_WORKER_POLICY: Final = "default-src 'none'; connect-src 'self'; style-src 'self'; img-src 'self'"
"""What the app's worker may fetch: our own pages and files."""
_STATUS: Final[Mapping[object, int]] = {Reason.UNKNOWN_PHONE: 404, Reason.NOT_WAITING: 409, Reason.BAD_CODE: 409}


@bp.get("/")
@route_policy(auth="none")
def app() -> ResponseReturnValue:
    """The app."""
    page = make_response(render_template("authenticators/push/phone.html", issuer=house.get(Settings).issuer))
    page.headers["Content-Security-Policy"] = (
        pages.content_security_policy() + "; manifest-src 'self'; worker-src 'self'"
    )
    return page


@bp.get("/offline")
@route_policy(auth="none")
def offline() -> ResponseReturnValue:
    """What the app shows while there is no connection; its worker keeps a copy."""
    return render_template("authenticators/push/offline.html")


@bp.get("/worker.js")
@route_policy(auth="public")
def worker() -> ResponseReturnValue:
    """The app's worker, at an address from which it may serve the app and nothing else."""
    script = send_from_directory(pages.STATIC, "phone-worker.js", mimetype="text/javascript")
    script.headers["Content-Security-Policy"] = _WORKER_POLICY
    script.headers["Cache-Control"] = "no-cache"
    return script


@bp.get("/manifest.webmanifest")
@route_policy(auth="public")
def manifest() -> ResponseReturnValue:
    """How the app is installed (W3C Web Application Manifest)."""
    icons = [{"src": pages.static_url("icon.svg"), "sizes": "any", "type": "image/svg+xml"}]
    icons += [
        {"src": pages.static_url(f"phone-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    told = jsonify(
        id=url_for("phones.app"),
        name="Credence",
        short_name="Credence",
        start_url=url_for("phones.app"),
        scope=url_for("phones.app"),
        display="standalone",
        background_color="#173E61",
        theme_color="#173E61",
        icons=icons,
    )
    told.mimetype = "application/manifest+json"
    return told


@bp.post("/enrolment")
@route_policy(auth="token", bucket="codes")
def enrolment() -> ResponseReturnValue:
    """A phone brings its key and the code; it is told the digits to compare."""
    form = parsing.form(EnrolmentForm, request.form)
    if isinstance(form, FormErrors):
        return _no(Refused(Reason.BAD_CODE))
    check = enrolling.arrive(token=form.call, x=form.x, y=form.y, origin=origin(), now=clock.now())
    return _no(check) if isinstance(check, Refused) else _told(check=check)


@bp.post("/requests")
@route_policy(auth="token", bucket="phone")
def requests() -> ResponseReturnValue:
    """What waits for this phone's owner."""
    call = _call("requests")
    waiting = call if isinstance(call, Refused) else answering.look(call, now=clock.now())
    if isinstance(call, Refused) or isinstance(waiting, Refused):
        return _no(waiting)  # type: ignore[arg-type]
    return _told(
        name=call.phone.name,
        account=masks.email(waiting.subject.email) or waiting.subject.user_id or "",
        request=_shown(waiting),
        ring=subscribing.wanted_key(call),
    )


@bp.post("/answer")
@route_policy(auth="token", bucket="phone")
def answer() -> ResponseReturnValue:
    """Approve, deny, or *not me*."""
    call = _call("answer")
    outcome = call if isinstance(call, Refused) else answering.answer(call, now=clock.now(), origin=origin())
    if isinstance(outcome, Refused):
        return _no(outcome)
    return _told(outcome=outcome.value, sentence=str(words.OUTCOMES[outcome]))


@bp.post("/subscription")
@route_policy(auth="token", bucket="phone")
def subscription() -> ResponseReturnValue:
    """How to ring this phone while the app is closed."""
    call = _call("subscription")
    refused = call if isinstance(call, Refused) else subscribing.subscribe(call)
    return _no(refused) if refused is not None else _told()


def _call(address: str) -> Call | Refused:
    form = parsing.form(CallForm, request.form)
    if isinstance(form, FormErrors):
        return Refused(Reason.BAD_CALL)
    return calls.read(form.call, address=address, now=clock.now())


def _shown(waiting: Waiting) -> dict[str, Any] | None:
    """Our own words about who asks: nothing in it was chosen by the browser that signs in (MF-19)."""
    asked = waiting.asked
    if asked is None:
        return None
    party = relying_parties.find(asked.client_id) if asked.client_id else None
    return {
        "txn": str(asked.txn),
        "nonce": waiting.nonce,
        "portal": party.manifest.name if party is not None else house.get(Settings).support_name,
        "browser": asked.browser or _("Unknown browser"),
        "address": asked.address,
        "at": asked.created_at.isoformat(),
        "until": asked.expires_at.isoformat(),
    }


def _told(**members: object) -> Response:
    """With our clock: a phone whose own is wrong corrects what it signs next."""
    return jsonify(now=clock.now().timestamp(), **members)


def _no(refused: Refused) -> ResponseReturnValue:
    sentence = words.CALLS.get(refused.reason) if isinstance(refused.reason, Reason) else None
    told = _told(error=refused.reason.value, sentence=None if sentence is None else str(sentence))
    return told, _STATUS.get(refused.reason, 401)
