"""Thin views of the protocol endpoints: read strictly, call one function, write its answer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed

from idp.federation import views as upstream
from idp.foundation import clock, error_pages, front_door, house, pages
from idp.foundation.database import reading
from idp.foundation.error_pages import Kind
from idp.foundation.front_door import origin, route_policy
from idp.keyring.service import Keyring
from idp.oidc import authorize as authorization
from idp.oidc import discovery, logout, token_endpoint
from idp.oidc import userinfo as info
from idp.oidc.answers import CACHEABLE, written
from idp.oidc.authorization_requests import Reason
from idp.oidc.authorize import Parked, Redirect, Visitor
from idp.oidc.errors import INVALID_REQUEST, OAuthError
from idp.oidc.requests import FORM, Parameters, bearer, read_body, read_encoded
from idp.sessions import cookies, refusals
from idp.sessions.cookies import browser_digest, current_session
from idp.sessions.transactions import UNCLAIMED, unclaimed
from idp.sign_in import steps
from idp.vocabulary.refused import Refused

bp = Blueprint("oidc", __name__)


@bp.get("/.well-known/openid-configuration")
@bp.get("/.well-known/oauth-authorization-server")
@route_policy(auth="public")
def configuration() -> ResponseReturnValue:
    """Metadata (OIDC Discovery §4, RFC 8414)."""
    return _document(discovery.document())


@bp.get("/oauth/jwks")
@route_policy(auth="public")
def jwks() -> ResponseReturnValue:
    """The public keys (RFC 7517 §5)."""
    return _document(house.get(Keyring).jwks())


@bp.route("/oauth/authorize", methods=["GET"])
@route_policy(auth="none", changes=True)
def authorize() -> ResponseReturnValue:
    """The authorization endpoint by GET."""
    _only_get()
    read = read_encoded(request.query_string)
    if isinstance(read, OAuthError):
        return _unreadable()
    if current_session() is None:
        front_door.count("authorize")  # without a session every such request is parked: rows that anybody can make
    return _send(authorization.begin(read, visitor=_visitor()), txn=None)


@bp.post("/oauth/authorize")
@route_policy(auth="none", bucket="authorize", cross_site=True)
def authorize_by_post() -> ResponseReturnValue:
    """By POST (OIDC Core §3.1.2.1): it comes cross-site without cookies, so it is parked and answered 303."""
    read = _posted()
    if isinstance(read, OAuthError):
        return _unreadable()
    kept = authorization.keep(read, visitor=_visitor(cookies=False))
    if isinstance(kept, Parked):
        return redirect(url_for("oidc.answer", txn=kept.txn), 303)
    return _send(kept, txn=None)


@bp.get("/oauth/authorize/<uuid:txn>")
@route_policy(auth="browser", changes=True)
def answer(txn: UUID) -> ResponseReturnValue:
    """The end of a parked request."""
    _only_get()
    return _send(authorization.answer(txn=txn, visitor=_visitor()), txn=txn)


@bp.post("/oauth/token")
@route_policy(auth="client", csrf=False)
def token() -> ResponseReturnValue:
    """The token endpoint (RFC 6749 §3.2)."""
    return _json(_with_body(token_endpoint.token))


@bp.post("/oauth/introspect")
@route_policy(auth="client", csrf=False)
def introspect() -> ResponseReturnValue:
    """RFC 7662."""
    return _json(_with_body(token_endpoint.introspect))


@bp.post("/oauth/revoke")
@route_policy(auth="client", csrf=False)
def revoke() -> ResponseReturnValue:
    """RFC 7009: 200 with an empty body, whatever the token was."""
    return _json(_with_body(token_endpoint.revoke) or {})


@bp.route("/oauth/userinfo", methods=["GET", "POST"])
@route_policy(auth="token", csrf=False)
def userinfo() -> ResponseReturnValue:
    """UserInfo by GET and POST; the token in the header or the form body, never in the query (PROTOCOL 13)."""
    sent = _bearer()
    return _json(sent if isinstance(sent, OAuthError) else info.userinfo(sent, now=clock.now()))


@bp.get("/oauth/logout")
@route_policy(auth="none", changes=True)
def end_session() -> ResponseReturnValue:
    """RP-Initiated Logout §2 by GET."""
    _only_get()
    asked = _asked_logout(read_encoded(request.query_string))
    return _end_or_ask(asked) if isinstance(asked, logout.LogoutRequest) else asked


@bp.post("/oauth/logout")
@route_policy(auth="none", bucket="authorize", cross_site=True)
def end_session_by_post() -> ResponseReturnValue:
    """By POST, cross-site: the request is parked, and the browser comes back by GET with its cookies."""
    asked = _asked_logout(_posted())
    if not isinstance(asked, logout.LogoutRequest):
        return asked
    txn = logout.park(asked, browser_digest=UNCLAIMED, now=clock.now())
    return redirect(url_for("oidc.confirm_logout", txn=txn), 303)


@bp.get("/oauth/logout/<uuid:txn>")
@route_policy(auth="browser", changes=True)
def confirm_logout(txn: UUID) -> ResponseReturnValue:
    """Ask before anything ends, unless the hint of a posted request speaks for this very session."""
    _only_get()
    with reading() as tx:
        posted = unclaimed(tx, txn=txn)
        owner = UNCLAIMED if posted else browser_digest()
        asked = logout.load(tx, txn=txn, browser_digest=owner, now=clock.now())
    if isinstance(asked, Refused):
        return refusals.answer(asked, txn=txn)
    if posted and not logout.needs_confirmation(asked, current_session()):
        return _ended(asked)
    if posted:
        logout.claim(txn=txn, browser_digest=browser_digest())
    if asked.redirect_uri is not None:
        pages.allow_form_to(asked.redirect_uri)
    back = asked.party.manifest.base_url if asked.party is not None else None
    return render_template("oidc/logout/confirm.html", party=asked.party, txn=txn, back=back)


@bp.post("/oauth/logout/<uuid:txn>")
@route_policy(auth="browser")
def logout_confirmed(txn: UUID) -> ResponseReturnValue:
    """The person said yes."""
    with reading() as tx:
        asked = logout.load(tx, txn=txn, browser_digest=browser_digest(), now=clock.now())
    if isinstance(asked, Refused):
        return refusals.answer(asked, txn=txn)
    return _ended(asked)


def _asked_logout(read: Parameters | OAuthError) -> logout.LogoutRequest | Response:
    if isinstance(read, OAuthError):
        return _unreadable()
    asked = logout.read(read.single, now=clock.now())
    return error_pages.show(Kind.BAD_REQUEST, parameter=asked.reason.value) if isinstance(asked, Refused) else asked


def _end_or_ask(asked: logout.LogoutRequest) -> ResponseReturnValue:
    if logout.needs_confirmation(asked, current_session()):
        txn = logout.park(asked, browser_digest=browser_digest(), now=clock.now())
        return redirect(url_for("oidc.confirm_logout", txn=txn), 303)
    return _ended(asked)


def _ended(asked: logout.LogoutRequest) -> ResponseReturnValue:
    location = asked.location()
    left = logout.end(
        current_session(), location=location, browser_digest=browser_digest(), now=clock.now(), origin=origin()
    )
    if left is not None:
        response: Any = make_response(upstream.away(left, signing_out=True))
    else:
        response = error_pages.signed_out(party=asked.party) if location is None else redirect(location, 303)
    cookies.forget_session(response)
    return response  # type: ignore[no-any-return]


def _only_get() -> None:
    """HEAD is a question about a page; here a GET acts, so nothing may be asked that way (SE-06)."""
    if request.method != "GET":
        raise MethodNotAllowed(["GET", "POST"])


def _posted() -> Parameters | OAuthError:
    """The form of a browser that another site sent here."""
    if request.mimetype != FORM or request.query_string:
        return INVALID_REQUEST
    return read_encoded(request.get_data(cache=False))


def _unreadable() -> Response:
    return error_pages.show(Kind.BAD_REQUEST, parameter=Reason.MALFORMED)


def _send(outcome: Redirect | Parked | Refused, *, txn: UUID | None) -> ResponseReturnValue:
    match outcome:
        case Redirect(uri):
            response = Response(status=303)
            response.headers["Location"] = uri
            return response
        case Parked(parked, step):
            return redirect(url_for(steps.PAGES[step] if step is not None else "sign_in.resume", txn=parked), 303)
    if txn is not None and not isinstance(outcome.reason, Reason):
        return refusals.answer(outcome, txn=txn)
    return error_pages.show(Kind.BAD_REQUEST, parameter=outcome.reason.value)


def _visitor(*, cookies: bool = True) -> Visitor:
    return Visitor(browser_digest() if cookies else UNCLAIMED, current_session(), origin(), clock.now())


def _with_body(serve: Any) -> Any:
    read = read_body(request)
    if isinstance(read, OAuthError):
        return read
    return serve(request.headers, read, now=clock.now(), origin=origin())


def _bearer() -> str | OAuthError:
    posted: Parameters | OAuthError = Parameters({})
    if request.method == "POST" and request.mimetype == FORM:
        posted = read_encoded(request.get_data(cache=False))
    if isinstance(posted, OAuthError):
        return posted
    return bearer(request.headers.get("Authorization", ""), in_body=posted.single.get("access_token", ""))


def _document(body: bytes) -> Response:
    response = Response(body, mimetype="application/json")
    response.headers.set(*CACHEABLE)
    return response


def _json(answer: Mapping[str, Any] | OAuthError) -> Response:
    status, headers, body = written(answer)
    response = Response(body, status=status, mimetype="application/json")
    for name, value in headers:
        response.headers[name] = value
    return response
