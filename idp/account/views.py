"""A person's own pages."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.account import acting, facts, granted, service, words
from idp.account.forms import ChangePasswordForm, LanguageForm, NamesForm
from idp.account.pages import my_session, myself, need_session, only_a_button, saved
from idp.account.rules import LANGUAGES, ZONES, Names, Reason
from idp.affiliations.words import BLOCKED
from idp.authenticators.factors.rules import Reason as FactorReason
from idp.authenticators.password import first, setting
from idp.authenticators.password.forms import NewPasswordForm
from idp.authenticators.password.rules import Reason as PasswordReason
from idp.authenticators.password.setting import Change, Unfit
from idp.authenticators.password.views import busy, new_password_errors, status_of, worded
from idp.authenticators.password.words import rule_list
from idp.consent.words import released
from idp.federation.links import is_fresh_enough
from idp.foundation import clock, error_pages, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions import cookies
from idp.sessions.browsers import browser_name
from idp.sessions.service import NewSession
from idp.subjects import service as subjects
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

bp = Blueprint("account", __name__, url_prefix="/account")
bp.before_request(need_session)


@bp.get("/")
@route_policy(auth="session")
def overview() -> ResponseReturnValue:
    """The start page: who you are, for whom you may act, where you are signed in."""
    with reading() as tx:
        mine, now = my_session(), clock.now()
        return render_template(
            "account/overview.html",
            at="overview",
            home=True,
            subject=myself(),
            sessions=facts.own_sessions(tx, subject_id=mine.subject_id, this=mine.id, now=now),
            access=facts.own_access(tx, subject_id=mine.subject_id, now=now),
            apps=facts.own_apps(tx, subject_id=mine.subject_id, now=now),
        )


@bp.get("/profile")
@route_policy(auth="session")
def profile() -> ResponseReturnValue:
    """What we know about the person; language and time zone can be changed here."""
    return _profile_page()


@bp.post("/profile")
@route_policy(auth="session")
def set_language() -> ResponseReturnValue:
    """Keep language and time zone."""
    form = parsing.form(LanguageForm, request.form)
    if isinstance(form, FormErrors):
        return _profile_page(problem=worded(form)[1]), status_of(form)
    refused = service.set_language(
        my_session(), locale=form.locale, zoneinfo=form.zoneinfo, now=clock.now(), origin=origin()
    )
    if refused is not None:
        return _profile_page(problem=words.REASONS[refused.reason]), 422  # type: ignore[index]
    return redirect(url_for("account.profile", done="language"), 303)


@bp.post("/profile/name")
@route_policy(auth="session")
def set_names() -> ResponseReturnValue:
    """Keep another name."""
    form = parsing.form(NamesForm, request.form)
    if isinstance(form, FormErrors):
        if "" in form:
            abort(400)
        return _profile_page(name_problem=words.REASONS[Reason.BAD_NAME]), 422
    names = Names(form.given_name, form.family_name, form.display_name)
    refused = service.set_names(my_session(), names, now=clock.now(), origin=origin())
    if refused is not None:
        return _profile_page(name_problem=words.REASONS[refused.reason]), 422  # type: ignore[index]
    return redirect(url_for("account.profile", done="name"), 303)


@bp.get("/security")
@route_policy(auth="session")
def security() -> ResponseReturnValue:
    """*Change password*."""
    return _security_page()


@bp.post("/security")
@route_policy(auth="session", bucket="sign_in")
def change_password() -> ResponseReturnValue:
    """Change the password, after the current one; the same counters as sign-in (SI-20)."""
    form = parsing.form(ChangePasswordForm, request.form)
    if isinstance(form, FormErrors):
        return _security_page(wrong=form), status_of(form)
    return _changed(form, setting.change, current=Secret(form.current_password))


@bp.post("/security/first")
@route_policy(auth="session", bucket="sign_in")
def set_password() -> ResponseReturnValue:
    """Set a password where there is none, after a fresh proof of who this is."""
    form = parsing.form(NewPasswordForm, request.form)
    if isinstance(form, FormErrors):
        return _security_page(wrong=form), status_of(form)
    return _changed(form, first.set_first)


@bp.get("/sessions")
@route_policy(auth="session")
def sessions() -> ResponseReturnValue:
    """Every browser in which the person is signed in."""
    with reading() as tx:
        mine = my_session()
        every = facts.own_sessions(tx, subject_id=mine.subject_id, this=mine.id, now=clock.now())
    return render_template("account/sessions.html", at="sessions", sessions=every, done=saved())


@bp.get("/sessions/<uuid:session_id>/end")
@route_policy(auth="session")
def end_session(session_id: UUID) -> ResponseReturnValue:
    """Asks before one session is ended."""
    found = service.find_session(my_session(), session_id=session_id, now=clock.now())
    if isinstance(found, Refused):
        abort(404)
    return render_template("account/end_session.html", at="sessions", session=found)


@bp.post("/sessions/<uuid:session_id>/end")
@route_policy(auth="session")
def session_ended(session_id: UUID) -> ResponseReturnValue:
    """End one session of the person's own (SE-04)."""
    only_a_button()
    mine = my_session()
    if not service.end_one(mine, session_id=session_id, now=clock.now(), origin=origin()):
        abort(404)
    if session_id == mine.id:
        response = make_response(error_pages.signed_out())
        cookies.forget_session(response)
        return response
    return redirect(url_for("account.sessions", done="session"), 303)


