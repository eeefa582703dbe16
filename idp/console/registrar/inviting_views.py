"""*Invite somebody* to a target that nobody manages; sent again or taken back (E10, MODEL §7)."""

from typing import Any, Final
from uuid import UUID

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from idp.affiliations.deciding.facts import others_manage
from idp.affiliations.deciding.rules import Reason as ActReason
from idp.affiliations.invitations import inviting, listing
from idp.affiliations.invitations.rules import Reason
from idp.affiliations.listing import Moment
from idp.console.pages import by, only_a_button, page
from idp.console.registrar import entrance
from idp.console.registrar.blueprint import bp
from idp.console.registrar.forms import InviteForm
from idp.console.registrar.keeping_words import INVITED, REASONS
from idp.foundation import clock, i18n, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors, single_values
from idp.manage.service import Opened
from idp.manage.words import INVITATION_STATES
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay

_PLACE: Final = "/at/<client_id>/<uuid:target_id>/invitations"


@bp.get(_PLACE)
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def invitations(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """Who was invited there and has not accepted, and the form to invite somebody."""
    return _page(client_id, target_id)


@bp.post(_PLACE)
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def invite(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """Invite the address typed, with the levels ticked, in the payer's name."""
    typed, ticked = _typed()
    with writing() as tx:
        opened = _opened(tx, client_id, target_id)
        outcome = inviting.invite(
            tx,
            acting=opened.acting,
            party=opened.place.party,
            email=typed.email.strip(),
            given_name=typed.first_name.strip(),
            family_name=typed.last_name.strip(),
            levels=ticked,
            locale=i18n.language(),
            now=clock.now(),
            origin=origin(),
            why=typed.reason,
        )
    return _settled(client_id, target_id, outcome if isinstance(outcome, Refused) else None, done="sent")


@bp.post(f"{_PLACE}/<uuid:invitation_id>/resend")
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def resend_invitation(client_id: str, target_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    """A new link; the former one is dead."""
    return _change(client_id, target_id, invitation_id, inviting.resend, done="resent")


@bp.post(f"{_PLACE}/<uuid:invitation_id>/take-back")
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def take_back_invitation(client_id: str, target_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    """Nobody can accept it any more."""
    return _change(client_id, target_id, invitation_id, inviting.take_back, done="taken_back")


def _change(client_id: str, target_id: UUID, invitation_id: UUID, what: Any, *, done: str) -> ResponseReturnValue:
    only_a_button()
    with writing() as tx:
        opened = _opened(tx, client_id, target_id)
        refused: Refused | None = what(
            tx,
            acting=opened.acting,
            party=opened.place.party,
            invitation_id=invitation_id,
            now=clock.now(),
            origin=origin(),
        )
    return _settled(client_id, target_id, refused, done=done)


def _settled(client_id: str, target_id: UUID, refused: Refused | None, *, done: str) -> ResponseReturnValue:
    if refused is None:
        address = url_for("console_registrar.invitations", client_id=client_id, target_id=target_id, done=done)
        return redirect(address, 303)
    if refused.reason in (Reason.UNKNOWN, ActReason.NOT_A_MANAGER):
        abort(404)
    status, sentence = REASONS[refused.reason]
    return _page(client_id, target_id, problem=sentence), status


def _typed() -> tuple[InviteForm, tuple[str, ...]]:
    """The fields and the boxes; the rule says which levels there are."""
    values = single_values(request.form)
    if values is None:
        abort(400)
    boxes = [name for name in values if name.startswith("level.")]
    form = parsing.form(InviteForm, MultiDict({name: text for name, text in values.items() if name not in boxes}))
    if isinstance(form, FormErrors) or any(values[name] != "yes" for name in boxes):
        abort(400)
    return form, tuple(sorted(name.removeprefix("level.") for name in boxes))


def _opened(tx: Session, client_id: str, target_id: UUID) -> Opened:
    opened = entrance.to_target(tx, by(), target_id, client_id=client_id)
    if isinstance(opened, Refused):
        abort(404)
    return opened


def _page(client_id: str, target_id: UUID, *, problem: object = None) -> str:
    now, after = clock.now(), Moment.unpack(request.args.get("after", ""))
    with reading() as tx:
        opened = _opened(tx, client_id, target_id)
        found = listing.sent(tx, acting=opened.acting, party=opened.place.party, now=now, after=after)
        managed = others_manage(tx, opened.place, now=now)
    assert not isinstance(found, Refused), "the place was opened in this transaction"
    typed = {name: request.form.get(name, "")[:254] for name in ("email", "first_name", "last_name", "reason")}
    ticked = {name.removeprefix("level.") for name in request.form if name.startswith("level.")}
    return page(
        "console/registrar/invitations.html",
        at="registrar",
        saved=INVITED,
        place=opened.place,
        levels=opened.place.party.manifest.levels,
        sent=found.sent,
        more=found.after.pack() if found.after else None,
        paged=after is not None,
        managed=managed,
        states=INVITATION_STATES,
        values={name: text if parsing.acceptable(text) else "" for name, text in typed.items()},
        ticked=ticked or set(opened.place.terms.default_levels),
        problem=problem,
    )
