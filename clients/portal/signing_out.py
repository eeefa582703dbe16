"""Signing out, here or everywhere (RP-Initiated Logout); what the provider says is heard in `backchannel`."""

import hmac
import logging
import secrets
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from clients.relying_party.provider import ProviderUnavailable
from clients.relying_party.site import message, now, site, visit, with_visit
from clients.relying_party.visits import Visit

log = logging.getLogger(__name__)
bp = Blueprint("signing_out", __name__)


@bp.get("/sign-out")
def choose() -> ResponseReturnValue:
    """Asks where. With `scope`, it is done at once, but only for a link that the person followed from here or typed:

    another site's link shows the choice, so nobody is signed out by somebody else's page.
    """
    here = visit()
    if here is None or here.signed_in is None:
        return redirect("/signed-out", 303)
    followed_here = request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none")
    scope = request.args.get("scope")
    if scope in ("here", "everywhere") and followed_here:
        return _leave(here, everywhere=scope == "everywhere")
    return render_template("portal/sign_out.html")


@bp.post("/sign-out")
def leave() -> ResponseReturnValue:
    here = visit()
    if here is None or here.signed_in is None:
        return redirect("/signed-out", 303)
    if not hmac.compare_digest(request.form.get("csrf", "").encode(), here.csrf.encode()):
        return message(
            "This form was open too long", "Go back to the start page and try from there.", status=403, again=False
        )
    return _leave(here, everywhere=request.form.get("scope") == "everywhere")


@bp.get("/signed-out")
def signed_out() -> ResponseReturnValue:
    """Where both ways end; `state` tells the return from the provider that this browser set out for."""
    here = visit()
    if here is not None and here.signed_in is not None:
        return redirect("/", 303)
    state = request.args.get("state", "")
    everywhere = here is not None and here.leaving is not None
    everywhere = everywhere and hmac.compare_digest(state.encode(), (here.leaving or "").encode() if here else b"")
    text = (
        "You are signed out everywhere."
        if everywhere
        else "You are signed out of this portal. Other portals may still be open."
    )
    return message("Signed out", text, failed=False)


def _leave(here: Visit, *, everywhere: bool) -> ResponseReturnValue:
    """Our own session ends first, whatever becomes of the provider's."""
    who, provider = here.signed_in, site().provider
    assert who is not None
    site().visits.end(here)
    if not everywhere:
        try:
            provider.revoke(who.refresh_token or who.access_token, now=now())
        except ProviderUnavailable as error:
            log.warning("the grant could not be revoked: %s", error)
        answer = make_response(redirect("/signed-out", 303))
        answer.delete_cookie(site().cookie, path="/")
        return answer
    stranger = site().visits.begin(now=now())
    stranger.leaving = secrets.token_urlsafe(32)
    query = {
        "id_token_hint": who.id_token,
        "client_id": provider.client_id,
        "post_logout_redirect_uri": site().manifest.url("/signed-out"),
        "state": stranger.leaving,
    }
    url = f"{provider.metadata(now=now())['end_session_endpoint']}?{urlencode(query)}"
    return with_visit(make_response(redirect(url, 303)), stranger)
