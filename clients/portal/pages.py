"""The portal's own pages: the menu, who I am and for whom I act, and the pages that take an access level."""

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from clients.portal.guard import for_signed_in, is_fresh
from clients.portal.step_up import PAYMENTS
from clients.relying_party.manifest import Level
from clients.relying_party.sign_in import AccessEnded, read_userinfo
from clients.relying_party.site import now, signed_in, site, visit
from clients.relying_party.tokens import peek
from clients.relying_party.visits import SignedIn

bp = Blueprint("portal", __name__, template_folder="templates")


@bp.get("/")
def landing() -> ResponseReturnValue:
    """The menu; what the signed-in person may do comes first."""
    held = who.entitlements if (who := signed_in()) else frozenset()
    levels = sorted(site().manifest.levels, key=lambda level: level.key not in held)
    return render_template("portal/landing.html", levels=levels, guarding_claims=site().manifest.level_of_claims)


@bp.get("/me")
@for_signed_in
def me(who: SignedIn) -> ResponseReturnValue:
    read_userinfo(who, provider=site().provider, now=now())
    held = [level for level in site().manifest.levels if level.key in who.entitlements]
    return render_template("portal/me.html", held=held, access_token=peek(who.access_token))


@bp.get("/me.json")
def me_as_json() -> ResponseReturnValue:
    """What this browser's person was told of, for programs; 401 when nobody is signed in."""
    here, who = visit(), signed_in()
    if here is None or who is None:
        return _nobody()
    try:
        read_userinfo(who, provider=site().provider, now=now())
    except AccessEnded:
        site().visits.end(here)
        return _nobody()
    received = {"id_token": who.id_claims, "userinfo": who.userinfo, "access_token": peek(who.access_token)}
    return jsonify(received)


@bp.get("/claims")
@for_signed_in
def claims(who: SignedIn) -> ResponseReturnValue:
    level = site().manifest.level_of_claims
    if level is None:
        abort(404)
    return _guarded(who, level)


@bp.get("/task/<key>")
@for_signed_in
def work(who: SignedIn, key: str) -> ResponseReturnValue:
    level = next((level for level in site().manifest.levels if level.key == key), None)
    if level is None:
        abort(404)
    return _guarded(who, level)


@bp.get("/sensitive")
@for_signed_in
def sensitive(who: SignedIn) -> ResponseReturnValue:
    """Only for someone who has just proved who they are, whatever session the browser carries."""
    if not is_fresh(who, now=now()):
        return redirect("/sign-in/again")
    return render_template("portal/sensitive.html")


@bp.get("/payments")
@for_signed_in
def payments(who: SignedIn) -> ResponseReturnValue:
    """Only for someone who has proven a second factor lately; anybody else is sent to prove it."""
    if PAYMENTS.is_met(who.id_claims, now=now()):
        return render_template("portal/payments.html")
    return redirect("/sign-in/stronger")


@bp.get("/payments/now")
@for_signed_in
def payments_now(who: SignedIn) -> ResponseReturnValue:
    """Where the stronger sign-in comes back to; whoever has nothing stronger is told what to do, and not sent again."""
    if PAYMENTS.is_met(who.id_claims, now=now()):
        return redirect("/payments", 303)
    return render_template("portal/not_strong.html"), 403


@bp.get("/payments.json")
def payments_as_json() -> ResponseReturnValue:
    """The same for programs: 401 with what is missing, as RFC 9470 has it."""
    who = signed_in()
    if who is None:
        return _nobody()
    if PAYMENTS.is_met(who.id_claims, now=now()):
        return jsonify(account_ends_in="4410")
    answer = jsonify(error="insufficient_user_authentication")
    answer.headers["WWW-Authenticate"] = PAYMENTS.challenge
    return answer, 401


def _guarded(who: SignedIn, level: Level) -> ResponseReturnValue:
    if level.key not in who.entitlements:
        return render_template("portal/not_yours.html", level=level), 403
    about_claims = level == site().manifest.level_of_claims and request.path == "/claims"
    return render_template("portal/work.html", level=level, about_claims=about_claims)


def _nobody() -> ResponseReturnValue:
    answer: Response = jsonify(error="signed_out")
    return answer, 401
