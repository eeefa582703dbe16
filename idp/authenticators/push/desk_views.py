"""At the desk: the page that shows the number, and the one that connects a phone. A small script only saves waiting."""

from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.authenticators.factors import asking
from idp.authenticators.factors import words as factor_words
from idp.authenticators.factors.asking import Asked, SettingUp
from idp.authenticators.factors.forms import NoFields
from idp.authenticators.factors.views import added, answer
from idp.authenticators.push import enrolling, facts, rules, service, words
from idp.authenticators.push.calls import PATH
from idp.authenticators.push.forms import ConfirmForm, ContinueForm
from idp.authenticators.push.rules import Reason
from idp.authenticators.totp.picture import qr_code
from idp.foundation import clock, house, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions.parked import onward
from idp.sessions.service import NewSession
from idp.settings import Settings
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

bp = Blueprint("push", __name__)


@bp.get("/sign-in/<uuid:txn>/second-factor/push")
@route_policy(auth="browser")
def challenge(txn: UUID) -> ResponseReturnValue:
    """Offers to ask the phone; once it is asked, the number."""
    asked = asking.asked(txn)
    return onward(txn) if asked is None or not asked.of_kind(Factor.PUSH) else _challenge_page(asked)


@bp.post("/sign-in/<uuid:txn>/second-factor/push/send")
@route_policy(auth="browser", bucket="codes")
def send(txn: UUID) -> ResponseReturnValue:
    """Ask the phone."""
    asked = asking.asked(txn)
    if asked is None or not asked.of_kind(Factor.PUSH) or isinstance(_button(), FormErrors):
        return onward(txn)
    refused = service.ask(asking.attempt(txn))
    if refused is not None:
        return answer(txn, refused, page=lambda refused: _challenge_page(asked, refused=refused))
    return redirect(url_for("push.challenge", txn=txn), 303)


@bp.get("/sign-in/<uuid:txn>/second-factor/push/state")
@route_policy(auth="browser")
def state(txn: UUID) -> ResponseReturnValue:
    """Whether the page's script should send its form: the phone has answered, or its time is over."""
    asked = asking.asked(txn)
    if asked is None or not asked.of_kind(Factor.PUSH):
        return onward(txn)
    return jsonify(ready=_waiting(asked) is None)


@bp.post("/sign-in/<uuid:txn>/second-factor/push")
@route_policy(auth="browser", bucket="passkey")
def approved(txn: UUID) -> ResponseReturnValue:
    """On, if the phone has approved."""
    asked = asking.asked(txn)
    if asked is None or not asked.of_kind(Factor.PUSH):
        return onward(txn)
    form = parsing.form(ContinueForm, request.form)
    if isinstance(form, FormErrors):
        return _challenge_page(asked, problem=factor_words.MALFORMED), 400
    outcome = service.complete(asking.attempt(txn, remember=form.remember is not None))
    return answer(txn, outcome, page=lambda refused: _challenge_page(asked, refused=refused))


@bp.get("/sign-in/<uuid:txn>/set-up-mfa/push")
@route_policy(auth="session")
def set_up(txn: UUID) -> ResponseReturnValue:
    """What to do, then the code to scan, then the phone that came."""
    at = asking.setting_up(txn)
    return onward(txn) if at is None or Factor.PUSH not in at.kinds else _set_up_page(at)


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/push/new")
@route_policy(auth="session", bucket="sign_in")
def begin(txn: UUID) -> ResponseReturnValue:
    """Make a code for a phone."""
    at = asking.setting_up(txn)
    if at is None or isinstance(_button(), FormErrors):
        return onward(txn)
    refused = enrolling.begin(asking.set_up(at))
    if refused is not None:
        return answer(txn, refused, page=lambda refused: _set_up_page(at, refused=refused))
    return redirect(url_for("push.set_up", txn=txn), 303)


@bp.get("/sign-in/<uuid:txn>/set-up-mfa/push/state")
@route_policy(auth="session")
def set_up_state(txn: UUID) -> ResponseReturnValue:
    """Whether the page should be loaded anew: a phone came, or the code is over."""
    at = asking.setting_up(txn)
    if at is None:
        return onward(txn)
    return jsonify(ready=enrolling.pending_code(at.parked.transaction, now=clock.now()) is None)


@bp.post("/sign-in/<uuid:txn>/set-up-mfa/push")
@route_policy(auth="session", bucket="sign_in")
def confirm(txn: UUID) -> ResponseReturnValue:
    """Add the phone that came."""
    at = asking.setting_up(txn)
    if at is None or Factor.PUSH not in at.kinds:
        return onward(txn)
    form = parsing.form(ConfirmForm, request.form)
    if isinstance(form, FormErrors):
        return _set_up_page(at, problem=factor_words.MALFORMED), 400
    outcome = enrolling.confirm(asking.set_up(at), name=form.name.strip() or str(words.FIRST_NAME))
    if isinstance(outcome, NewSession):
        return added(txn, outcome)
    return answer(txn, outcome, page=lambda refused: _set_up_page(at, refused=refused))


def _button() -> NoFields | FormErrors:
    return parsing.form(NoFields, request.form)


def _waiting(asked: Asked) -> rules.Asked | None:
    """The request of this sign-in that waits for its answer."""
    with reading() as tx:
        newest = facts.of_sign_in(tx, txn=asked.txn, subject_id=asked.subject.id)
    return newest if newest is not None and newest.waits(now=clock.now()) else None


def _challenge_page(asked: Asked, *, refused: Refused | None = None, problem: LazyString | None = None) -> str:
    waiting = _waiting(asked)
    return render_template(
        "authenticators/push/challenge.html",
        txn=asked.txn,
        phones=asked.of_kind(Factor.PUSH),
        waiting=waiting,
        stopped=refused is not None and refused.reason is Reason.STOPPED,
        others=asked.others(Factor.PUSH),
        remember_days=asked.remember_days,
        problem=problem or _worded(refused),
    )


def _set_up_page(at: SettingUp, *, refused: Refused | None = None, problem: LazyString | None = None) -> str:
    now, transaction = clock.now(), at.parked.transaction
    code, phone = enrolling.pending_code(transaction, now=now), enrolling.came(transaction, now=now)
    address = f"{house.get(Settings).issuer}{PATH}"
    picture = None
    if code is not None:
        picture = qr_code(f"{address}/#{code.reveal()}", title=words.PICTURE)
    return render_template(
        "authenticators/push/set_up.html",
        txn=at.txn,
        picture=picture,
        code=rules.spoken(code.reveal()) if code is not None else None,
        address=address,
        phone=phone,
        name=request.form.get("name") or (phone.browser if phone is not None else "") or words.FIRST_NAME,
        problem=problem or _worded(refused),
    )


def _worded(refused: Refused | None) -> LazyString | None:
    if refused is None:
        return None
    if isinstance(refused.reason, Reason):
        return words.REASONS.get(refused.reason, words.REASONS[Reason.UNANSWERED])
    return factor_words.REASONS.get(refused.reason, factor_words.MALFORMED)  # type: ignore[call-overload]
