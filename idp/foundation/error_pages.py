"""Pages for what went wrong, all of one family: what is wrong, what to do, and nothing about how we are built (SE-18).

`attach` answers every HTTP error; `show` is for views whose refusal is a page of its own. Endpoints that machines call
keep their own error format: their room registers a JSON answer for its path.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import HTTPException

JsonAnswer = Callable[[int, str], Response]
"""Makes a machine's error response from the HTTP status and the request's path."""
_RETRY_AFTER: Final = 30
_log = logging.getLogger("idp.errors")


class Kind(StrEnum):
    """What a page of this family is about."""

    BAD_REQUEST = "bad_request"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    WRONG_METHOD = "wrong_method"
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    TOO_MANY = "too_many"
    BROKEN = "broken"
    UNAVAILABLE = "unavailable"
    EXPIRED_LINK = "expired_link"
    EXPIRED_PAGE = "expired_page"
    OTHER_BROWSER = "other_browser"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Words:
    """One page: status, heading, what is wrong, what to do."""

    status: int
    title: LazyString
    wrong: LazyString
    mend: LazyString


PAGES: Final[dict[Kind, Words]] = {
    Kind.BAD_REQUEST: Words(
        400,
        _("We could not read this request"),
        _("Something in the address or the form was not as we expect it."),
        _("Go back and try again. If it happens again, call the help line."),
    ),
    Kind.FORBIDDEN: Words(
        403,
        _("This page did not accept your request"),
        _("The form may have been open too long, or it came from another site."),
        _("Go back, reload the page and try once more."),
    ),
    Kind.NOT_FOUND: Words(
        404,
        _("Page not found"),
        _("There is no page at this address."),
        _("Check the address, or start again from your portal."),
    ),
    Kind.WRONG_METHOD: Words(
        405,
        _("This address cannot be opened that way"),
        _("It only answers to a form on one of our pages."),
        _("Start again from your portal."),
    ),
    Kind.TOO_SLOW: Words(
        408,
        _("Your request took too long"),
        _("It did not arrive in full. The connection may be slow."),
        _("Try again in a moment. Nothing was changed."),
    ),
    Kind.TOO_LARGE: Words(
        413,
        _("That is too much at once"),
        _("What you sent is larger than this page can take."),
        _("Shorten it and send it again. Nothing was changed."),
    ),
    Kind.WRONG_TYPE: Words(
        415,
        _("We cannot read this kind of content"),
        _("This page only takes forms without files."),
        _("Go back and use the form on the page."),
    ),
    Kind.TOO_MANY: Words(
        429,
        _("Too many attempts"),
        _("For your safety we have paused requests from here for a while."),
        _("Wait a few minutes, then try again."),
    ),
    Kind.BROKEN: Words(
        500,
        _("Something went wrong on our side"),
        _("It is not your fault, and we have been told about it."),
        _("Try again in a few minutes. If it happens again, call the help line."),
    ),
    Kind.UNAVAILABLE: Words(
        503,
        _("We will be back shortly"),
        _("This service is not available at the moment."),
        _("Try again in a minute. Your account is safe."),
    ),
    Kind.EXPIRED_LINK: Words(
        410,
        _("This link has expired"),
        _("Links in our e-mails work once and only for a short time."),
        _("Ask for a new one on the page where you asked for this one."),
    ),
    Kind.EXPIRED_PAGE: Words(
        400,
        _("This page has expired"),
        _("You were away for a while, so we stopped this sign-in to keep you safe."),
        _("Start again from your portal."),
    ),
    Kind.OTHER_BROWSER: Words(
        403,
        _("This page belongs to another browser"),
        _("The sign-in was started in another browser, or cookies are turned off in this one."),
        _("Start again from your portal, in this browser."),
    ),
    Kind.FINISHED: Words(
        400,
        _("This sign-in is already finished"),
        _("You have signed in on this page before, perhaps in another tab."),
        _("Go to your portal. You may be signed in there already."),
    ),
}
_BY_STATUS: Final = {
    400: Kind.BAD_REQUEST,
    401: Kind.FORBIDDEN,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    405: Kind.WRONG_METHOD,
    408: Kind.TOO_SLOW,
    410: Kind.EXPIRED_LINK,
    411: Kind.BAD_REQUEST,
    413: Kind.TOO_LARGE,
    414: Kind.TOO_LARGE,
    415: Kind.WRONG_TYPE,
    429: Kind.TOO_MANY,
    431: Kind.TOO_LARGE,
    500: Kind.BROKEN,
    503: Kind.UNAVAILABLE,
}


def attach(app: Flask) -> None:
    """Answer every HTTP error, and every unforeseen exception, with a page of this family."""
    app.extensions["credence_json_errors"] = {}
    app.register_error_handler(HTTPException, _answer)


def register_json_prefix(app: Flask, *, prefix: str, answer: JsonAnswer) -> None:
    """Errors at `prefix` and below are `answer`'s: a machine reads them, not a person."""
    app.extensions["credence_json_errors"][prefix] = answer


def show(
    kind: Kind,
    *,
    party: Any = None,
    parameter: str | None = None,
    problem: str | LazyString | None = None,
    again_url: str | None = None,
) -> Response:
    """The page of `kind`. `parameter` names what was wrong in a portal's request; `problem` replaces the first sentence.

    Both are words of ours: never pass on what the request said. `again_url` is where a new link is asked for.
    """
    return _page(
        PAGES[kind],
        kind,
        status=PAGES[kind].status,
        party=party,
        parameter=parameter,
        problem=problem,
        again_url=again_url,
    )


def signed_out(*, party: Any = None, back_url: str | None = None) -> Response:
    """The page after a sign-out that leads nowhere else (PROTOCOL: it says "Signed out")."""
    return make_response(render_template("errors/signed_out.html", party=party or g.get("party"), back_url=back_url))


def _answer(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    status = error.code or 500
    if status < 400:
        return error
    json_answer = _json_answer(request.path)
    response = json_answer(status, request.path) if json_answer is not None else _page_of(status)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "www-authenticate"}:
            response.headers[name] = value
    if status in {429, 503}:
        response.headers.setdefault("Retry-After", str(g.get("retry_after", _RETRY_AFTER)))
    return response


def _json_answer(path: str) -> JsonAnswer | None:
    answers: dict[str, JsonAnswer] = current_app.extensions["credence_json_errors"]
    for prefix, answer in answers.items():
        if path == prefix or path.startswith(prefix + "/"):
            return answer
    return None


def _page_of(status: int) -> Response:
    kind = _BY_STATUS.get(status, Kind.BROKEN if status >= 500 else Kind.BAD_REQUEST)
    return _page(PAGES[kind], kind, status=status, party=g.get("party"), parameter=None, problem=None)


def _page(
    words: Words,
    kind: Kind,
    *,
    status: int,
    party: Any,
    parameter: str | None,
    problem: str | LazyString | None,
    again_url: str | None = None,
) -> Response:
    g.is_error_page = True
    try:
        body = render_template(
            "errors/error.html",
            words=words,
            kind=kind.value,
            party=party or g.get("party"),
            parameter=parameter,
            problem=problem or words.wrong,
            expected=status < 500,
            again_url=again_url,
        )
    except Exception:
        # The page itself is what is broken: say so with nothing that could break again.
        _log.exception("the error page could not be rendered")
        body = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Error</title>"
            "<main id=error><h1>Something went wrong on our side</h1><p>Try again in a few minutes.</main>"
        )
    response = make_response(body, status)
    response.headers["Cache-Control"] = "no-store"
    return response
