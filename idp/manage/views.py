"""The people of a target: the list, one person, and each act with what it will do (E3–E10, D8)."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.affiliations import service as affiliations
from idp.affiliations.deciding import undoing
from idp.affiliations.deciding.rules import Act
from idp.affiliations.deciding.service import Asked
from idp.foundation import clock, house, parsing
from idp.foundation.database import reading, see_as, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.manage import facts, service, words
from idp.manage.clerks import words as clerk_words
from idp.manage.entrance import enter, signed_in
from idp.manage.forms import ActForm, CommentForm, levels_form
from idp.manage.picker import Picked
from idp.manage.rules import Filter, Key, filter_of, sort_of
from idp.manage.service import Opened, Person
from idp.settings import Settings
from idp.vocabulary.refused import Refused

bp = Blueprint("manage", __name__, url_prefix="/manage")

_PLACE = "/<client_id>/<uuid:target_id>"
_LONGEST_NUMBER = 9
_PERSON = f"{_PLACE}/people/<uuid:affiliation_id>"


@bp.get("/")
@route_policy(auth="session")
def start() -> ResponseReturnValue:
    """What the person manages; with one place it is opened at once."""
    session, now = signed_in(), clock.now()
    with reading() as tx:
        held = affiliations.held(tx, subject_id=session.subject_id, now=now)
    managed = facts.managed_by(held, now=now, dormancy=house.get(Settings).dormancy)
    if len(managed) == 1 and not managed[0].providers:
        only = managed[0]
        return redirect(url_for("manage.people", client_id=only.party.client_id, target_id=only.held.target.id), 303)
    return render_template("manage/start.html", managed=managed)


@bp.get(f"{_PLACE}/people")
@route_policy(auth="session")
def people(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """*Manage Users*: search and list, *Verification Pending* first (E3)."""
    opened, now, dormancy = enter(client_id, target_id), clock.now(), house.get(Settings).dormancy
    shown, searched = filter_of(request.args.get("status", "")), _searched()
    after, sort = Key.unpack(request.args.get("after", "")), sort_of(request.args.get("sort", ""))
    with reading() as tx:
        see_as(tx, target_id=target_id)
        listed = facts.people(
            tx, opened.place, shown=shown, search=searched, after=after, now=now, dormancy=dormancy, sort=sort
        )
        counts = facts.counts(tx, opened.place, now=now, dormancy=dormancy)
        locked = service.locked(tx, listed.rows, now=now)
        managers = facts.managers(tx, opened.place, now=now, dormancy=dormancy)
    return render_template(
        "manage/people.html",
        **_of(opened),
        listed=listed,
        counts=counts,
        number_words=words.number,
        people_words=words.people,
        locked=locked,
        filters=words.FILTERS,
        shown=shown,
        sort=sort,
        first=Filter.ALL,
        search=searched,
        managers=managers,
        paged=after is not None,
        at_once={act: words.ACTS[act] for act in (Act.ENABLE, Act.DISABLE, Act.SEND_REGISTRATION)},
        done_words=_done_word(),
    )


@bp.get(_PERSON)
@route_policy(auth="session")
def person(client_id: str, target_id: UUID, affiliation_id: UUID) -> ResponseReturnValue:
    """*Update User*: who they are, their access, what was done and said (E8, E9)."""
    opened = enter(client_id, target_id)
    added = clerk_words.ADDED.get(request.args.get("added", ""))
    return _person_page(opened, _person(opened, affiliation_id, before=_before()), done=added or _done_word())


@bp.post(f"{_PERSON}/levels")
@route_policy(auth="session", bucket="manage")
def set_levels(client_id: str, target_id: UUID, affiliation_id: UUID) -> ResponseReturnValue:
    """Save the access levels that are ticked (E7)."""
    opened = enter(client_id, target_id)
    read = levels_form(request.form, catalogue=opened.place.catalogue, movable=opened.actor.levels)
    if isinstance(read, FormErrors):
        return _person_page(opened, _person(opened, affiliation_id), problem=words.MALFORMED), 400
    version, picked = read
    if picked.move is not None:
        return _person_page(opened, _person(opened, affiliation_id), picked=picked)
    return _do(opened, Asked(Act.SET_LEVELS, affiliation_id, version, levels=tuple(sorted(picked.assigned))))


@bp.post(f"{_PERSON}/comments")
@route_policy(auth="session", bucket="manage")
def comment(client_id: str, target_id: UUID, affiliation_id: UUID) -> ResponseReturnValue:
    """Add a comment (E9)."""
    opened = enter(client_id, target_id)
    form = parsing.form(CommentForm, request.form)
    if isinstance(form, FormErrors):
        malformed = "" in form
        page = _person_page(
            opened,
            _person(opened, affiliation_id),
            problem=words.MALFORMED if malformed else None,
            errors={} if malformed else {"text": words.COMMENT_EMPTY},
        )
        return page, 400 if malformed else 422
    return _do(opened, Asked(Act.COMMENT, affiliation_id, 0, text=form.text))


@bp.get(f"{_PERSON}/act/<act>")
@route_policy(auth="session")
def ask(client_id: str, target_id: UUID, affiliation_id: UUID, act: str) -> ResponseReturnValue:
    """What an act will do, before it does."""
    opened, what = enter(client_id, target_id), _act(act)
    who = _person(opened, affiliation_id)
    if what not in who.offers:
        return redirect(_address(opened, affiliation_id), 303)
    return render_template("manage/act.html", **_of(opened), person=who, act=what, words=words.ACTS[what])


@bp.post(f"{_PERSON}/act/<act>")
@route_policy(auth="session", bucket="manage")
def do(client_id: str, target_id: UUID, affiliation_id: UUID, act: str) -> ResponseReturnValue:
    """Do it, as things are now."""
    opened, what = enter(client_id, target_id), _act(act)
    form = parsing.form(ActForm, request.form)
    if isinstance(form, FormErrors):
        return _person_page(opened, _person(opened, affiliation_id), problem=words.MALFORMED), 400
    return _do(opened, Asked(what, affiliation_id, form.version))


@bp.post(f"{_PERSON}/undo")
@route_policy(auth="session", bucket="manage")
def undo(client_id: str, target_id: UUID, affiliation_id: UUID) -> ResponseReturnValue:
    """Take back what was done a moment ago."""
    opened, form = enter(client_id, target_id), parsing.form(ActForm, request.form)
    if isinstance(form, FormErrors):
        return _person_page(opened, _person(opened, affiliation_id), problem=words.MALFORMED), 400
    with writing() as tx:
        outcome = undoing.undo(
            tx,
            affiliation_id=affiliation_id,
            version=form.version,
            acting=opened.acting,
            party=opened.place.party,
            now=clock.now(),
            origin=origin(),
        )
    if isinstance(outcome, Refused):
        status, sentence = words.REASONS[outcome.reason]  # type: ignore[index]
        return _person_page(opened, _person(opened, affiliation_id), problem=sentence), status
    return redirect(_address(opened, affiliation_id, done="undo"), 303)


def _do(opened: Opened, asked: Asked) -> ResponseReturnValue:
    outcome = service.act(opened, asked, now=clock.now(), origin=origin())
    if not isinstance(outcome, Refused):
        if asked.act in (Act.REMOVE, Act.REFUSE):
            place = opened.place
            address = url_for(
                "manage.people", client_id=place.party.client_id, target_id=place.target.id, done=asked.act.value
            )
            return redirect(address, 303)
        return redirect(_address(opened, asked.affiliation_id, done=asked.act.value), 303)
    status, sentence = words.REASONS[outcome.reason]  # type: ignore[index]
    who = _person(opened, asked.affiliation_id)
    return _person_page(opened, who, problem=sentence), status


def _act(name: str) -> Act:
    if name not in {each.value for each in words.ACTS}:
        abort(404)
    return Act(name)


def _before() -> int | None:
    """The line before which a page of the history begins; anything else begins at the latest (AD-24)."""
    text = request.args.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def _person(opened: Opened, affiliation_id: UUID, *, before: int | None = None) -> Person:
    with reading() as tx:
        found = service.person(tx, opened, affiliation_id, now=clock.now(), before=before)
    if isinstance(found, Refused):
        abort(404)
    return found


def _person_page(
    opened: Opened,
    who: Person,
    *,
    done: LazyString | None = None,
    problem: LazyString | None = None,
    errors: dict[str, LazyString] | None = None,
    picked: Picked | None = None,
) -> str:
    return render_template(
        "manage/person.html",
        assigned=who.member.levels if picked is None else picked.assigned,
        moved=None if picked is None else _moved(picked),
        **_of(opened),
        person=who,
        held=opened.actor.levels,
        for_payer=_for_payer(opened, who),
        why_not=None if who.held_back is None else words.REASONS[who.held_back][1],
        acts=_buttons(who),
        lines=words.LINES,
        done_words=done,
        problem=problem,
        errors=errors or {},
        may_set=Act.SET_LEVELS in who.offers,
        may_comment=Act.COMMENT in who.offers,
    )


def _for_payer(opened: Opened, who: Person) -> frozenset[str]:
    """The managing level, where a tick would make no manager of this person."""
    works = who.member.account_manager or who.member.proven
    return frozenset() if works else frozenset({opened.place.managing})


def _moved(picked: Picked) -> LazyString:
    return clerk_words.MOVED[str(picked.move)] if picked.moved else clerk_words.NOTHING_MOVED


def _buttons(who: Person) -> dict[Act, words.ActWords]:
    """What is offered, the harmless first."""
    offers = [act for act in Act if act in who.offers and act in words.ACTS]
    return {act: words.ACTS[act] for act in sorted(offers, key=lambda act: words.ACTS[act].dangerous)}


def _done_word() -> LazyString | None:
    done = request.args.get("done", "")
    if done == Act.SET_LEVELS:
        return words.LEVELS_SAVED
    if done == "undo":
        return words.UNDONE
    if done == Act.COMMENT:
        return words.COMMENTED
    return words.ACTS[Act(done)].done if done in {each.value for each in words.ACTS} else None


def _of(opened: Opened) -> dict[str, Any]:
    place = opened.place
    return {
        "place": place,
        "levels": place.party.manifest.levels,
        "address": {"client_id": place.party.client_id, "target_id": place.target.id},
    }


def _address(opened: Opened, affiliation_id: UUID, **more: Any) -> str:
    place = opened.place
    return url_for(
        "manage.person",
        client_id=place.party.client_id,
        target_id=place.target.id,
        affiliation_id=affiliation_id,
        **more,
    )


def _searched() -> str:
    text = request.args.get("q", "")[:80].strip()
    return text if parsing.acceptable(text) else ""
