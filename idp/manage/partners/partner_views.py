"""The trading partner's side: the practices that engaged it, and who of the staff works for each (MODEL §7)."""

from typing import Any, Final
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.affiliations.engagements import facts, service
from idp.affiliations.engagements.facts import Key
from idp.affiliations.engagements.rules import Reason
from idp.directory.rules import masked
from idp.foundation import clock
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.manage import words as manage_words
from idp.manage.entrance import enter
from idp.manage.partners import words
from idp.manage.partners.forms import staff_form
from idp.manage.service import Opened
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused

bp = Blueprint("manage_practices", __name__, url_prefix="/manage")

_PLACE: Final = "/<client_id>/<uuid:target_id>/practices"
_ONE: Final = f"{_PLACE}/<uuid:practice_id>"


@bp.get(_PLACE)
@route_policy(auth="session")
def listed(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """For whom the partner works, and by whom."""
    opened, today, after = _partner(client_id, target_id), clock.now().date(), _after()
    with reading() as tx:
        found, more = facts.practices_of(tx, partner_id=target_id, today=today, after=after)
        staffed = facts.staffed(tx, partner_id=target_id, practices=[each.id for each, _agreed in found])
    return render_template(
        "manage/partners/practices.html",
        **_of(opened),
        practices=[(each, agreed, masked(each.tin_last4), staffed.get(each.id)) for each, agreed in found],
        labels=_labels(opened),
        more=more.pack() if more else None,
        paged=after is not None,
    )


@bp.get(_ONE)
@route_policy(auth="session")
def one(client_id: str, target_id: UUID, practice_id: UUID) -> ResponseReturnValue:
    """What the practice allows, and who of the staff works for it."""
    return _page(_partner(client_id, target_id), practice_id)


@bp.post(_ONE)
@route_policy(auth="session", bucket="manage")
def assign(client_id: str, target_id: UUID, practice_id: UUID) -> ResponseReturnValue:
    """Everybody, or those ticked."""
    opened, chosen = _partner(client_id, target_id), staff_form(request.form)
    if isinstance(chosen, FormErrors):
        return _page(opened, practice_id, problem=manage_words.MALFORMED), 400
    with writing() as tx:
        case = service.open_case(
            tx,
            acting=opened.acting,
            party=opened.place.party,
            kind=TargetKind.TRADING_PARTNER,
            now=clock.now(),
            origin=origin(),
        )
        refused = (
            case if isinstance(case, Refused) else service.assign(tx, case, practice_id=practice_id, chosen=chosen)
        )
    if refused is None:
        return redirect(
            url_for(
                "manage_practices.one",
                practice_id=practice_id,
                done="assigned",
                after=after.pack() if (after := _after()) else None,
                **_of(opened)["address"],
            ),
            303,
        )
    if not isinstance(refused.reason, Reason) or refused.reason is Reason.UNKNOWN:
        abort(404)
    status, sentence = words.REASONS[refused.reason]
    return _page(opened, practice_id, problem=sentence), status


def _partner(client_id: str, target_id: UUID) -> Opened:
    opened = enter(client_id, target_id)
    if opened.place.target.kind is not TargetKind.TRADING_PARTNER:
        abort(404)
    return opened


def _page(opened: Opened, practice_id: UUID, *, problem: LazyString | None = None) -> str:
    target, today, after = opened.place.target, clock.now().date(), _after()
    with reading() as tx:
        engaged = facts.engaged(tx, partner_id=target.id, practice_id=practice_id, today=today)
        if engaged is None:
            abort(404)
        staffed = facts.staffed(tx, partner_id=target.id, practices=[practice_id]).get(practice_id)
        staff, more = facts.staff_of(tx, partner_id=target.id, registry=target.registry, after=after)
    practice, agreed = engaged
    assigned = staffed.affiliation_ids if staffed is not None else None
    return render_template(
        "manage/partners/practice.html",
        **_of(opened),
        practice=practice,
        tin=masked(practice.tin_last4),
        agreed=agreed,
        stands=words.ENGAGED[agreed.stands(today)],
        labels=_labels(opened),
        staff=[(row.id, subject, assigned is None or row.id in assigned) for row, subject in staff],
        everybody=assigned is None,
        after=after.pack() if after else None,
        more=more.pack() if more else None,
        done=words.DONE.get(request.args.get("done", "")),
        problem=problem,
    )


def _after() -> Key | None:
    return Key.unpack(request.args.get("after", ""))


def _labels(opened: Opened) -> dict[str, Any]:
    return {level.key: level.label for level in opened.place.party.manifest.levels}


def _of(opened: Opened) -> dict[str, Any]:
    place = opened.place
    return {"place": place, "address": {"client_id": place.party.client_id, "target_id": place.target.id}}
