"""*Clerk Maintenance*: add clerk, for a new user (D6) and for an existing one (D7)."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from werkzeug.datastructures import MultiDict

from idp.affiliations.clerks.rules import Found, Looked, Reason
from idp.affiliations.deciding.rules import Reason as ActReason
from idp.authenticators.password.rules import Reason as PasswordReason
from idp.authenticators.password.views import busy
from idp.authenticators.password.words import rule_list
from idp.foundation import clock, i18n, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import Form, FormErrors
from idp.manage import picker
from idp.manage import words as manage_words
from idp.manage.clerks import judging, service, words
from idp.manage.clerks.forms import Chosen, NewClerk, Search
from idp.manage.entrance import enter
from idp.manage.picker import Picked
from idp.manage.service import Opened
from idp.subjects.rules import Reason as PersonReason
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused

bp = Blueprint("manage_clerks", __name__, url_prefix="/manage")

_PLACE: Final = "/<client_id>/<uuid:target_id>/clerks"
_FIELDS: Final = ("user_id", "first_name", "last_name", "phone", "email", "confirm_email")


@bp.get(f"{_PLACE}/add")
@route_policy(auth="session")
def add(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """The ways to add somebody, the invitation first (ruling 3)."""
    opened = enter(client_id, target_id)
    return render_template("manage/clerks/add.html", **_of(opened))


@bp.get(f"{_PLACE}/new")
@route_policy(auth="session")
def new(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """*Type data below for new record.*"""
    opened = _with_clerks(client_id, target_id)
    return _new_page(opened, Picked(_defaults(opened)))


@bp.post(f"{_PLACE}/new")
@route_policy(auth="session", bucket="manage")
def create(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """Move roles between the lists, or submit (D6)."""
    opened = _with_clerks(client_id, target_id)
    read = _read(opened)
    if read is None:
        return _new_page(opened, Picked(_defaults(opened)), problem=manage_words.MALFORMED), 400
    values, picked = read
    if picked.move is not None:
        return _new_page(opened, picked)
    form = parsing.form(NewClerk, MultiDict(values))
    if isinstance(form, FormErrors):
        malformed = "" in form
        errors = {} if malformed else {field: manage_words.MISSING[field] for field in form}
        problem = manage_words.MALFORMED if malformed else None
        return _new_page(opened, picked, errors=errors, problem=problem), 400 if malformed else 422
    wrong = judging.wrong(form, policy=service.policy(opened))
    if wrong:
        return _new_page(opened, picked, errors=wrong), 422
    outcome = service.add_new(
        opened,
        form,
        levels=tuple(sorted(picked.assigned)),
        locale=i18n.language(),
        now=clock.now(),
        origin=origin(),
    )
    if not isinstance(outcome, Refused):
        return _done(opened, outcome.affiliation_id, "new")
    if outcome.reason is PasswordReason.BUSY:
        busy()
    if outcome.reason is PersonReason.TAKEN:
        return _new_page(opened, picked, errors={"user_id": judging.TAKEN}), 422
    status, sentence = _sentence(outcome)
    return _new_page(opened, picked, problem=sentence), status


@bp.get(f"{_PLACE}/existing")
@route_policy(auth="session")
def existing(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """*Search* by user name, first name, last name (D7)."""
    return _search_page(enter(client_id, target_id), Search())


@bp.post(f"{_PLACE}/existing")
@route_policy(auth="session", bucket="manage")
def search(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """What may be shown of whom (ruling 10); a search is sent, not linked, so that no address holds a name."""
    opened, form = enter(client_id, target_id), parsing.form(Search, request.form)
    if isinstance(form, FormErrors):
        return _search_page(opened, Search(), problem=manage_words.MALFORMED), 400
    looked = Looked(form.user_name, form.first_name, form.last_name)
    found = service.look(opened, looked, now=clock.now(), origin=origin())
    if isinstance(found, Refused):
        status, sentence = _sentence(found)
        return _search_page(opened, form, problem=sentence), status
    return _search_page(opened, form, found=found)


@bp.post(f"{_PLACE}/existing/roles")
@route_policy(auth="session", bucket="manage")
def assign(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """The picked person, read-only, and the two lists; submit offers them the access (D7)."""
    opened = enter(client_id, target_id)
    read = _read(opened)
    form = None if read is None else parsing.form(Chosen, MultiDict(_without(read[0], "submitted")))
    if read is None or not isinstance(form, Chosen):
        return _search_page(opened, Search(), problem=manage_words.MALFORMED), 400
    values, picked = read
    if not form.person and not form.user_name:
        return _search_page(opened, Search(), problem=words.PICK_ONE), 422
    with reading() as tx:
        person = service.find(tx, opened, form)
    if person is None:
        return _search_page(opened, Search(), problem=words.REASONS[Reason.UNKNOWN][1]), 422
    if values.get("submitted") != "yes":
        return _roles_page(opened, form, person, Picked(_defaults(opened)))
    if picked.move is not None:
        return _roles_page(opened, form, person, picked)
    levels = tuple(sorted(picked.assigned))
    outcome = service.add_existing(opened, form, levels=levels, now=clock.now(), origin=origin())
    if not isinstance(outcome, Refused):
        return _done(opened, outcome.affiliation_id, "existing")
    status, sentence = _sentence(outcome)
    return _roles_page(opened, form, person, picked, problem=sentence), status


def _with_clerks(client_id: str, target_id: UUID) -> Opened:
    """Where the portal lets a password be typed for somebody; elsewhere people are invited."""
    opened = enter(client_id, target_id)
    portal = opened.place.party.portal
    if portal is None or not portal.clerks:
        abort(404)
    return opened


def _read(opened: Opened) -> tuple[Mapping[str, str], Picked] | None:
    """The fields without the two lists, and what the lists say."""
    values = parsing.single_values(request.form)
    catalogue = opened.place.catalogue
    picked = (
        None
        if values is None
        else picker.read(values, catalogue=catalogue, movable=opened.actor.levels - opened.for_payer)
    )
    if values is None or picked is None:
        return None
    lists = picker.names(catalogue)
    return {name: text for name, text in values.items() if name not in lists and name != "csrf_token"}, picked


def _without(values: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: text for key, text in values.items() if key != name}


def _defaults(opened: Opened) -> frozenset[str]:
    return frozenset(opened.place.terms.default_levels) & opened.actor.levels


def _new_page(
    opened: Opened, picked: Picked, *, errors: Mapping[str, LazyString] | None = None, problem: LazyString | None = None
) -> str:
    typed = {name: request.form.get(name, "")[:254] for name in _FIELDS}
    return render_template(
        "manage/clerks/new.html",
        **_of(opened),
        **_lists(opened, picked),
        values={name: text if parsing.acceptable(text) else "" for name, text in typed.items()},
        labels=words.LABELS,
        rules=rule_list(service.policy(opened)),
        errors=errors or {},
        problem=problem,
    )


def _search_page(opened: Opened, typed: Form, *, found: Found | None = None, problem: LazyString | None = None) -> str:
    return render_template(
        "manage/clerks/existing.html",
        **_of(opened),
        typed=typed,
        found=found,
        nobody=words.REASONS[Reason.UNKNOWN][1],
        labels=words.LABELS,
        problem=problem,
    )


def _roles_page(
    opened: Opened, chosen: Chosen, person: SubjectFacts, picked: Picked, *, problem: LazyString | None = None
) -> str:
    return render_template(
        "manage/clerks/roles.html",
        **_of(opened),
        **_lists(opened, picked),
        chosen=chosen,
        person=person,
        labels=words.LABELS,
        problem=problem,
    )


def _lists(opened: Opened, picked: Picked) -> dict[str, Any]:
    moved = words.MOVED.get(picked.move.value) if picked.move is not None and picked.moved else None
    return {
        "assigned": picked.assigned,
        "held": opened.actor.levels,
        "for_payer": opened.for_payer,
        "moved": moved or (words.NOTHING_MOVED if picked.move is not None else None),
    }


def _sentence(refused: Refused) -> tuple[int, LazyString]:
    if refused.reason in (ActReason.NOT_A_MANAGER, ActReason.UNKNOWN):
        abort(404)
    if isinstance(refused.reason, ActReason):
        return manage_words.REASONS[refused.reason]
    return words.REASONS[refused.reason]  # type: ignore[index]


def _done(opened: Opened, affiliation_id: UUID, what: str) -> ResponseReturnValue:
    address = url_for("manage.person", affiliation_id=affiliation_id, added=what, **_of(opened)["address"])
    return redirect(address, 303)


def _of(opened: Opened) -> dict[str, Any]:
    place = opened.place
    return {
        "place": place,
        "levels": place.party.manifest.levels,
        "address": {"client_id": place.party.client_id, "target_id": place.target.id},
    }
