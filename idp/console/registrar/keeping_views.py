"""*Change this access*: each act with what it will do, and access levels; never without a reason (MODEL §7)."""

from typing import Any, Final
from uuid import UUID

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from idp.affiliations.deciding.cases import Asked
from idp.affiliations.deciding.rules import Act
from idp.console.pages import by, page
from idp.console.registrar import keeping
from idp.console.registrar.blueprint import bp
from idp.console.registrar.forms import KeepForm, LevelsForm
from idp.console.registrar.keeping import Person
from idp.console.registrar.keeping_words import ACTS, CHANGED_NOTHING, REASONS
from idp.foundation import parsing
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import FormErrors, single_values
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay

_PERSON: Final = "/<uuid:affiliation_id>"


@bp.get(f"{_PERSON}/act/<act>")
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def ask(affiliation_id: UUID, act: str) -> ResponseReturnValue:
    """What an act will do, before it does."""
    what, who = _act(act), _person(affiliation_id)
    if what not in who.offers:
        return redirect(url_for("console_registrar.claim", affiliation_id=affiliation_id), 303)
    return _ask(who, what)


@bp.post(f"{_PERSON}/act/<act>")
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def do(affiliation_id: UUID, act: str) -> ResponseReturnValue:
    """Do it, as things are now."""
    what, form = _act(act), parsing.form(KeepForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    outcome = keeping.keep(by(), Asked(what, affiliation_id, form.version, text=form.reason))
    if isinstance(outcome, Refused):
        status, sentence = REASONS[outcome.reason]
        return _ask(_person(affiliation_id), what, problem=sentence), status
    return redirect(url_for("console_registrar.index", done=what.value), 303)


@bp.get(f"{_PERSON}/levels/<client_id>")
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def levels(affiliation_id: UUID, client_id: str) -> ResponseReturnValue:
    """Access levels at one portal, as boxes (E7)."""
    return _levels(_person(affiliation_id, client_id=client_id))


@bp.post(f"{_PERSON}/levels/<client_id>")
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def set_levels(affiliation_id: UUID, client_id: str) -> ResponseReturnValue:
    """What will come and go; once it is confirmed, it does."""
    who = _person(affiliation_id, client_id=client_id)
    form, wanted = _ticked(who)
    changed = wanted ^ who.member.levels
    if not changed or not form.sure:
        problem = None if changed else CHANGED_NOTHING
        shown = _levels(who, shown=changed, problem=problem, ticked=wanted, reason=form.reason)
        return shown, 200 if changed else 422
    asked = Asked(Act.SET_LEVELS, affiliation_id, form.version, levels=tuple(sorted(wanted)), text=form.reason)
    outcome = keeping.keep(by(), asked, client_id=client_id)
    if isinstance(outcome, Refused):
        status, sentence = REASONS[outcome.reason]
        who = _person(affiliation_id, client_id=client_id)
        return _levels(who, problem=sentence, ticked=wanted, reason=form.reason), status
    return redirect(url_for("console_registrar.index", done=Act.SET_LEVELS.value), 303)


def _ticked(who: Person) -> tuple[LevelsForm, frozenset[str]]:
    """The boxes, and what was typed beside them; a name that is no level of the portal is nothing of ours (AD-06)."""
    values = single_values(request.form)
    boxes = {f"level.{key}": key for key in who.setting.catalogue}
    if values is None or any(values[name] != "yes" for name in values.keys() & boxes.keys()):
        abort(400)
    form = parsing.form(LevelsForm, MultiDict({name: text for name, text in values.items() if name not in boxes}))
    if isinstance(form, FormErrors):
        abort(400)
    return form, frozenset(boxes[name] for name in values if name in boxes)


def _act(name: str) -> Act:
    if name not in {each.value for each in ACTS}:
        abort(404)
    return Act(name)


def _person(affiliation_id: UUID, *, client_id: str | None = None) -> Person:
    with reading() as tx:
        found = keeping.person(tx, by(), affiliation_id, client_id=client_id)
    if isinstance(found, Refused):
        abort(404)
    return found


def _ask(who: Person, act: Act, *, problem: object = None) -> str:
    return page(
        "console/registrar/act.html", at="registrar", person=who, act=act, words=ACTS[act], problem=problem, **_of(who)
    )


def _levels(
    who: Person,
    *,
    shown: frozenset[str] = frozenset(),
    ticked: frozenset[str] | None = None,
    reason: str = "",
    problem: object = None,
) -> str:
    return page(
        "console/registrar/levels.html",
        at="registrar",
        person=who,
        may_set=Act.SET_LEVELS in who.offers,
        ticked=who.member.levels if ticked is None else ticked,
        came=[level for level in _of(who)["levels"] if level.key in shown - who.member.levels],
        went=[level for level in _of(who)["levels"] if level.key in shown & who.member.levels],
        reason=reason,
        problem=problem,
        **_of(who),
    )


def _of(who: Person) -> dict[str, Any]:
    place = who.opened.place
    return {"place": place, "levels": place.party.manifest.levels}
