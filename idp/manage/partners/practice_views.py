"""The practice's side: engage a trading partner, cap what it may do, set dates, end it (MODEL §7)."""

from typing import Any, Final
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.affiliations.engagements import facts, service
from idp.affiliations.engagements.rules import Reason, Stands
from idp.affiliations.engagements.service import Case
from idp.directory import service as directory
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.manage import words as manage_words
from idp.manage.entrance import enter
from idp.manage.partners import words
from idp.manage.partners.forms import FindPartner, Seen, terms_form
from idp.manage.service import Opened
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused

bp = Blueprint("manage_partners", __name__, url_prefix="/manage")

_PLACE: Final = "/<client_id>/<uuid:target_id>/partners"
_ONE: Final = f"{_PLACE}/<uuid:partner_id>"


@bp.get(_PLACE)
@route_policy(auth="session")
def listed(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """Who works for this practice, will, or did."""
    return _list(_practice(client_id, target_id))


@bp.post(_PLACE)
@route_policy(auth="session", bucket="manage")
def find(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """On to the partner with that number; a number is not guessed from a list."""
    opened, form = _practice(client_id, target_id), parsing.form(FindPartner, request.form)
    if isinstance(form, FormErrors):
        return _list(opened, error=words.NOT_FOUND), 422
    with reading() as tx:
        found = directory.trading_partner_by_number(
            tx, registry=opened.place.target.registry, trading_partner_id=form.number.strip().upper()
        )
    if found is None or not found.in_force:
        return _list(opened, error=words.NOT_FOUND), 422
    return redirect(_address(opened, found.id), 303)


@bp.get(_ONE)
@route_policy(auth="session")
def one(client_id: str, target_id: UUID, partner_id: UUID) -> ResponseReturnValue:
    """What is agreed, and what each change will do."""
    return _page(_practice(client_id, target_id), partner_id)


@bp.post(f"{_ONE}/agree")
@route_policy(auth="session", bucket="manage")
def agree(client_id: str, target_id: UUID, partner_id: UUID) -> ResponseReturnValue:
    """Engage it, or change the cap and the dates."""
    opened = _practice(client_id, target_id)
    read = terms_form(request.form, catalogue=service.catalogue(opened.place.target.registry))
    if isinstance(read, FormErrors):
        malformed = "" in read or "capped" in read
        problem = manage_words.MALFORMED if malformed else words.DATES
        return _page(opened, partner_id, problem=problem), 400 if malformed else 422
    seen, wanted = read
    with writing() as tx:
        case = _case(tx, opened)
        refused = (
            case
            if isinstance(case, Refused)
            else service.agree(tx, case, partner_id=partner_id, wanted=wanted, seen=seen)
        )
    return _answer(opened, partner_id, refused, done="agreed")


@bp.post(f"{_ONE}/end")
@route_policy(auth="session", bucket="manage")
def end(client_id: str, target_id: UUID, partner_id: UUID) -> ResponseReturnValue:
    """End it now."""
    opened, form = _practice(client_id, target_id), parsing.form(Seen, request.form)
    if isinstance(form, FormErrors):
        return _page(opened, partner_id, problem=manage_words.MALFORMED), 400
    with writing() as tx:
        case = _case(tx, opened)
        refused = case if isinstance(case, Refused) else service.end(tx, case, partner_id=partner_id, seen=form.seen)
    return _answer(opened, partner_id, refused, done="ended")


def _practice(client_id: str, target_id: UUID) -> Opened:
    opened = enter(client_id, target_id)
    if opened.place.target.kind is not TargetKind.PRACTICE:
        abort(404)
    return opened


def _case(tx: Any, opened: Opened) -> Case | Refused:
    return service.open_case(
        tx, acting=opened.acting, party=opened.place.party, kind=TargetKind.PRACTICE, now=clock.now(), origin=origin()
    )


def _answer(opened: Opened, partner_id: UUID, refused: Refused | None, *, done: str) -> ResponseReturnValue:
    if refused is None:
        return redirect(_address(opened, partner_id, done=done), 303)
    if not isinstance(refused.reason, Reason) or refused.reason is Reason.UNKNOWN:
        abort(404)
    status, sentence = words.REASONS[refused.reason]
    return _page(opened, partner_id, problem=sentence), status


def _list(opened: Opened, *, error: LazyString | None = None) -> str:
    today, target = clock.now().date(), opened.place.target
    with reading() as tx:
        found = facts.partners_of(tx, practice_id=target.id, registry=target.registry, today=today)
    typed = request.form.get("number", "")[:40]
    return render_template(
        "manage/partners/partners.html",
        **_of(opened),
        partners=[(partner, agreed, words.STANDS[agreed.stands(today)]) for partner, agreed in found],
        typed=typed if parsing.acceptable(typed) else "",
        error=error,
    )


def _page(opened: Opened, partner_id: UUID, *, problem: LazyString | None = None) -> str:
    target, today = opened.place.target, clock.now().date()
    with reading() as tx:
        partner = directory.trading_partner(tx, partner_id)
        if partner is None or partner.registry != target.registry:
            abort(404)
        agreed = facts.agreed(facts.rows_of(tx, partner_id=partner_id, practice_id=target.id), today=today)
    stands = agreed.stands(today) if agreed is not None else Stands.ENDED
    return render_template(
        "manage/partners/partner.html",
        **_of(opened),
        partner=partner,
        agreed=agreed,
        runs=stands is Stands.RUNS,
        open=stands is not Stands.ENDED,
        stands=words.STANDS[stands] if agreed is not None else None,
        cap_levels=_levels(target.registry),
        today=today,
        sent={name: _typed(name) if problem is not None else "" for name in ("starts_on", "ends_on")},
        done=words.DONE.get(request.args.get("done", "")),
        problem=problem,
    )


def _typed(name: str) -> str:
    text = request.form.get(name, "")[:10]
    return text if parsing.acceptable(text) else ""


def _levels(registry: str) -> list[Any]:
    every = [level for party in facts.portals_of_partners(registry) for level in party.manifest.levels]
    return [level for level in every if not level.manages]


def _address(opened: Opened, partner_id: UUID, **more: Any) -> str:
    return url_for("manage_partners.one", partner_id=partner_id, **_of(opened)["address"], **more)


def _of(opened: Opened) -> dict[str, Any]:
    place = opened.place
    return {"place": place, "address": {"client_id": place.party.client_id, "target_id": place.target.id}}
