"""The pages of an authenticator app: type its code, or set one up by QR code or by hand."""

from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp.authenticators.factors import asking, words
from idp.authenticators.factors.asking import Asked, SettingUp
from idp.authenticators.factors.forms import CodeForm, NoFields
from idp.authenticators.factors.views import added, answer
from idp.authenticators.totp import rules, service
from idp.authenticators.totp.forms import ConfirmForm
from idp.authenticators.totp.picture import qr_code
from idp.foundation import house, parsing
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions.parked import onward
from idp.sessions.service import NewSession
from idp.settings import Settings
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

bp = Blueprint("totp", __name__)
_NOTHING: Final = FormErrors()


@bp.get("/sign-in/<uuid:txn>/second-factor/totp")
@route_policy(auth="browser")
def challenge(txn: UUID) -> ResponseReturnValue:
    """Asks for the code that the app shows now."""
    asked = asking.asked(txn)
    return onward(txn) if asked is None or not asked.of_kind(Factor.TOTP) else _challenge_page(asked)


@bp.post("/sign-in/<uuid:txn>/second-factor/totp")
@route_policy(auth="browser", bucket="sign_in")
def verify(txn: UUID) -> ResponseReturnValue:
    """Try the code."""
    asked = asking.asked(txn)
    if asked is None or not asked.of_kind(Factor.TOTP):
        return onward(txn)
    form = parsing.form(CodeForm, request.form)
    if isinstance(form, FormErrors):
        return _challenge_page(asked, wrong=form), 400 if "" in form else 422
    attempt = asking.attempt(txn, remember=form.remember is not None)
    outcome = service.prove(attempt, typed=form.code)
    return answer(txn, outcome, page=lambda refused: _challenge_page(asked, refused=refused))


@bp.get("/sign-in/<uuid:txn>/set-up-mfa/totp")
@route_policy(auth="session")
def set_up(txn: UUID) -> ResponseReturnValue:
    """Shows the QR code of the secret being set up; before there is one, a button that makes it."""
    at = asking.setting_up(txn)
    return onward(txn) if at is None or Factor.TOTP not in at.kinds else _set_up_page(at)


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/totp/new")
@route_policy(auth="session", bucket="sign_in")
def begin(txn: UUID) -> ResponseReturnValue:
    """Make a secret for a new app."""
    at = asking.setting_up(txn)
    if at is None or isinstance(parsing.form(NoFields, request.form), FormErrors):
        return onward(txn)
    refused = service.begin(asking.set_up(at))
    if refused is not None:
        return answer(txn, refused, page=lambda refused: _set_up_page(at, refused=refused))
    return redirect(url_for("totp.set_up", txn=txn), 303)


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/totp")
@route_policy(auth="session", bucket="sign_in")
def confirm(txn: UUID) -> ResponseReturnValue:
    """Add the app once its first code is right."""
    at = asking.setting_up(txn)
    if at is None or Factor.TOTP not in at.kinds:
        return onward(txn)
    form = parsing.form(ConfirmForm, request.form)
    if isinstance(form, FormErrors):
        return _set_up_page(at, wrong=form), 400 if "" in form else 422
    name = form.name.strip() or _("Authenticator app")
    outcome = service.confirm(asking.set_up(at), typed=form.code, name=name)
    if isinstance(outcome, NewSession):
        return added(txn, outcome)
    return answer(txn, outcome, page=lambda refused: _set_up_page(at, refused=refused))


def _challenge_page(asked: Asked, *, wrong: FormErrors = _NOTHING, refused: Refused | None = None) -> str:
    errors, problem = _worded(wrong, refused)
    return render_template(
        "authenticators/totp/challenge.html",
        txn=asked.txn,
        subject=asked.subject,
        apps=asked.of_kind(Factor.TOTP),
        others=asked.others(Factor.TOTP),
        remember_days=asked.remember_days,
        errors=errors,
        problem=problem,
    )


def _set_up_page(at: SettingUp, *, wrong: FormErrors = _NOTHING, refused: Refused | None = None) -> str:
    secret = service.pending_secret(at.parked.transaction)
    errors, problem = _worded(wrong, refused)
    account = at.subject.email or at.subject.user_id or at.subject.name
    picture = None
    if secret is not None:
        address = rules.address(secret.reveal(), account=account, issuer=house.get(Settings).support_name)
        picture = qr_code(address, title=_("QR code for your authenticator app"))
    return render_template(
        "authenticators/totp/set_up.html",
        txn=at.txn,
        picture=picture,
        key=rules.spoken(secret.reveal()) if secret is not None else None,
        account=account,
        name=request.form.get("name", ""),
        errors=errors,
        problem=problem,
    )


def _worded(wrong: FormErrors, refused: Refused | None) -> tuple[dict[str, object], object]:
    if "" in wrong:
        return {}, words.MALFORMED
    if wrong:
        return {"code": words.ENTER_CODE}, None
    if refused is not None and refused.reason in words.REASONS:
        return {"code": words.REASONS[refused.reason]}, None  # type: ignore[index]
    return {}, None