@bp.get("/sessions/end-others")
@route_policy(auth="session")
def end_others() -> ResponseReturnValue:
    """Asks before all other sessions are ended."""
    return render_template("account/end_others.html", at="sessions")


@bp.post("/sessions/end-others")
@route_policy(auth="session")
def others_ended() -> ResponseReturnValue:
    """End every session but this one."""
    only_a_button()
    service.end_others(my_session(), now=clock.now(), origin=origin())
    return redirect(url_for("account.sessions", done="sessions"), 303)


@bp.get("/access")
@route_policy(auth="session")
def access() -> ResponseReturnValue:
    """For whom the person may act, with what rights, and who can change what is missing."""
    with reading() as tx:
        mine, now = my_session().subject_id, clock.now()
        every = facts.own_access(tx, subject_id=mine, now=now)
        managers = granted.managers(tx, every, subject_id=mine, now=now)
        given = granted.given(tx, [one.held.id for one in every], subject_id=mine)
        here = acting.acting_now(tx, my_session(), now=now)
    return render_template(
        "account/access.html",
        at="access",
        access=every,
        acting=here,
        given=given,
        managers=managers,
        kinds=words.KINDS,
        evidence=words.EVIDENCE,
        blocked=BLOCKED,
        done=saved(),
    )


@bp.get("/apps")
@route_policy(auth="session")
def apps() -> ResponseReturnValue:
    """Portals and apps that may see something of the person."""
    with reading() as tx:
        every = facts.own_apps(tx, subject_id=my_session().subject_id, now=clock.now())
    return render_template("account/apps.html", at="apps", apps=every, released=released, done=saved())


@bp.get("/apps/<client_id>/revoke")
@route_policy(auth="session")
def revoke_app(client_id: str) -> ResponseReturnValue:
    """Asks before an app's access is taken back."""
    app = service.find_app(my_session(), client_id=client_id, now=clock.now())
    if isinstance(app, Refused):
        abort(404)
    return render_template("account/revoke_app.html", at="apps", app=app)


@bp.post("/apps/<client_id>/revoke")
@route_policy(auth="session")
def app_revoked(client_id: str) -> ResponseReturnValue:
    """Take an app's access back; its tokens die at once."""
    only_a_button()
    if not service.revoke_app(my_session(), client_id=client_id, now=clock.now(), origin=origin()):
        abort(404)
    return redirect(url_for("account.apps", done="app"), 303)


def _profile_page(*, problem: object = None, name_problem: object = None) -> str:
    subject = myself()
    with reading() as tx:
        bound_to = facts.name_is_bound_to(tx, subject_id=subject.id, now=clock.now())
    zones = dict.fromkeys((*ZONES, *([subject.zoneinfo] if subject.zoneinfo else [])))
    return render_template(
        "account/profile.html",
        at="profile",
        subject=subject,
        phone=subjects.phone_of(subject),
        languages=[(code, words.LANGUAGES[code]) for code in LANGUAGES],
        zones=[(zone, zone.replace("_", " ")) for zone in zones],
        done=saved(),
        problem=problem,
        name_problem=name_problem,
        bound_to=bound_to,
        typed=request.form,
    )


def _security_page(*, wrong: FormErrors | None = None, refused: Refused | None = None) -> str:
    with reading() as tx:
        policy, changed_at = service.password_page(tx, my_session(), now=clock.now())
        lacking = first.lacks(tx, subject_id=my_session().subject_id)
        fresh = is_fresh_enough(tx, my_session(), now=clock.now())
    errors, problem = worded(wrong) if wrong is not None else ({}, None)
    return render_template(
        "account/security.html",
        at="security",
        subject=myself(),
        changed_at=changed_at,
        lacking=lacking,
        fresh=fresh,
        rules=rule_list(policy, broken=refused.rules if isinstance(refused, Unfit) else None),
        browser=browser_name(request.user_agent.string or ""),
        errors=errors | new_password_errors(refused),
        problem=problem,
        done=saved(),
    )


def _changed(
    form: NewPasswordForm, act: Callable[[Change], NewSession | Refused], *, current: Secret | None = None
) -> ResponseReturnValue:
    if form.new_password != form.repeat_password:
        return _security_page(refused=Refused(PasswordReason.DIFFERENT_REPEAT)), 422
    outcome = act(
        Change(
            session=my_session(),
            browser_digest=cookies.browser_digest(),
            current=current,
            new=Secret(form.new_password),
            origin=origin(),
            now=clock.now(),
        )
    )
    if isinstance(outcome, NewSession):
        response = make_response(redirect(url_for("account.security", done="password"), 303))
        cookies.set_session(response, outcome.cookie)
        return response
    if outcome.reason is PasswordReason.BUSY:
        busy()
    if outcome.reason is FactorReason.NOT_FRESH:
        return redirect(url_for("sign_in.own", to="account.security", fresh="1"), 303)
    return _security_page(refused=outcome), 422
