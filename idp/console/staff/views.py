"""*Staff roles*: who has which; one administrator proposes, another confirms."""

from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.console.pages import by, myself, only_a_button, page
from idp.console.staff import facts, rules, service
from idp.console.staff.forms import ProposeForm
from idp.console.staff.rules import Reason
from idp.console.staff.words import REASONS, ROLE_NOTES, ROLES, SAVED
from idp.foundation import clock, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import FormErrors
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay, StaffRole

bp = Blueprint("console_staff", __name__, url_prefix="/console/staff")


@bp.get("")
@route_policy(auth="session", staff=StaffMay.READ_STAFF)
def index() -> ResponseReturnValue:
    """Everybody with a role, and what waits for a second administrator."""
    return _index()


@bp.get("/propose")
@route_policy(auth="session", staff=StaffMay.CHANGE_STAFF, step_up=True)
def propose() -> ResponseReturnValue:
    """The form of a proposal."""
    return _propose()


@bp.post("/propose")
@route_policy(auth="session", staff=StaffMay.CHANGE_STAFF, step_up=True)
def proposed() -> ResponseReturnValue:
    """Propose a role for somebody else."""
    form = parsing.form(ProposeForm, request.form)
    if isinstance(form, FormErrors):
        if "" in form:
            abort(400)
        return _propose(wrong=form), 422
    outcome = service.propose(by(), login=form.login.strip(), role=form.role, reason=form.reason)
    if isinstance(outcome, Refused):
        return _propose(refused=outcome), 422
    return redirect(url_for("console_staff.index", done="proposed"), 303)


@bp.get("/proposals/<uuid:proposal_id>")
@route_policy(auth="session", staff=StaffMay.CHANGE_STAFF, step_up=True)
def proposal(proposal_id: UUID) -> ResponseReturnValue:
    """One proposal, to be confirmed or turned down."""
    return _proposal(proposal_id)


@bp.post("/proposals/<uuid:proposal_id>/confirm")
@route_policy(auth="session", staff=StaffMay.CHANGE_STAFF, step_up=True)
def confirmed(proposal_id: UUID) -> ResponseReturnValue:
    """Give the role, as the second administrator."""
    only_a_button()
    return _settled(service.confirm(by(), proposal_id=proposal_id), proposal_id, "confirmed")


@bp.post("/proposals/<uuid:proposal_id>/decline")
@route_policy(auth="session", staff=StaffMay.CHANGE_STAFF, step_up=True)
def declined(proposal_id: UUID) -> ResponseReturnValue:
    """Turn the proposal down, or take it back."""
    only_a_button()
    return _settled(service.decline(by(), proposal_id=proposal_id), proposal_id, "declined")


@bp.get("/<subject_id>/<role>/take")
@route_policy(auth="session", staff=StaffMay.CHANGE_STAFF, step_up=True)
def take(subject_id: str, role: str) -> ResponseReturnValue:
    """Asks before a role is taken back."""
    return _take(subject_id, _role(role))


@bp.post("/<subject_id>/<role>/take")
@route_policy(auth="session", staff=StaffMay.CHANGE_STAFF, step_up=True)
def taken(subject_id: str, role: str) -> ResponseReturnValue:
    """Take a role back, at once."""
    only_a_button()
    outcome = service.take(by(), subject_id=subject_id[:26], role=_role(role))
    if not isinstance(outcome, Refused):
        return redirect(url_for("console_staff.index", done="taken"), 303)
    if outcome.reason in {Reason.UNKNOWN_PERSON, Reason.NOT_HELD}:
        abort(404)
    return _index(refused=outcome), 422


def _index(*, refused: Refused | None = None) -> str:
    with reading() as tx:
        holders = facts.holders(tx)
        waiting = facts.waiting(tx, now=clock.now())
        names = {holder.subject_id: holder.name for holder in holders}
    return page(
        "console/staff/index.html",
        at="staff",
        saved=SAVED,
        holders=holders,
        waiting=waiting,
        names=names,
        roles=ROLES,
        me=myself().id,
        life=rules.PROPOSAL_LIFE,
        problem=_sentence(refused),
    )


def _propose(*, wrong: FormErrors | None = None, refused: Refused | None = None) -> str:
    sentences = {"login": REASONS[Reason.UNKNOWN_PERSON], "reason": REASONS[Reason.NO_REASON]}
    errors = {field: sentences[field] for field in wrong or {} if field in sentences}
    return page(
        "console/staff/propose.html",
        at="staff",
        values=request.form,
        roles=[(role.value, ROLES[role], ROLE_NOTES[role]) for role in StaffRole],
        errors=errors,
        problem=_sentence(refused),
    )


def _proposal(proposal_id: UUID, *, refused: Refused | None = None) -> str:
    with reading() as tx:
        found = next((each for each in facts.waiting(tx, now=clock.now()) if each.id == proposal_id), None)
    if found is None:
        abort(404)
    return page(
        "console/staff/proposal.html",
        at="staff",
        proposal=found,
        roles=ROLES,
        notes=ROLE_NOTES,
        mine=found.proposed_by == myself().id,
        for_me=found.subject_id == myself().id,
        until=found.proposed_at + rules.PROPOSAL_LIFE,
        problem=_sentence(refused),
    )


def _settled(outcome: StaffRole | Refused, proposal_id: UUID, done: str) -> ResponseReturnValue:
    if not isinstance(outcome, Refused):
        return redirect(url_for("console_staff.index", done=done), 303)
    if outcome.reason is Reason.GONE:
        return _index(refused=outcome), 409
    return _proposal(proposal_id, refused=outcome), 422


def _take(subject_id: str, role: StaffRole) -> str:
    with reading() as tx:
        holders = facts.holders(tx)
    found = next((each for each in holders if each.subject_id == subject_id and each.role is role), None)
    if found is None:
        abort(404)
    return page("console/staff/take.html", at="staff", holder=found, roles=ROLES)


def _role(text: str) -> StaffRole:
    if text not in set(StaffRole):
        abort(404)
    return StaffRole(text)


def _sentence(refused: Refused | None) -> object:
    return None if refused is None else REASONS[refused.reason]  # type: ignore[index]
