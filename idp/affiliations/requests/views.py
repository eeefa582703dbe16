"""The page behind the link that a requester is mailed: how the request stands, and taking it back."""

import re
from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from idp.affiliations.requests import service, words
from idp.affiliations.requests.forms import TOKEN_PATTERN, WithdrawForm
from idp.affiliations.requests.rules import Answer, Cause, Reason, Status
from idp.affiliations.requests.service import Seen
from idp.foundation import clock, error_pages, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.relying_parties import service as relying_parties
from idp.sessions import parked as pages
from idp.vocabulary.refused import Refused

bp = Blueprint("access_requests", __name__)

_TOKEN: Final = re.compile(TOKEN_PATTERN, re.ASCII)


@bp.get("/access-request")
@route_policy(auth="none")
def show() -> ResponseReturnValue:
    """How the request stands now; opening the link changes nothing."""
    token = request.args.get("token", "")
    if not _TOKEN.match(token):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    return _page(token)


@bp.post("/access-request")
@route_policy(auth="none", bucket="recovery")
def withdraw() -> ResponseReturnValue:
    """Take it back, once; a request that was decided meanwhile is shown as it stands."""
    form = parsing.form(WithdrawForm, request.form)
    if isinstance(form, FormErrors):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    outcome = service.withdraw(form.token, now=clock.now(), origin=origin())
    if outcome == Refused(Reason.NOT_PENDING):
        return _page(form.token, status=409)
    return _page(form.token)


def _page(token: str, *, status: int = 200) -> ResponseReturnValue:
    seen = service.look(token, now=clock.now())
    if isinstance(seen, Refused):
        return error_pages.show(error_pages.Kind.EXPIRED_LINK)
    pages.brand(relying_parties.find(seen.asked.portal))
    page = render_template(
        "affiliations/requests/show.html",
        token=token,
        asked=seen.asked,
        target=seen.target_name,
        status=words.STATUS[seen.asked.status],
        sentence=_sentence(seen),
        pending=seen.asked.status is Status.PENDING,
    )
    return page, status


def _sentence(seen: Seen) -> object:
    if seen.asked.cause is Cause.UNANSWERED:
        return words.UNANSWERED
    if seen.asked.status is Status.APPROVED and seen.link is not Answer.GOOD:
        return words.LINKS[seen.link]
    return words.STATUS[seen.asked.status][2]
