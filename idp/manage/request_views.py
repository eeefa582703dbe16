"""*View Access Requests*: the inbox with the time left, one request, yes and no (B6, B7)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.affiliations.deciding.rules import Reason as ActReason
from idp.affiliations.listing import Moment
from idp.affiliations.requests import deciding
from idp.affiliations.requests.facts import Asked
from idp.affiliations.requests.rules import Reason, Status
from idp.affiliations.requests.words import REASONS, STATUS
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.manage import words
from idp.manage.entrance import enter
from idp.manage.forms import DenyForm, levels_form
from idp.manage.service import Opened
from idp.vocabulary.refused import Refused

bp = Blueprint("manage_requests", __name__, url_prefix="/manage")

_PLACE = "/<client_id>/<uuid:target_id>"
_ONE = f"{_PLACE}/requests/<uuid:request_id>"
_A_PAGE = 25
_GONE = {
    Reason.UNKNOWN: 404,
    Reason.OWN: 403,
    ActReason.NOT_A_MANAGER: 403,
    ActReason.NOT_HELD: 403,
    ActReason.NOT_PROVEN: 403,
}
"""HTTP statuses of refusals; what was decided or expired meanwhile is 409, what the form lacks 422."""
_MENDABLE = frozenset({ActReason.NO_LEVEL, Reason.TOO_LONG})


@bp.get(f"{_PLACE}/requests")
@route_policy(auth="session")
def inbox(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """Who waits, the least time first."""
    opened, now = enter(client_id, target_id), clock.now()
    with reading() as tx:
        found = deciding.inbox(
            tx,
            acting=opened.acting,
            party=opened.place.party,
            now=now,
            after=Moment.unpack(request.args.get("after", "")),
            limit=_A_PAGE + 1,
        )
        if isinstance(found, Refused):
            abort(404)
        page = found[:_A_PAGE]
        targets = deciding.names(tx, page, registry=opened.place.target.registry, now=now)
    last = page[-1] if len(found) > _A_PAGE else None
    return render_template(
        "manage/requests.html",
        **_of(opened),
        requests=[(each, _left(each, now)) for each in page],
        targets=targets,
        after=None if last is None else Moment(last.submitted_at, last.id).pack(),
        done=STATUS[Status(done)][1] if (done := request.args.get("done", "")) in ("approved", "denied") else None,
    )


@bp.get(_ONE)
@route_policy(auth="session")
def one(client_id: str, target_id: UUID, request_id: UUID) -> ResponseReturnValue:
    """One request: who, why, how long still."""
    opened = enter(client_id, target_id)
    return _page(opened, request_id)


@bp.post(f"{_ONE}/approve")
@route_policy(auth="session", bucket="manage")
def approve(client_id: str, target_id: UUID, request_id: UUID) -> ResponseReturnValue:
    """Yes, with the levels ticked."""
    opened = enter(client_id, target_id)
    read = levels_form(request.form, catalogue=opened.place.catalogue, movable=opened.actor.levels - opened.for_payer)
    if isinstance(read, FormErrors):
        return _page(opened, request_id, problem=words.MALFORMED), 400
    version, picked = read
    levels = tuple(sorted(picked.assigned))
    with writing() as tx:
        outcome = deciding.approve(
            tx,
            acting=opened.acting,
            party=opened.place.party,
            request_id=request_id,
            version=version,
            levels=levels,
            now=clock.now(),
            origin=origin(),
        )
    return _answer(opened, request_id, outcome)


@bp.post(f"{_ONE}/deny")
@route_policy(auth="session", bucket="manage")
def deny(client_id: str, target_id: UUID, request_id: UUID) -> ResponseReturnValue:
    """No, with or without a reason."""
    opened = enter(client_id, target_id)
    form = parsing.form(DenyForm, request.form)
    if isinstance(form, FormErrors):
        return _page(opened, request_id, problem=words.MALFORMED), 400
    with writing() as tx:
        outcome = deciding.deny(
            tx,
            acting=opened.acting,
            party=opened.place.party,
            request_id=request_id,
            version=form.version,
            explanation=form.explanation.strip(),
            now=clock.now(),
            origin=origin(),
        )
    return _answer(opened, request_id, outcome)


def _answer(opened: Opened, request_id: UUID, outcome: deciding.Decided | Refused) -> ResponseReturnValue:
    if isinstance(outcome, Refused):
        reason = outcome.reason
        if reason in (Reason.UNKNOWN, ActReason.NOT_A_MANAGER):
            abort(404 if reason is Reason.UNKNOWN else 403)
        status = _GONE.get(reason, 422 if reason in _MENDABLE else 409)
        return _page(opened, request_id, problem=_sentence(outcome)), status
    place = opened.place
    address = url_for(
        "manage_requests.inbox",
        client_id=place.party.client_id,
        target_id=place.target.id,
        done=outcome.status.value,
    )
    return redirect(address, 303)


def _page(opened: Opened, request_id: UUID, *, problem: LazyString | None = None) -> str:
    now = clock.now()
    with reading() as tx:
        found = deciding.find(tx, acting=opened.acting, party=opened.place.party, request_id=request_id, now=now)
    if isinstance(found, Refused):
        abort(404)
    asked, target = found
    return render_template(
        "manage/request.html",
        **_of(opened),
        asked=asked,
        target=target,
        left=_left(asked, now),
        status=STATUS[asked.status],
        pending=asked.status is Status.PENDING,
        held=opened.actor.levels,
        for_payer=opened.for_payer,
        problem=problem,
    )


def _sentence(refused: Refused) -> LazyString:
    if isinstance(refused.reason, ActReason):
        return words.REASONS[refused.reason][1]
    return REASONS[refused.reason]  # type: ignore[index]


def _left(asked: Asked, now: datetime) -> tuple[int, int]:
    """Days and hours that are left."""
    left = max(asked.decide_by - now, now - now)
    return left.days, left.seconds // 3600


def _of(opened: Opened) -> dict[str, Any]:
    place = opened.place
    return {
        "place": place,
        "levels": place.party.manifest.levels,
        "address": {"client_id": place.party.client_id, "target_id": place.target.id},
    }
