"""The partner's pages: connect with a person's consent, see what that shows, disconnect, and ask by itself."""

import hmac
import logging

from flask import Blueprint, current_app, g, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from clients.partner.asking import CONNECT_SCOPE, ask_api, own_token
from clients.relying_party import sign_in
from clients.relying_party.provider import ProviderRefused, ProviderUnavailable
from clients.relying_party.site import message, now, signed_in, site, visit, with_visit
from clients.relying_party.tokens import peek

log = logging.getLogger(__name__)
bp = Blueprint("partner", __name__, template_folder="templates")


@bp.get("/")
def home() -> ResponseReturnValue:
    """What it may see, before and after connecting."""
    who = signed_in()
    if who is None:
        return render_template("partner/home.html")
    sign_in.read_userinfo(who, provider=site().provider, now=now())
    provider_id = str(who.claims.get("provider_id", ""))
    status, answer = ask_api(site().manifest, access_token=who.access_token, provider_id=provider_id)
    return render_template("partner/connected.html", status=status, answer=answer)


@bp.get("/sign-in")
@bp.get("/connect")
def connect() -> ResponseReturnValue:
    here = visit() or site().visits.begin(now=now())
    url = sign_in.ask(
        here,
        visits=site().visits,
        provider=site().provider,
        scope=CONNECT_SCOPE,
        target=site().manifest.url("/"),
        now=now(),
        resource=current_app.config["RESOURCE"],
        ui_locales=g.language,
    )
    return with_visit(make_response(redirect(url, 303)), here)


@bp.get("/callback")
def callback() -> ResponseReturnValue:
    here = visit()
    if here is None or any(len(values) > 1 for _, values in request.args.lists()):
        raise sign_in.NotAsked
    who, target = sign_in.answer(
        here,
        visits=site().visits,
        provider=site().provider,
        parameters=request.args.to_dict(),
        now=now(),
        resource=current_app.config["RESOURCE"],
    )
    return with_visit(make_response(redirect(target, 303)), site().visits.sign_in(here, signed_in=who, now=now()))


@bp.get("/me.json")
def me_as_json() -> ResponseReturnValue:
    """What the connected person released, for programs; 401 when nobody is connected."""
    who = signed_in()
    try:
        if who is None:
            raise sign_in.AccessEnded
        sign_in.read_userinfo(who, provider=site().provider, now=now())
    except sign_in.AccessEnded:
        return jsonify(error="signed_out"), 401
    return jsonify(id_token=who.id_claims, userinfo=who.userinfo, access_token=peek(who.access_token))


@bp.post("/disconnect")
def disconnect() -> ResponseReturnValue:
    """Gives the grant back (RFC 7009) and forgets the tokens."""
    here = visit()
    if here is None or here.signed_in is None:
        return redirect("/", 303)
    if not _from_our_form():
        return message(
            "This form was open too long", "Go back to the start page and try from there.", status=403, again=False
        )
    site().visits.end(here)
    who, g.visit = here.signed_in, None
    try:
        site().provider.revoke(who.refresh_token or who.access_token, now=now())
    except ProviderUnavailable as error:
        log.warning("the grant could not be revoked: %s", error)
    return message("You disconnected", "We can no longer see anything of yours.", again=False, failed=False)


@bp.get("/signed-out")
def signed_out() -> ResponseReturnValue:
    """Where the provider sends a browser after a sign-out that began here."""
    return redirect("/", 303)


@bp.get("/by-itself")
def by_itself() -> ResponseReturnValue:
    """Client credentials: what the partner is answered when nobody is signed in."""
    provider_id, outcome = request.args.get("provider_id", "")[:32], None
    if provider_id.isalnum():
        try:
            tokens = own_token(site().provider, manifest=site().manifest, provider_id=provider_id, now=now())
            outcome = ask_api(site().manifest, access_token=tokens.access_token, provider_id=provider_id)
        except ProviderRefused as error:
            outcome = (403, {"error": error.code})
    return render_template("partner/by_itself.html", provider_id=provider_id, outcome=outcome)


def _from_our_form() -> bool:
    here = visit()
    return here is not None and hmac.compare_digest(request.form.get("csrf", "").encode(), here.csrf.encode())
