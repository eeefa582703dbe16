"""The sign-in pages: user ID, password, and *change password* on the way in."""

from collections.abc import Callable
from typing import Any, Final, NoReturn
from uuid import UUID

from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.authenticators.password import kdf, service, setting, typed_login, words
from idp.authenticators.password.forms import IdentifyForm, NewPasswordForm, PasswordForm, SignInForm
from idp.authenticators.password.rules import Reason
from idp.authenticators.password.setting import Change, Unfit
from idp.authenticators.site_key import service as site_keys
from idp.authenticators.site_key.words import Displayed, displayed
from idp.foundation import clock, kept_pages, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.i18n import language
from idp.foundation.parsing import FormErrors
from idp.relying_parties.manifest import SignIn
from idp.relying_parties.views import rendered, text_in
from idp.sessions import cookies, transactions
from idp.sessions import parked as pages
from idp.sessions.parked import Parked, onward
from idp.sessions.rules import Ahead, TransactionFacts
from idp.sessions.rules import Reason as Parking
from idp.sessions.service import NewSession
from idp.subjects.rules import LOGIN_MAX, login_key, may_be_somebody
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

bp = Blueprint("password", __name__)

IDENTIFY: Final = "identify"
PAGE: Final = "authenticators/password/password.html"
_NOTHING: Final = FormErrors()
_ANY: Final = SignIn()
_Page = Callable[..., str]
MISSING: Final = {
    "password": words.ENTER_PASSWORD,
    "current_password": words.ENTER_CURRENT,
    "new_password": words.ENTER_NEW,
    "repeat_password": words.ENTER_REPEAT,
}


@bp.get("/sign-in/<uuid:txn>/identify")
@route_policy(auth="browser")
def identify(txn: UUID) -> ResponseReturnValue:
    """User ID on its own page (portals that show something of the person's before the password)."""
    parked = pages.at_step(txn, step=IDENTIFY)
    return onward(txn) if parked is None else _identify_page(parked)


@bp.post("/sign-in/<uuid:txn>/identify")
@route_policy(auth="browser", bucket="sign_in")
def identified(txn: UUID) -> ResponseReturnValue:
    """Keep the user ID, sealed; whether there is such an account is not looked up here."""
    parked = pages.at_step(txn, step=IDENTIFY)
    if parked is None:
        return onward(txn)
    form = parsing.form(IdentifyForm, request.form)
    if isinstance(form, FormErrors):
        return _identify_page(parked, wrong=form), status_of(form)
    key = login_key(form.username)
    if not may_be_somebody(key) or len(key) > typed_login.LONGEST:
        return _identify_page(parked, wrong=FormErrors({"username": "missing"})), 422
    if "@" in key and _asked(parked).site_key:
        return _identify_page(parked, wrong=FormErrors({"username": words.NO_EMAIL_HERE})), 422
    with writing() as tx:
        transactions.remember_login(tx, txn=txn, login=typed_login.seal(key, txn=txn))
    return onward(txn)


@bp.post("/sign-in/<uuid:txn>/other-login")
@route_policy(auth="browser", bucket="sign_in")
def other_login(txn: UUID) -> ResponseReturnValue:
    """*Use another user ID*: forget the one kept."""
    if pages.at_step(txn, step=service.STEP) is not None:
        with writing() as tx:
            transactions.remember_login(tx, txn=txn, login=None)
    return onward(txn)


@bp.get("/sign-in/<uuid:txn>/password")
@route_policy(auth="browser")
def password(txn: UUID) -> ResponseReturnValue:
    """The sign-in page."""
    parked = pages.at_step(txn, step=service.STEP)
    return onward(txn) if parked is None else _password_page(parked)


