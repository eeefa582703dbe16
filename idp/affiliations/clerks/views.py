"""A step of a sign-in: an access that a manager offers, and the person's yes or no (ruling 10)."""

from typing import Final
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.affiliations.clerks import service
from idp.affiliations.clerks.forms import AnswerForm
from idp.affiliations.clerks.service import Offered
from idp.affiliations.invitations.words import REASONS
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions import parked as pages
from idp.sessions import transactions
from idp.sessions.cookies import browser_digest, current_session
from idp.sessions.parked import Parked, onward
from idp.sessions.rules import SessionFacts
from idp.vocabulary.refused import Refused

bp = Blueprint("access_offered", __name__)

STEP: Final = "access-offered"


@bp.get("/sign-in/<uuid:txn>/access-offered")
@route_policy(auth="session")
def page(txn: UUID) -> ResponseReturnValue:
    """What is offered, by whom, and what it would let the person do."""
    asked = _asked(txn)
    return onward(txn) if asked is None else _page(asked[0], asked[2])


@bp.post("/sign-in/<uuid:txn>/access-offered")
@route_policy(auth="session", bucket="recovery")
def answer(txn: UUID) -> ResponseReturnValue:
    """Yes: active from now on. No: it ends, and nothing else changes."""
    asked, form = _asked(txn), parsing.form(AnswerForm, request.form)
    if asked is None:
        return onward(txn)
    parked, session, offered = asked
    if isinstance(form, FormErrors):
        return _page(parked, offered), 422
    with writing() as tx:
        opened = transactions.open_transaction(
            tx, txn=txn, browser_digest=browser_digest(), step=STEP, now=clock.now(), session_id=session.id
        )
        if isinstance(opened, Refused):
            return onward(txn)
        outcome = service.answer(
            tx,
            form.answer,
            invitation_id=offered.invitation_id,
            subject_id=session.subject_id,
            now=clock.now(),
            origin=origin(),
        )
    if isinstance(outcome, Refused):
        return _page(parked, offered, problem=REASONS[outcome.reason]), 409  # type: ignore[index]
    return onward(txn)


def _asked(txn: UUID) -> tuple[Parked, SessionFacts, Offered] | None:
    parked, session = pages.at_step(txn, step=STEP), current_session()
    if parked is None or parked.party is None or session is None or not parked.was_shown_to(session):
        return None
    with reading() as tx:
        offered = service.offered(tx, subject_id=session.subject_id, portal=parked.party.client_id, now=clock.now())
    return None if offered is None else (parked, session, offered)


def _page(parked: Parked, offered: Offered, *, problem: LazyString | None = None) -> str:
    party = parked.party
    assert party is not None, "the step is a portal's"
    known = {level.key: level.label for level in party.manifest.levels}
    return render_template(
        "affiliations/clerks/offered.html",
        txn=parked.transaction.id,
        party=party,
        offered=offered,
        labels=[known[key] for key in offered.levels if key in known],
        problem=problem,
    )
