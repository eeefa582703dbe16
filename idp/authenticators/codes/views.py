"""The pages of codes by SMS and by e-mail: ask for one, type it, set the way up."""

from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.authenticators.codes import service
from idp.authenticators.codes.forms import ConfirmForm, PhoneForm
from idp.authenticators.codes.words import ENTER_PHONE, REASONS
from idp.authenticators.factors import asking, words
from idp.authenticators.factors.asking import Asked, SettingUp
from idp.authenticators.factors.forms import CodeForm, NoFields
from idp.authenticators.factors.keeping import kept
from idp.authenticators.factors.views import added, answer
from idp.foundation import masks, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions.parked import onward
from idp.sessions.service import NewSession
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

bp = Blueprint("codes", __name__)
_NOTHING: Final = FormErrors()


@bp.get("/sign-in/<uuid:txn>/second-factor/sms")
@route_policy(auth="browser")
def by_sms(txn: UUID) -> ResponseReturnValue:
    """Offers to text a code, then asks for it."""
    return _challenge(txn, Factor.SMS)


@bp.get("/sign-in/<uuid:txn>/second-factor/email")
@route_policy(auth="browser")
def by_email(txn: UUID) -> ResponseReturnValue:
    """Offers to mail a code, then asks for it."""
    return _challenge(txn, Factor.EMAIL)


@bp.post("/sign-in/<uuid:txn>/second-factor/sms/send")
@route_policy(auth="browser", bucket="codes")
def send_sms(txn: UUID) -> ResponseReturnValue:
    """Text a code."""
    return _send(txn, Factor.SMS)


@bp.post("/sign-in/<uuid:txn>/second-factor/email/send")
@route_policy(auth="browser", bucket="codes")
def send_email(txn: UUID) -> ResponseReturnValue:
    """Mail a code."""
    return _send(txn, Factor.EMAIL)


@bp.post("/sign-in/<uuid:txn>/second-factor/sms")
@route_policy(auth="browser", bucket="sign_in")
def verify_sms(txn: UUID) -> ResponseReturnValue:
    """Try the code that was texted."""
    return _verify(txn, Factor.SMS)


@bp.post("/sign-in/<uuid:txn>/second-factor/email")
@route_policy(auth="browser", bucket="sign_in")
def verify_email(txn: UUID) -> ResponseReturnValue:
    """Try the code that was mailed."""
    return _verify(txn, Factor.EMAIL)


@bp.get("/sign-in/<uuid:txn>/set-up-mfa/sms")
@route_policy(auth="session")
def set_up_sms(txn: UUID) -> ResponseReturnValue:
    """Asks for the telephone, then for the code."""
    return _set_up(txn, Factor.SMS)


@bp.get("/sign-in/<uuid:txn>/set-up-mfa/email")
@route_policy(auth="session")
def set_up_email(txn: UUID) -> ResponseReturnValue:
    """Offers to mail a code to the account's own address, then asks for it."""
    return _set_up(txn, Factor.EMAIL)


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/sms/send")
@route_policy(auth="session", bucket="codes")
def begin_sms(txn: UUID) -> ResponseReturnValue:
    """Text a code to the telephone that was typed."""
    at = asking.setting_up(txn)
    if at is None or Factor.SMS not in at.kinds:
        return onward(txn)
    form = parsing.form(PhoneForm, request.form)
    if isinstance(form, FormErrors):
        return _set_up_page(at, Factor.SMS, wrong=form), 400 if "" in form else 422
    return _begun(at, Factor.SMS, service.begin(asking.set_up(at), kind=Factor.SMS, phone=form.phone))


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/email/send")
@route_policy(auth="session", bucket="codes")
def begin_email(txn: UUID) -> ResponseReturnValue:
    """Mail a code to the account's address."""
    at = asking.setting_up(txn)
    if at is None or Factor.EMAIL not in at.kinds or isinstance(parsing.form(NoFields, request.form), FormErrors):
        return onward(txn)
    return _begun(at, Factor.EMAIL, service.begin(asking.set_up(at), kind=Factor.EMAIL))


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/sms")
@route_policy(auth="session", bucket="sign_in")
def confirm_sms(txn: UUID) -> ResponseReturnValue:
    """Add the telephone once its code is right."""
    return _confirm(txn, Factor.SMS)


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/email")
@route_policy(auth="session", bucket="sign_in")
def confirm_email(txn: UUID) -> ResponseReturnValue:
    """Add e-mail codes once the first one is right."""
    return _confirm(txn, Factor.EMAIL)


def _challenge(txn: UUID, kind: Factor) -> ResponseReturnValue:
    asked = asking.asked(txn)
    return onward(txn) if asked is None or not asked.of_kind(kind) else _challenge_page(asked, kind)