@bp.post("/sign-in/<uuid:txn>/password")
@route_policy(auth="browser", bucket="sign_in")
def verify(txn: UUID) -> ResponseReturnValue:
    """Try the password; every refusal is answered alike (SI-01)."""
    parked = pages.at_step(txn, step=service.STEP)
    if parked is None:
        return onward(txn)
    kept = _kept(parked)
    form: PasswordForm | FormErrors = parsing.form(SignInForm if kept is None else PasswordForm, request.form)
    if isinstance(form, FormErrors):
        return _password_page(parked, wrong=form), status_of(form)
    typed = form.username if isinstance(form, SignInForm) else kept or ""
    attempt = service.Attempt(
        txn=txn,
        browser_digest=cookies.browser_digest(),
        login=login_key(typed),
        plain=Secret(form.password),
        session=cookies.current_session(),
        origin=origin(),
        now=clock.now(),
        devices=cookies.sent_devices(),
    )
    return _answer(parked, service.sign_in(attempt), page=_password_page)


@bp.get("/sign-in/<uuid:txn>/change-password")
@route_policy(auth="session")
def change_password(txn: UUID) -> ResponseReturnValue:
    """*Change password*: a temporary one, or one too weak for this portal."""
    parked = pages.at_step(txn, step=setting.STEP)
    return onward(txn) if parked is None or cookies.current_session() is None else _change_page(parked)


@bp.post("/sign-in/<uuid:txn>/change-password")
@route_policy(auth="session", bucket="sign_in")
def set_new(txn: UUID) -> ResponseReturnValue:
    """Set the new password and go on."""
    parked, session = pages.at_step(txn, step=setting.STEP), cookies.current_session()
    if parked is None or session is None:
        return onward(txn)
    form = parsing.form(NewPasswordForm, request.form)
    if isinstance(form, FormErrors):
        return _change_page(parked, wrong=form), status_of(form)
    if form.new_password != form.repeat_password:
        return _change_page(parked, refused=Refused(Reason.DIFFERENT_REPEAT)), 422
    asked = Change(
        session=session,
        browser_digest=cookies.browser_digest(),
        new=Secret(form.new_password),
        origin=origin(),
        now=clock.now(),
        txn=txn,
        client_id=parked.transaction.client_id,
    )
    return _answer(parked, setting.change(asked), page=_change_page)


def _answer(parked: Parked, outcome: NewSession | service.FactorDue | Refused, *, page: _Page) -> ResponseReturnValue:
    """The one answer function: on, busy, back to the dispatcher, or the same page for every other no."""
    if isinstance(outcome, NewSession):
        return cookies.signed_in(_ahead(outcome.ahead, txn=parked.transaction.id), outcome)
    if isinstance(outcome, service.FactorDue) or isinstance(outcome.reason, Parking):
        return onward(parked.transaction.id)
    if outcome.reason is Reason.BUSY:
        busy()
    return page(parked, refused=outcome), 422


def _ahead(ahead: Ahead, *, txn: UUID) -> Response:
    """303 in either case: what was typed is posted to nobody else (RFC 9700 §4.12)."""
    if ahead.uri is None:
        return make_response(redirect(url_for(ahead.endpoint, txn=txn), 303))
    answer = Response(status=303)
    answer.headers["Location"] = ahead.uri
    return answer


def busy() -> NoReturn:
    """503: too many passwords are being checked; the browser may come back in a moment (RX-02)."""
    g.retry_after = int(kdf.RETRY_AFTER.total_seconds())
    abort(503)


def worded(wrong: FormErrors, *, asked: SignIn = _ANY) -> tuple[dict[str, LazyString], LazyString | None]:
    """Sentences for the fields of a form that could not be read, and one for the form as a whole."""
    if "" in wrong:
        return {}, words.MALFORMED
    no_email = wrong.get("username") == words.NO_EMAIL_HERE
    sentences = MISSING | {"username": words.NOT_THE_EMAIL if no_email else words.enter_login(asked)}
    return {field: sentences[field] for field in wrong if field in sentences}, None


def status_of(wrong: FormErrors) -> int:
    """400 for what no page of ours sends (SI-17, RC-03), 422 for what was left empty."""
    return 400 if "" in wrong else 422


