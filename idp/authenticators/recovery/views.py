"""Forgot password, forgot user ID, and the page behind a mailed reset link."""

import re
from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.authenticators.challenge_questions.words import QUESTIONS
from idp.authenticators.password import mailbox
from idp.authenticators.password.mailbox import OpenProof
from idp.authenticators.password.rules import Reason as PasswordReason
from idp.authenticators.password.setting import Unfit
from idp.authenticators.password.views import busy, new_password_errors, status_of, worded
from idp.authenticators.password.words import MALFORMED, rule_list
from idp.authenticators.recovery import questions, service, words
from idp.authenticators.recovery.forms import TOKEN_PATTERN, AskByMailForm, AskForm, ProveForm, ResetForm
from idp.authenticators.recovery.service import Ask, OpenLink
from idp.foundation import clock, error_pages, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.relying_parties import service as relying_parties
from idp.sessions import parked as pages
from idp.sessions.parked import Parked
from idp.subjects.rules import login_key
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

bp = Blueprint("recovery", __name__)

_TOKEN: Final = re.compile(TOKEN_PATTERN, re.ASCII)
_ANSWERS: Final[dict[object, LazyString]] = {
    questions.Reason.WRONG_ANSWERS: words.WRONG_ANSWERS,
    questions.Reason.TOO_MANY: words.TOO_MANY_ANSWERS,
}


@bp.get("/sign-in/forgot-password")
@route_policy(auth="none")
def forgot_password() -> ResponseReturnValue:
    """Asks for the user ID or e-mail."""
    return _ask_page("forgot_password")


@bp.post("/sign-in/forgot-password")
@route_policy(auth="none", bucket="recovery")
def mail_reset() -> ResponseReturnValue:
    """The same answer whoever was named (SI-01, RC-14)."""
    form = parsing.form(AskForm, request.form)
    if isinstance(form, FormErrors):
        return _ask_page("forgot_password", wrong=form, field="username", missing=words.ENTER_LOGIN), status_of(form)
    service.ask_for_reset(_ask(form.username))
    return _ask_page("mailed", sentence=words.RESET_MAILED)


@bp.get("/sign-in/forgot-user-id")
@route_policy(auth="none")
def forgot_user_id() -> ResponseReturnValue:
    """Asks for the e-mail address."""
    return _ask_page("forgot_user_id")


@bp.post("/sign-in/forgot-user-id")
@route_policy(auth="none", bucket="recovery")
def mail_user_id() -> ResponseReturnValue:
    """The same answer whether or not the address is known."""
    form = parsing.form(AskByMailForm, request.form)
    if isinstance(form, FormErrors):
        return _ask_page("forgot_user_id", wrong=form, field="email", missing=words.ENTER_EMAIL), status_of(form)
    service.ask_for_user_id(_ask(form.email))
    return _ask_page("mailed", sentence=words.USER_ID_MAILED)


@bp.get("/sign-in/reset")
@route_policy(auth="none")
def reset() -> ResponseReturnValue:
    """The page behind the mailed link: shows a form and changes nothing (RC-09)."""
    token = request.args.get("token", "")
    if not _TOKEN.match(token):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    link = service.look_at_link(token, now=clock.now())
    return _dead_reset() if isinstance(link, Refused) else _reset_page(token, link)


@bp.post("/sign-in/reset")
@route_policy(auth="none", bucket="sign_in")
def set_password() -> ResponseReturnValue:
    """Use the link up and set the new password; nobody is signed in by it (RC-10)."""
    form = parsing.form(ResetForm, request.form)
    if isinstance(form, FormErrors):
        return _not_read(form)
    link = service.look_at_link(form.token, now=clock.now())
    if isinstance(link, Refused):
        return _dead_reset()
    if form.new_password != form.repeat_password:
        return _reset_page(form.token, link, refused=Refused(PasswordReason.DIFFERENT_REPEAT)), 422
    plain = Secret(form.new_password)
    outcome = service.reset(form.token, plain=plain, now=clock.now(), origin=origin(), answers=form.answers)
    if isinstance(outcome, Unfit) or (isinstance(outcome, Refused) and outcome.reason in _ANSWERS):
        return _reset_page(form.token, link, refused=outcome), 422
    if isinstance(outcome, Refused):
        return busy() if outcome.reason is PasswordReason.BUSY else _dead_reset()
    parked = _show_as(outcome)
    return render_template("authenticators/recovery/reset_done.html", txn=parked.transaction.id if parked else None)


@bp.get("/sign-in/prove-mailbox")
@route_policy(auth="none")
def prove_mailbox() -> ResponseReturnValue:
    """The page behind the link to an unproven mailbox: asks for the account's password and changes nothing (RC-09)."""
    token = request.args.get("token", "")
    if not _TOKEN.match(token):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    link = mailbox.look_at_link(token, now=clock.now())
    return _dead() if isinstance(link, Refused) else _prove_page(token, link)


