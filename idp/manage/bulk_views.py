"""One act on several people: what it will do to each is shown before; then all of it happens, or nothing (AD-23)."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from werkzeug.datastructures import MultiDict

from idp.affiliations.deciding.rules import Act, Reason
from idp.affiliations.deciding.service import Asked
from idp.foundation import clock
from idp.foundation.database import reading
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import single_values
from idp.manage import bulk, service, words
from idp.manage.bulk import Undone
from idp.manage.entrance import enter
from idp.manage.service import Opened, Person
from idp.vocabulary.refused import Refused

bp = Blueprint("manage_bulk", __name__, url_prefix="/manage")

_PLACE = "/<client_id>/<uuid:target_id>/people-at-once"
OFFERED: Final = (Act.ENABLE, Act.DISABLE, Act.SEND_REGISTRATION)
_PICK: Final = "pick."


@bp.get(_PLACE)
@route_policy(auth="session")
def ask(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """What the act will do to whom, and whom it leaves alone."""
    opened = enter(client_id, target_id)
    read = _read(request.args)
    if read is None or not read[1]:
        return redirect(_back(opened), 303)
    return _preview(opened, *read)


@bp.post(_PLACE)
@route_policy(auth="session", bucket="manage")
def do(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """All of it, or nothing."""
    opened, read = enter(client_id, target_id), _read(request.form)
    if read is None or not read[1]:
        abort(400)
    act, picked = read
    asked = [Asked(act, identity, version) for identity, version in picked.items()]
    undone = bulk.act(opened, asked, now=clock.now(), origin=origin())
    if undone is None:
        return redirect(_back(opened, done=act.value, number=len(asked)), 303)
    status, sentence = words.REASONS[undone.refused.reason]  # type: ignore[index]
    if undone.refused.reason in (Reason.UNKNOWN, Reason.NOT_A_MANAGER):
        abort(404)
    return _preview(opened, act, picked, undone=undone, problem=sentence), status


def _read(sent: MultiDict[str, str]) -> tuple[Act, Mapping[UUID, int]] | None:
    """The act and the versions picked, one name a person; `None` for what no page of ours sends (AD-06, AD-24)."""
    values = single_values(sent)
    if values is None or values.get("act", "") not in {each.value for each in OFFERED}:
        return None
    picked: dict[UUID, int] = {}
    for name, version in values.items():
        if name in ("act", "csrf_token"):
            continue
        try:
            identity = UUID(hex=name.removeprefix(_PICK))
        except ValueError:
            return None
        if not name.startswith(_PICK) or not version.isdecimal() or len(version) > 9:
            return None
        picked[identity] = int(version)
    return Act(values["act"]), picked


def _preview(
    opened: Opened,
    act: Act,
    picked: Mapping[UUID, int],
    *,
    undone: Undone | None = None,
    problem: LazyString | None = None,
) -> str:
    people = _people(opened, picked)
    will = [each for each in people if act in each.offers]
    return render_template(
        "manage/at_once.html",
        place=opened.place,
        address=_address(opened),
        act=act,
        words=words.ACTS[act],
        will=will,
        will_not=[each for each in people if act not in each.offers],
        blocking=undone.affiliation_id if undone is not None else None,
        problem=problem,
        back=_back(opened),
    )


def _people(opened: Opened, picked: Mapping[UUID, int]) -> list[Person]:
    """Everybody picked; one foreign id, and there is no such page (AD-23)."""
    now, found = clock.now(), []
    with reading() as tx:
        for identity in picked:
            person = service.person(tx, opened, identity, now=now)
            if isinstance(person, Refused):
                abort(404)
            found.append(person)
    return sorted(found, key=lambda person: person.subject.name.casefold())


def _address(opened: Opened) -> dict[str, Any]:
    return {"client_id": opened.place.party.client_id, "target_id": opened.place.target.id}


def _back(opened: Opened, **more: Any) -> str:
    return url_for("manage.people", **_address(opened), **more)
