"""Passkeys on the sign-in pages, as a second factor, and at set-up; what a script needs beside each is a POST of its own."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.authenticators.factors import asking
from idp.authenticators.factors.asking import Asked, SettingUp
from idp.authenticators.factors.views import added, answer
from idp.authenticators.webauthn import making, service, words
from idp.authenticators.webauthn.forms import AssertionForm, AttestationForm, SecondForm
from idp.authenticators.webauthn.service import Visit
from idp.foundation import clock, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions import cookies
from idp.sessions import parked as pages
from idp.sessions.parked import Parked, onward
from idp.sessions.rules import Reason as Parking
from idp.sessions.service import NewSession
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

bp = Blueprint("webauthn", __name__)


@bp.get("/sign-in/<uuid:txn>/passkey")
@route_policy(auth="browser")
def passkey(txn: UUID) -> ResponseReturnValue:
    """*Use a passkey* on its own page, where one was refused."""
    parked = _at_sign_in(txn)
    return onward(txn) if parked is None else _sign_in_page(parked)


@bp.post("/sign-in/<uuid:txn>/passkey/options")
@route_policy(auth="browser", bucket="passkey")
def passkey_options(txn: UUID) -> ResponseReturnValue:
    """A challenge for any passkey of ours."""
    return _told(service.ask(_visit(txn)))


@bp.post("/sign-in/<uuid:txn>/passkey")
@route_policy(auth="browser", bucket="passkey")
def passkey_used(txn: UUID) -> ResponseReturnValue:
    """Sign in by what the key answered; every refusal looks the same (SI-01)."""
    parked = _at_sign_in(txn)
    if parked is None:
        return onward(txn)
    form = parsing.form(AssertionForm, request.form)
    if isinstance(form, FormErrors):
        return _sign_in_page(parked, problem=words.MALFORMED), 400
    outcome = service.sign_in(_visit(txn), form.sent)
    return answer(txn, outcome, page=lambda refused: _sign_in_page(parked, problem=words.using(refused.reason)))


@bp.get("/sign-in/<uuid:txn>/second-factor/passkey")
@route_policy(auth="browser")
def challenge(txn: UUID) -> ResponseReturnValue:
    """A passkey as the second factor."""
    asked = asking.asked(txn)
    return onward(txn) if asked is None or not asked.of_kind(Factor.PASSKEY) else _challenge_page(asked)


@bp.post("/sign-in/<uuid:txn>/second-factor/passkey/options")
@route_policy(auth="browser", bucket="passkey")
def challenge_options(txn: UUID) -> ResponseReturnValue:
    """A challenge for a key of the person who is asked."""
    return _told(service.ask_second(asking.attempt(txn)))


@bp.post("/sign-in/<uuid:txn>/second-factor/passkey")
@route_policy(auth="browser", bucket="passkey")
def challenge_met(txn: UUID) -> ResponseReturnValue:
    """On with the sign-in, or with what asked for more."""
    asked = asking.asked(txn)
    if asked is None or not asked.of_kind(Factor.PASSKEY):
        return onward(txn)
    form = parsing.form(SecondForm, request.form)
    if isinstance(form, FormErrors):
        return _challenge_page(asked, problem=words.MALFORMED), 400
    outcome = service.prove_second(asking.attempt(txn, remember=form.remember is not None), form.sent)
    return answer(txn, outcome, page=lambda refused: _challenge_page(asked, problem=words.using(refused.reason)))


@bp.get("/sign-in/<uuid:txn>/set-up-mfa/passkey")
@route_policy(auth="session")
def set_up(txn: UUID) -> ResponseReturnValue:
    """Name a new passkey, then make it."""
    at = asking.setting_up(txn)
    return onward(txn) if at is None or Factor.PASSKEY not in at.kinds else _set_up_page(at)


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/passkey/options")
@route_policy(auth="session", bucket="passkey")
def set_up_options(txn: UUID) -> ResponseReturnValue:
    """A challenge for a new key."""
    at = asking.setting_up(txn)
    return _told(Refused(Parking.NOT_AWAITED) if at is None else making.ask(asking.set_up(at)))


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/passkey")
@route_policy(auth="session", bucket="passkey")
def made(txn: UUID) -> ResponseReturnValue:
    """Keep the key that the authenticator made."""
    at = asking.setting_up(txn)
    if at is None or Factor.PASSKEY not in at.kinds:
        return onward(txn)
    form = parsing.form(AttestationForm, request.form)
    if isinstance(form, FormErrors):
        return _set_up_page(at, problem=words.MALFORMED), 400
    outcome = making.make(asking.set_up(at), form.sent, name=form.name)
    if isinstance(outcome, NewSession):
        return added(txn, outcome)
    return answer(txn, outcome, page=lambda refused: _set_up_page(at, problem=words.making(refused.reason)))


def _at_sign_in(txn: UUID) -> Parked | None:
    parked = pages.of_this_browser(txn)
    return parked if parked is not None and parked.transaction.awaiting in service.STEPS else None


def _visit(txn: UUID) -> Visit:
    return Visit(
        txn=txn,
        browser_digest=cookies.browser_digest(),
        session=cookies.current_session(),
        origin=origin(),
        now=clock.now(),
    )


def _told(outcome: Mapping[str, Any] | Refused) -> ResponseReturnValue:
    """Options as JSON; where nothing is asked any more the script tells the person to reload."""
    if isinstance(outcome, Refused):
        return jsonify(error=outcome.reason.value), 409
    return jsonify(outcome)


def _sign_in_page(parked: Parked, *, problem: LazyString | None = None) -> str:
    return render_template("authenticators/webauthn/sign_in.html", txn=parked.transaction.id, problem=problem)


def _challenge_page(asked: Asked, *, problem: LazyString | None = None) -> str:
    return render_template(
        "authenticators/webauthn/challenge.html",
        txn=asked.txn,
        others=asked.others(Factor.PASSKEY),
        remember_days=asked.remember_days,
        problem=problem,
    )


def _set_up_page(at: SettingUp, *, problem: LazyString | None = None) -> str:
    number = 1 + sum(each.kind is Factor.PASSKEY for each in at.held)
    return render_template(
        "authenticators/webauthn/set_up.html",
        txn=at.txn,
        name=request.form.get("name") or words.first_name(number),
        problem=problem,
    )