@bp.post("/sign-in/prove-mailbox")
@route_policy(auth="none", bucket="sign_in")
def mailbox_proven() -> ResponseReturnValue:
    """Link and password together prove the mailbox; nobody is signed in by it."""
    form = parsing.form(ProveForm, request.form)
    token = form.token if isinstance(form, ProveForm) else request.form.get("token", "")
    if not _TOKEN.match(token) or (isinstance(form, FormErrors) and "" in form):
        return error_pages.show(error_pages.Kind.BAD_REQUEST, problem=MALFORMED)
    link = mailbox.look_at_link(token, now=clock.now())
    if isinstance(link, Refused):
        return _dead()
    if isinstance(form, FormErrors):
        return _prove_page(token, link, errors=worded(form)[0]), 422
    outcome = mailbox.prove(token, plain=Secret(form.password), now=clock.now(), origin=origin())
    if isinstance(outcome, Refused):
        if outcome.reason is PasswordReason.BUSY:
            busy()
        if outcome.reason is PasswordReason.DEAD_LINK:
            return _dead()
        return _prove_page(token, link, errors={"password": words.PASSWORD_NOT_RIGHT}), 422
    if outcome.reset is not None:
        return redirect(url_for("recovery.reset", token=outcome.reset.reveal()), 303)
    parked = _show_as(outcome)
    return render_template("authenticators/recovery/mailbox_proven.html", txn=parked.transaction.id if parked else None)


def _prove_page(token: str, link: OpenProof, *, errors: dict[str, LazyString] | None = None) -> str:
    _show_as(link)
    return render_template(
        "authenticators/recovery/prove_mailbox.html", token=token, email=link.subject.email, errors=errors or {}
    )


def _not_read(form: FormErrors) -> ResponseReturnValue:
    """Without its token the page cannot be shown again: then, and for what no page sends, it is 400 (RC-03)."""
    token = request.form.get("token", "")
    link = service.look_at_link(token, now=clock.now()) if _TOKEN.match(token) and "" not in form else None
    if link is None:
        return error_pages.show(error_pages.Kind.BAD_REQUEST, problem=MALFORMED)
    return _dead_reset() if isinstance(link, Refused) else (_reset_page(token, link, wrong=form), 422)


def _ask(typed: str) -> Ask:
    parked = _parked()
    return Ask(
        login=login_key(typed),
        origin=origin(),
        now=clock.now(),
        txn=parked.transaction.id if parked else None,
        client_id=parked.transaction.client_id if parked else None,
    )


def _ask_page(
    name: str,
    *,
    wrong: FormErrors | None = None,
    field: str = "",
    missing: LazyString | None = None,
    sentence: LazyString | None = None,
) -> str:
    parked = _parked()
    errors = {field: missing} if wrong is not None and "" not in wrong else {}
    return render_template(
        f"authenticators/recovery/{name}.html",
        txn=parked.transaction.id if parked else None,
        sentence=sentence,
        errors=errors,
        problem=MALFORMED if wrong is not None and "" in wrong else None,
    )


def _reset_page(token: str, link: OpenLink, *, wrong: FormErrors | None = None, refused: Refused | None = None) -> str:
    _show_as(link)
    errors, problem = worded(wrong) if wrong is not None else ({}, None)
    return render_template(
        "authenticators/recovery/reset.html",
        token=token,
        rules=rule_list(link.policy, broken=refused.rules if isinstance(refused, Unfit) else None),
        login=link.subject.user_id or link.subject.email,
        errors=errors | new_password_errors(refused),
        problem=problem or (_ANSWERS.get(refused.reason) if refused is not None else None),
        questions=[(each.position, QUESTIONS[each.key] if each.key else each.text) for each in link.questions],
    )


def _parked() -> Parked | None:
    """The sign-in that the page was opened from, if this very browser holds it."""
    try:
        return pages.of_this_browser(UUID(request.args.get("txn", "")))
    except ValueError:
        return None


def _show_as(link: OpenLink | OpenProof) -> Parked | None:
    """Brand the page as the portal where the link was asked for; the sign-in goes on only in its own browser."""
    parked = pages.of_this_browser(link.txn)
    if parked is None and link.client_id is not None:
        pages.brand(relying_parties.find(link.client_id))
    return parked


def _dead() -> ResponseReturnValue:
    return error_pages.show(error_pages.Kind.EXPIRED_LINK)


def _dead_reset() -> ResponseReturnValue:
    return error_pages.show(error_pages.Kind.EXPIRED_LINK, again_url=url_for("recovery.forgot_password"))
