"""*Help desk*: a reason first, then one person, masked; what can be started for them."""

from uuid import UUID

from flask import Blueprint, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.authenticators.factors import words as factors
from idp.console.help_desk import service
from idp.console.help_desk.forms import CheckForm, DisableForm, OpenForm
from idp.console.help_desk.rules import Asked, Reason
from idp.console.help_desk.service import OpenCase
from idp.console.help_desk.words import ASKED, REASONS, SAVED
from idp.console.pages import by, only_a_button, page
from idp.console.staff.words import ROLES
from idp.foundation import parsing
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import FormErrors
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_help", __name__, url_prefix="/console/help")


@bp.get("")
@route_policy(auth="session", staff=StaffMay.SEE_PEOPLE)
def index() -> ResponseReturnValue:
    """Whom is the call about, and why?"""
    return _index()


@bp.post("")
@route_policy(auth="session", staff=StaffMay.SEE_PEOPLE)
def opened() -> ResponseReturnValue:
    """Open a case; the reason is on record before anything is shown."""
    form = parsing.form(OpenForm, request.form)
    if isinstance(form, FormErrors):
        if "" in form:
            abort(400)
        return _index(wrong=form), 422
    outcome = service.open_case(by(), login=form.login.strip(), reason=form.reason)
    if isinstance(outcome, Refused):
        return _index(refused=outcome), 422
    return redirect(url_for("console_help.case", case_id=outcome), 303)


@bp.get("/<uuid:case_id>")
@route_policy(auth="session", staff=StaffMay.SEE_PEOPLE)
def case(case_id: UUID) -> ResponseReturnValue:
    """One person, masked."""
    return _case(case_id)


@bp.post("/<uuid:case_id>/check")
@route_policy(auth="session", staff=StaffMay.HELP)
def checked(case_id: UUID) -> ResponseReturnValue:
    """Hold what the caller says against what we know."""
    form = parsing.form(CheckForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    return _done(service.check_caller(by(), case_id=case_id, given=form.given), case_id, "checked")


@bp.post("/<uuid:case_id>/recover")
@route_policy(auth="session", staff=StaffMay.HELP)
def recovered(case_id: UUID) -> ResponseReturnValue:
    """Start recovery: the mail of *Forgot password*, or the one that proves the mailbox."""
    only_a_button()
    return _done(service.start_recovery(by(), case_id=case_id), case_id, "mailed")


@bp.post("/<uuid:case_id>/recover-factors")
@route_policy(auth="session", staff=StaffMay.HELP)
def recovering(case_id: UUID) -> ResponseReturnValue:
    """Start the recovery of somebody who lost every factor; only started (RC-22)."""
    only_a_button()
    return _done(service.start_factor_recovery(by(), case_id=case_id), case_id, "recovering")


@bp.get("/<uuid:case_id>/disable")
@route_policy(auth="session", staff=StaffMay.DISABLE, step_up=True)
def disable(case_id: UUID) -> ResponseReturnValue:
    """Asks why, before a person is shut out."""
    return _disable(case_id)


@bp.post("/<uuid:case_id>/disable")
@route_policy(auth="session", staff=StaffMay.DISABLE, step_up=True)
def disabled(case_id: UUID) -> ResponseReturnValue:
    """Shut a person out."""
    form = parsing.form(DisableForm, request.form)
    if isinstance(form, FormErrors):
        if "" in form:
            abort(400)
        return _disable(case_id, refused=Refused(Reason.NO_REASON)), 422
    refused = service.disable(by(), case_id=case_id, reason=form.reason, may=g.staff_may)
    return _done(refused, case_id, "disabled")


@bp.get("/<uuid:case_id>/enable")
@route_policy(auth="session", staff=StaffMay.ENABLE, step_up=True)
def enable(case_id: UUID) -> ResponseReturnValue:
    """Asks before a person is let in again."""
    return page("console/help_desk/enable.html", at="help", case=_opened(case_id))


@bp.post("/<uuid:case_id>/enable")
@route_policy(auth="session", staff=StaffMay.ENABLE, step_up=True)
def enabled(case_id: UUID) -> ResponseReturnValue:
    """Let a person in again."""
    only_a_button()
    return _done(service.enable(by(), case_id=case_id), case_id, "enabled")


def _opened(case_id: UUID) -> OpenCase:
    found = service.look(by(), case_id=case_id)
    if isinstance(found, Refused):
        abort(410 if found.reason is Reason.CLOSED else 404)
    return found


def _done(refused: Refused | None, case_id: UUID, done: str) -> ResponseReturnValue:
    if refused is None:
        return redirect(url_for("console_help.case", case_id=case_id, done=done), 303)
    if refused.reason is Reason.CLOSED:
        return _index(refused=refused), 410
    if refused.reason is Reason.UNKNOWN_PERSON:
        abort(404)
    return _case(case_id, refused=refused), 422


def _index(*, wrong: FormErrors | None = None, refused: Refused | None = None) -> str:
    sentences = {"login": REASONS[Reason.UNKNOWN_PERSON], "reason": REASONS[Reason.NO_REASON]}
    return page(
        "console/help_desk/index.html",
        at="help",
        values={} if refused and refused.reason is Reason.CLOSED else request.form,
        errors={field: sentences[field] for field in wrong or {} if field in sentences},
        problem=_sentence(refused),
    )


def _case(case_id: UUID, *, refused: Refused | None = None) -> str:
    found = _opened(case_id)
    return page(
        "console/help_desk/case.html",
        at="help",
        saved=SAVED,
        case=found,
        closes_at=service.closes_at(found.case),
        asked=[(each.value, ASKED[each]) for each in Asked],
        kinds=factors.NAMES,
        icons=factors.ICONS,
        roles=ROLES,
        problem=_sentence(refused),
    )


def _disable(case_id: UUID, *, refused: Refused | None = None) -> str:
    errors = {"reason": _sentence(refused)} if refused else {}
    return page("console/help_desk/disable.html", at="help", case=_opened(case_id), errors=errors)


def _sentence(refused: Refused | None) -> object:
    return None if refused is None else REASONS[Reason(refused.reason)]
