"""Signing in: from the portal's own button, from elsewhere (third-party initiated), afresh, for another provider."""

from flask import Blueprint, g, make_response, redirect, request
from flask.typing import ResponseReturnValue

from clients.portal.guard import own_target
from clients.portal.step_up import PAYMENTS
from clients.relying_party import sign_in
from clients.relying_party.site import message, now, site, visit, with_visit

bp = Blueprint("signing_in", __name__)


@bp.route("/sign-in", methods=["GET", "POST"])
def start() -> ResponseReturnValue:
    """Sends the browser to sign in. This is also the `initiate_login_uri` (Core §4), so strangers link here:

    `iss` must be our provider, `target_link_uri` must be ours, and `login_hint` is only passed on.
    """
    asked = request.form if request.method == "POST" else request.args
    if any(len(asked.getlist(name)) > 1 for name in asked):
        return _not_here()
    target = own_target(asked.get("target_link_uri") or site().manifest.url("/me"), base_url=site().manifest.base_url)
    if target is None or asked.get("iss", site().provider.issuer) != site().provider.issuer:
        return _not_here()
    return _ask(target, login_hint=asked.get("login_hint", "")[:255])


@bp.get("/sign-in/again")
def again() -> ResponseReturnValue:
    """A sign-in that only counts if it happens now."""
    return _ask(site().manifest.url("/sensitive"), fresh=True)


@bp.get("/sign-in/stronger")
def stronger() -> ResponseReturnValue:
    """A sign-in as strong and as recent as payments ask (RFC 9470 §4)."""
    return _ask(site().manifest.url("/payments/now"), **PAYMENTS.asked)


@bp.get("/switch-provider")
def switch_provider() -> ResponseReturnValue:
    """The same person, another provider: a new grant without a new sign-in (MODEL §5)."""
    return _ask(site().manifest.url("/me"), prompt="select_account")


@bp.get("/callback")
def callback() -> ResponseReturnValue:
    """The provider's answer. Whoever was signed in here before is replaced; the visit gets a new key."""
    here = visit()
    if here is None or any(len(values) > 1 for _, values in request.args.lists()):
        raise sign_in.NotAsked
    who, target = sign_in.answer(
        here, visits=site().visits, provider=site().provider, parameters=request.args.to_dict(), now=now()
    )
    return with_visit(make_response(redirect(target, 303)), site().visits.sign_in(here, signed_in=who, now=now()))


def _ask(target: str, *, fresh: bool = False, **parameters: str) -> ResponseReturnValue:
    here = visit() or site().visits.begin(now=now())
    url = sign_in.ask(
        here,
        visits=site().visits,
        provider=site().provider,
        scope=site().manifest.scope,
        target=target,
        now=now(),
        fresh=fresh,
        ui_locales=g.language,
        **parameters,
    )
    return with_visit(make_response(redirect(url, 303)), here)


def _not_here() -> ResponseReturnValue:
    text = "It names another sign-in service or another site. Use the menu instead."
    return message("That link does not lead here", text, status=400, again=False)
