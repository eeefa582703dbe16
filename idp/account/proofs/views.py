"""*Ways to sign in* and *remembered devices*."""

from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.account.pages import my_session, myself, need_session, only_a_button, saved
from idp.account.proofs import service
from idp.account.proofs.forms import NameForm
from idp.authenticators.factors import words
from idp.authenticators.factors.rules import Reason
from idp.foundation import clock, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.vocabulary.refused import Refused

bp = Blueprint("ways", __name__, url_prefix="/account")
bp.before_request(need_session)


@bp.get("/factors")
@route_policy(auth="session")
def factors() -> ResponseReturnValue:
    """What the person proves themselves by."""
    return _factors_page()


@bp.get("/factors/<uuid:factor_id>")
@route_policy(auth="session")
def factor(factor_id: UUID) -> ResponseReturnValue:
    """One factor: its name, and the way to remove it."""
    return _factor_page(factor_id)


@bp.post("/factors/<uuid:factor_id>")
@route_policy(auth="session")
def factor_renamed(factor_id: UUID) -> ResponseReturnValue:
    """Give it another name."""
    form = parsing.form(NameForm, request.form)
    if isinstance(form, FormErrors):
        if "" in form:
            abort(400)
        return _factor_page(factor_id, refused=Refused(Reason.BAD_NAME)), 422
    refused = service.rename(my_session(), factor_id=factor_id, name=form.name, now=clock.now(), origin=origin())
    if refused is not None:
        return _factor_page(factor_id, refused=refused), 422
    return redirect(url_for("ways.factors", done="factor-name"), 303)


@bp.get("/factors/<uuid:factor_id>/remove")
@route_policy(auth="session")
def remove_factor(factor_id: UUID) -> ResponseReturnValue:
    """Asks before a factor is removed; who has not proved themselves lately does so first."""
    found = _found(factor_id)
    if not service.ways(my_session(), now=clock.now()).fresh:
        return _step_up()
    return render_template("account/proofs/remove.html", at="factors", factor=found, words=words)


@bp.post("/factors/<uuid:factor_id>/remove")
@route_policy(auth="session", bucket="sign_in")
def factor_removed(factor_id: UUID) -> ResponseReturnValue:
    """Remove it."""
    only_a_button()
    refused = service.remove(my_session(), factor_id=factor_id, now=clock.now(), origin=origin())
    if refused is None:
        return redirect(url_for("ways.factors", done="factor"), 303)
    if refused.reason is Reason.NOT_FRESH:
        return _step_up()
    if refused.reason is Reason.NOT_HELD:
        abort(404)
    return _factors_page(refused=refused), 422


@bp.post("/factors/recovery-codes")
@route_policy(auth="session", bucket="sign_in")
def recovery_codes() -> ResponseReturnValue:
    """Ten new recovery codes, shown once."""
    only_a_button()
    made = service.new_codes(my_session(), now=clock.now(), origin=origin())
    if isinstance(made, Refused):
        return _step_up() if made.reason is Reason.NOT_FRESH else redirect(url_for("ways.factors"), 303)
    return render_template(
        "authenticators/recovery_codes/codes.html", codes=made, subject=myself(), onward=url_for("ways.factors")
    )


@bp.get("/devices")
@route_policy(auth="session")
def devices() -> ResponseReturnValue:
    """Browsers that spare the person the second proof."""
    every = service.own_devices(my_session(), now=clock.now())
    return render_template("account/proofs/devices.html", at="devices", devices=every, done=saved())


@bp.post("/devices/<uuid:device_id>/forget")
@route_policy(auth="session")
def device_forgotten(device_id: UUID) -> ResponseReturnValue:
    """Forget one; there is nothing to lose by it, so nobody is asked twice."""
    only_a_button()
    if not service.forget_device(my_session(), device_id=device_id, now=clock.now(), origin=origin()):
        abort(404)
    return redirect(url_for("ways.devices", done="device"), 303)


@bp.post("/devices/forget-all")
@route_policy(auth="session")
def devices_forgotten() -> ResponseReturnValue:
    """Forget all of them."""
    only_a_button()
    service.forget_devices(my_session(), now=clock.now(), origin=origin())
    return redirect(url_for("ways.devices", done="devices"), 303)


def _step_up() -> ResponseReturnValue:
    return redirect(url_for("sign_in.own", to="ways.factors", fresh="1"), 303)


def _found(factor_id: UUID) -> object:
    found = service.find(my_session(), factor_id=factor_id)
    if isinstance(found, Refused):
        abort(404)
    return found


def _factors_page(*, refused: Refused | None = None) -> str:
    ways = service.ways(my_session(), now=clock.now())
    return render_template(
        "account/proofs/factors.html",
        at="factors",
        ways=ways,
        words=words,
        done=saved(),
        problem=words.REASONS.get(refused.reason) if refused else None,  # type: ignore[call-overload]
    )


def _factor_page(factor_id: UUID, *, refused: Refused | None = None) -> str:
    return render_template(
        "account/proofs/factor.html",
        at="factors",
        factor=_found(factor_id),
        words=words,
        errors={"name": words.REASONS[refused.reason]} if refused else {},  # type: ignore[index]
    )
