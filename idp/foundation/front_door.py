"""What every Flask request passes before its view: declared policy, request counts, cross-site checks.

The outermost WSGI layer (`idp.foundation.outer_wall`) has refused malformed requests before this. Every route says by
`@route_policy` who may call it and what protects it; `tests/test_routes.py` fails for one that does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeVar
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Flask, abort, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import Forbidden

from idp.foundation import clock, house, limiter
from idp.foundation.origin import Origin
from idp.foundation.short_cuts import RAISED
from idp.settings import Settings
from idp.vocabulary.staff import StaffMay

Caller = Literal["public", "none", "browser", "session", "client", "token"]
View = TypeVar("View", bound=Callable[..., object])

csrf = CSRFProtect()


@dataclass(frozen=True, slots=True)
class RoutePolicy:
    """What protects one route.

    `auth` is who may call it: `public`, anybody and the answer is the same for all, so that no session is looked up
    (R-09); `none`, anybody; the browser that holds the transaction; a signed-in session; an authenticated client; a
    bearer token. `bucket` names the count of its POSTs. `changes` says that its GET may
    write (SECURITY ruling 13 lists the few that may). `staff` is what somebody of the payer must be trusted with; every
    route of the console names it, and no other does. `step_up` asks for a strong proof of the last 15 minutes.
    """

    auth: Caller
    csrf: bool
    bucket: str | None
    changes: bool
    cross_site: bool
    staff: StaffMay | None = None
    step_up: bool = False


BUCKETS: Final[dict[str, tuple[int, timedelta]]] = {
    "sign_in": (20, timedelta(minutes=1)),
    "passkey": (120, timedelta(minutes=1)),
    "phone": (600, timedelta(minutes=1)),
    "recovery": (10, timedelta(minutes=10)),
    "codes": (10, timedelta(minutes=10)),
    "enrollment": (30, timedelta(minutes=1)),
    "availability": (20, timedelta(minutes=1)),
    "authorize": (300, timedelta(minutes=1)),
    "manage": (120, timedelta(minutes=1)),
}
"""POSTs per address and window, and GETs that park a request; hot endpoints count failures only, in their own rooms."""


def route_policy(
    *,
    auth: Caller,
    csrf: bool | None = None,
    bucket: str | None = None,
    changes: bool = False,
    cross_site: bool = False,
    staff: StaffMay | None = None,
    step_up: bool = False,
) -> Callable[[View], View]:
    """Declare what protects a view. CSRF is on for every POST unless said otherwise (client or token endpoints)."""
    protected = csrf if csrf is not None else auth in {"none", "browser", "session"} and not cross_site

    def mark(view: View) -> View:
        view.route_policy = RoutePolicy(  # type: ignore[attr-defined]
            auth=auth,
            csrf=protected,
            bucket=bucket,
            changes=changes,
            cross_site=cross_site,
            staff=staff,
            step_up=step_up,
        )
        return view

    return mark


def policy_of(endpoint: str | None) -> RoutePolicy | None:
    """The declared policy of an endpoint; `static` needs none."""
    if endpoint is None:
        return None
    view = current_app.view_functions.get(endpoint)
    return getattr(view, "route_policy", None)


def attach(app: Flask) -> None:
    """Put the guards in front of every view, in the order in which they must run."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_SSL_STRICT=False, WTF_CSRF_TIME_LIMIT=None)
    csrf.init_app(app)
    # No view or guard here is a coroutine; Flask would ask each of them at every request, a tenth of what health costs.
    app.ensure_sync = lambda func: func  # type: ignore[method-assign]
    app.before_request(_name_the_route)
    app.before_request(_obey_the_wall)
    app.before_request(_guard)
    app.register_error_handler(CSRFError, _forged)


def origin() -> Origin:
    """Where this request came from, for the audit."""
    session = g.get("session")
    return Origin(
        address=request.remote_addr or "",
        request_id=str(request.environ.get("credence.request_id", "-")),
        user_agent=(request.user_agent.string or "")[:256],
        session_digest=session.digest_prefix if session is not None else None,
    )


def _name_the_route() -> None:
    """The access line and the counters know routes, never addresses with what somebody typed in them."""
    if request.url_rule is not None:
        request.environ["credence.route"] = request.url_rule.rule


def _obey_the_wall() -> None:
    refusal = request.environ.get("credence.refusal")
    if refusal is not None:
        abort(int(refusal))
    raised: Exception | None = request.environ.get(RAISED)
    if raised is not None:
        raise raised


def _guard() -> None:
    if request.endpoint is None or request.endpoint == "static":
        return
    policy = policy_of(request.endpoint)
    if policy is None:
        raise RuntimeError(f"route {request.endpoint} declares no policy")
    if request.method == "POST":
        if policy.csrf:
            _text_only()
            _same_site_only()
            csrf.protect()
        if policy.bucket is not None:
            count(policy.bucket)


def count(bucket: str) -> None:
    """Count this request against its address; the one too many is answered 429 (D7)."""
    limit, window = BUCKETS[bucket]
    if not limiter.count_request(
        bucket, address=request.remote_addr or "", limit=limit, window=window, now=clock.now()
    ):
        g.retry_after = int(window.total_seconds())
        abort(429)


def _text_only() -> None:
    """Bytes that are no UTF-8 end here: werkzeug would read them as text that nobody sent (ST-03)."""
    try:
        unquote_to_bytes(request.get_data()).decode()
    except UnicodeDecodeError:
        abort(400)


def _same_site_only() -> None:
    """Origin and Fetch Metadata beside the token (SECURITY D9); a browser that sends neither is judged by the token.

    Under `Referrer-Policy: no-referrer` browsers send `Origin: null` with our own forms too (Fetch §3.2), so `null`
    says nothing; what another site posts still says so by `Sec-Fetch-Site`.
    """
    if request.headers.get("Origin", "null") not in {"null", _own_origin()}:
        raise Forbidden
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Forbidden


def _own_origin() -> str:
    parts = urlsplit(house.get(Settings).issuer)
    return f"{parts.scheme}://{parts.netloc}"


def _forged(error: CSRFError) -> ResponseReturnValue:
    """403 as any other; an exception from an error handler would end as 500."""
    return current_app.handle_user_exception(Forbidden())
