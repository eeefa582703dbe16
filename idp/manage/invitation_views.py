"""*Invite a person* (E10): sent, opened, expired; sent again or taken back."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.affiliations.deciding.rules import Reason as ActReason
from idp.affiliations.invitations import inviting, listing
from idp.affiliations.invitations.rules import Reason
from idp.affiliations.invitations.words import REASONS
from idp.affiliations.listing import Moment
from idp.foundation import clock, i18n, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.manage import words
from idp.manage.entrance import enter
from idp.manage.forms import NoFields, invite_form
from idp.manage.service import Opened
from idp.vocabulary.refused import Refused

bp = Blueprint("manage_invitations", __name__, url_prefix="/manage")

_PLACE = "/<client_id>/<uuid:target_id>/invitations"
_FIELDS: dict[Reason | ActReason, str] = {
    Reason.BAD_EMAIL: "email",
    Reason.ALREADY_HELD: "email",
    Reason.TOO_LONG: "first_name",
}


@bp.get(_PLACE)
@route_policy(auth="session")
def listed(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """Who was invited and has not accepted yet."""
    return _list(enter(client_id, target_id))


@bp.get(f"{_PLACE}/new")
@route_policy(auth="session")
def new(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """The form."""
    return _form(enter(client_id, target_id))


@bp.post(f"{_PLACE}/new")
@route_policy(auth="session", bucket="manage")
def invite(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """Invite the address typed, with the levels ticked."""
    opened = enter(client_id, target_id)
    read = invite_form(request.form, catalogue=opened.place.catalogue)
    if isinstance(read, FormErrors):
        if "" in read:
            return _form(opened, problem=words.MALFORMED), 400
        return _form(opened, errors={field: words.MISSING[field] for field in read}), 422
    typed, levels = read
    with writing() as tx:
        outcome = inviting.invite(
            tx,
            acting=opened.acting,
            party=opened.place.party,
            email=typed.email.strip(),
            given_name=typed.first_name.strip(),
            family_name=typed.last_name.strip(),
            levels=levels,
            locale=i18n.language(),
            now=clock.now(),
            origin=origin(),
        )
    if not isinstance(outcome, Refused):
        return redirect(_address(opened, done="sent"), 303)
    reason = outcome.reason
    if reason is ActReason.NOT_A_MANAGER:
        abort(404)
    sentence = _sentence(outcome)
    field = _FIELDS.get(reason)  # type: ignore[call-overload]
    status = 403 if reason in (ActReason.NOT_HELD, ActReason.NOT_PROVEN) else 429 if reason is Reason.TOO_MANY else 422
    return _form(opened, errors={field: sentence} if field else {}, problem=None if field else sentence), status


@bp.post(f"{_PLACE}/<uuid:invitation_id>/resend")
@route_policy(auth="session", bucket="manage")
def resend(client_id: str, target_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    """A new link; the former one is dead."""
    return _change(enter(client_id, target_id), invitation_id, inviting.resend, done="resent")


@bp.post(f"{_PLACE}/<uuid:invitation_id>/take-back")
@route_policy(auth="session", bucket="manage")
def take_back(client_id: str, target_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    """Nobody can accept it any more."""
    return _change(enter(client_id, target_id), invitation_id, inviting.take_back, done="taken_back")


def _change(opened: Opened, invitation_id: UUID, what: Any, *, done: str) -> ResponseReturnValue:
    if isinstance(parsing.form(NoFields, request.form), FormErrors):
        return _list(opened, problem=words.MALFORMED), 400
    with writing() as tx:
        refused: Refused | None = what(
            tx,
            acting=opened.acting,
            party=opened.place.party,
            invitation_id=invitation_id,
            now=clock.now(),
            origin=origin(),
        )
    if refused is None:
        return redirect(_address(opened, done=done), 303)
    if refused.reason in (Reason.UNKNOWN, ActReason.NOT_A_MANAGER):
        abort(404)
    status = 429 if refused.reason is Reason.TOO_MANY else 403
    return _list(opened, problem=_sentence(refused)), status


def _list(opened: Opened, *, problem: LazyString | None = None) -> str:
    after = Moment.unpack(request.args.get("after", ""))
    with reading() as tx:
        found = listing.sent(tx, acting=opened.acting, party=opened.place.party, now=clock.now(), after=after)
    if isinstance(found, Refused):
        abort(404)
    return render_template(
        "manage/invitations.html",
        **_of(opened),
        sent=found.sent,
        more=found.after.pack() if found.after else None,
        paged=after is not None,
        states=words.INVITATION_STATES,
        done=words.INVITED.get(request.args.get("done", "")),
        problem=problem,
    )


def _form(opened: Opened, *, errors: dict[str, LazyString] | None = None, problem: LazyString | None = None) -> str:
    typed = {name: request.form.get(name, "")[:254] for name in ("email", "first_name", "last_name")}
    ticked = {name.removeprefix("level.") for name in request.form if name.startswith("level.")}
    return render_template(
        "manage/invite.html",
        **_of(opened),
        values={name: text if parsing.acceptable(text) else "" for name, text in typed.items()},
        ticked=ticked or set(opened.place.terms.default_levels) & opened.actor.levels,
        held=opened.actor.levels,
        for_payer=opened.for_payer,
        errors=errors or {},
        problem=problem,
    )


def _sentence(refused: Refused) -> LazyString:
    if isinstance(refused.reason, ActReason):
        return words.REASONS[refused.reason][1]
    return REASONS[refused.reason]  # type: ignore[index]


def _address(opened: Opened, **more: Any) -> str:
    place = opened.place
    return url_for("manage_invitations.listed", client_id=place.party.client_id, target_id=place.target.id, **more)


def _of(opened: Opened) -> dict[str, Any]:
    place = opened.place
    return {
        "place": place,
        "levels": place.party.manifest.levels,
        "address": {"client_id": place.party.client_id, "target_id": place.target.id},
    }