def _send(txn: UUID, kind: Factor) -> ResponseReturnValue:
    asked = asking.asked(txn)
    if asked is None or not asked.of_kind(kind) or isinstance(parsing.form(NoFields, request.form), FormErrors):
        return onward(txn)
    refused = service.send(asking.attempt(txn), kind=kind)
    if refused is not None:
        return answer(txn, refused, page=lambda refused: _challenge_page(asked, kind, refused=refused))
    return redirect(url_for(f"codes.by_{kind.value}", txn=txn, sent="1"), 303)


def _verify(txn: UUID, kind: Factor) -> ResponseReturnValue:
    asked = asking.asked(txn)
    if asked is None or not asked.of_kind(kind):
        return onward(txn)
    form = parsing.form(CodeForm, request.form)
    if isinstance(form, FormErrors):
        return _challenge_page(asked, kind, wrong=form), 400 if "" in form else 422
    attempt = asking.attempt(txn, remember=form.remember is not None)
    outcome = service.prove(attempt, kind=kind, typed=form.code)
    return answer(txn, outcome, page=lambda refused: _challenge_page(asked, kind, refused=refused))


def _set_up(txn: UUID, kind: Factor) -> ResponseReturnValue:
    at = asking.setting_up(txn)
    return onward(txn) if at is None or kind not in at.kinds else _set_up_page(at, kind)


def _begun(at: SettingUp, kind: Factor, refused: Refused | None) -> ResponseReturnValue:
    if refused is not None:
        return answer(at.txn, refused, page=lambda refused: _set_up_page(at, kind, refused=refused))
    return redirect(url_for(f"codes.set_up_{kind.value}", txn=at.txn, sent="1"), 303)


def _confirm(txn: UUID, kind: Factor) -> ResponseReturnValue:
    at = asking.setting_up(txn)
    if at is None or kind not in at.kinds:
        return onward(txn)
    form = parsing.form(ConfirmForm, request.form)
    if isinstance(form, FormErrors):
        return _set_up_page(at, kind, wrong=form), 400 if "" in form else 422
    outcome = service.confirm(asking.set_up(at), kind=kind, typed=form.code, name=_masked(at, kind) or kind.value)
    if isinstance(outcome, NewSession):
        return added(txn, outcome)
    return answer(txn, outcome, page=lambda refused: _set_up_page(at, kind, refused=refused))


def _challenge_page(asked: Asked, kind: Factor, *, wrong: FormErrors = _NOTHING, refused: Refused | None = None) -> str:
    with reading() as tx:
        address = service.address_of(tx, asked.of_kind(kind)[-1], subject=asked.subject)
    errors, problem = _worded(wrong, refused)
    return render_template(
        "authenticators/codes/challenge.html",
        txn=asked.txn,
        kind=kind,
        address=_mask(kind, address),
        sent=_was_sent(),
        others=asked.others(kind),
        remember_days=asked.remember_days,
        errors=errors,
        problem=problem,
    )


def _set_up_page(at: SettingUp, kind: Factor, *, wrong: FormErrors = _NOTHING, refused: Refused | None = None) -> str:
    errors, problem = _worded(wrong, refused, sending=request.path.endswith("/send"))
    return render_template(
        "authenticators/codes/set_up.html",
        txn=at.txn,
        kind=kind,
        address=_masked(at, kind) if _was_sent() else _mask(kind, at.subject.email) if kind is Factor.EMAIL else None,
        phone=request.form.get("phone", ""),
        sent=_was_sent(),
        errors=errors,
        problem=problem,
    )


def _was_sent() -> bool:
    """Which half of the page is shown; a code that nobody sent is typed in vain."""
    return request.args.get("sent") == "1" or (request.method == "POST" and not request.path.endswith("/send"))


def _masked(at: SettingUp, kind: Factor) -> str:
    address = kept(at.parked.transaction, kind=kind)
    return _mask(kind, address.reveal() if address is not None else None)


def _mask(kind: Factor, address: str | None) -> str:
    return masks.phone(address) if kind is Factor.SMS else masks.email(address)


def _worded(wrong: FormErrors, refused: Refused | None, *, sending: bool = False) -> tuple[dict[str, object], object]:
    if "" in wrong:
        return {}, words.MALFORMED
    if wrong:
        return ({"phone": ENTER_PHONE} if sending else {"code": words.ENTER_CODE}), None
    if refused is None:
        return {}, None
    if refused.reason in REASONS:
        sentence = REASONS[refused.reason]  # type: ignore[index]
        return ({"phone": sentence}, None) if sending and "phone" in request.form else ({}, sentence)
    return {"code": words.REASONS[refused.reason]}, None  # type: ignore[index]