def _identify_page(parked: Parked, *, wrong: FormErrors = _NOTHING) -> str:
    errors, problem = worded(wrong, asked=_asked(parked))
    return render_template(
        "authenticators/password/identify.html",
        txn=parked.transaction.id,
        username=hint(parked.transaction),
        linking=parked.transaction.upstream is not None,
        registering=_is_registering(parked),
        errors=errors,
        problem=problem,
    )


def _password_page(parked: Parked, *, wrong: FormErrors = _NOTHING, refused: Refused | None = None) -> str:
    asked = _asked(parked)
    errors, problem = worded(wrong, asked=asked)
    if refused is not None:
        problem = words.not_right(asked)
    kept = _kept(parked)
    typed = request.form.get("username") if request.method == "POST" else None
    shown = {
        "username": kept if kept is not None else typed or hint(parked.transaction),
        "kept": kept is not None,
        **shown_to_all(parked, code=language()),
        "site_key": _site_key(parked, kept),
    }
    txn = str(parked.transaction.id)
    if shown["username"] or errors or problem:
        return render_template(PAGE, txn=txn, errors=errors, problem=problem, **shown)
    return kept_pages.render(PAGE, txn=txn, **shown)


def shown_to_all(parked: Parked, *, code: str) -> dict[str, Any]:
    """What the sign-in page of this portal tells anybody who reads the language of this code."""
    terms = _asked(parked).terms
    text = text_in(parked.party, f"terms-{terms.version}", code=code) if parked.party and terms else None
    return {
        "linking": parked.transaction.upstream is not None,
        "registering": _is_registering(parked),
        "terms": terms,
        "terms_text": rendered(text) if text else None,
    }


def _is_registering(parked: Parked) -> bool:
    """A ceremony sent them here, and goes on behind the sign-in."""
    return parked.transaction.request.get("return_to") == "enrollment.signed_in"


def _site_key(parked: Parked, kept: str | None) -> Displayed | None:
    """What the person chose to recognise this portal by, or a decoy; nothing where the portal has it off (RC-21)."""
    if parked.party is None or not parked.party.manifest.sign_in.site_key or kept is None:
        return None
    with reading() as tx:
        return displayed(site_keys.shown_for(tx, portal=parked.party.client_id, login_key=kept))


def _change_page(parked: Parked, *, wrong: FormErrors = _NOTHING, refused: Refused | None = None) -> str:
    session = cookies.current_session()
    assert session is not None
    with reading() as tx:
        policy = setting.policy_asked(
            tx, subject_id=session.subject_id, client_id=parked.transaction.client_id, now=clock.now()
        )
    errors, problem = worded(wrong)
    broken = refused.rules if isinstance(refused, Unfit) else None
    return render_template(
        "authenticators/password/change_password.html",
        txn=parked.transaction.id,
        rules=words.rule_list(policy, broken=broken),
        errors=errors | new_password_errors(refused),
        problem=problem,
    )


def new_password_errors(refused: Refused | None) -> dict[str, LazyString]:
    """Beside which field a refused new password is told."""
    if refused is None or not isinstance(refused.reason, Reason):
        return {}
    sentence = words.SETTING[refused.reason]
    match refused.reason:
        case Reason.DIFFERENT_REPEAT:
            return {"repeat_password": sentence}
        case Reason.WRONG_PASSWORD | Reason.TOO_MANY | Reason.NO_PASSWORD | Reason.UNKNOWN_LOGIN:
            return {"current_password": sentence}
        case _:
            return {"new_password": sentence}


def _asked(parked: Parked) -> SignIn:
    """What the portal's sign-in page asks for; our own asks for either."""
    return parked.party.manifest.sign_in if parked.party is not None else _ANY


def _kept(parked: Parked) -> str | None:
    """The login typed at `identify`; `None` where this page asks for it itself."""
    kept = parked.transaction.login
    return None if kept is None else typed_login.unseal(kept, txn=parked.transaction.id)


def hint(transaction: TransactionFacts) -> str:
    """The client's `login_hint`, to start from; it names nobody by itself."""
    sent = transaction.request.get("login_hint")
    return sent[:LOGIN_MAX] if isinstance(sent, str) else ""
