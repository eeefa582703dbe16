"""Two steps of a sign-in: *choose* whom to act for, and *you cannot act here yet* (MODEL §5)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from idp.affiliations import service
from idp.affiliations.choosing import Offer, offer, read_key
from idp.affiliations.forms import ChoiceForm
from idp.affiliations.narrowing import within
from idp.affiliations.rules import Choice, blocked
from idp.affiliations.words import BLOCKED, STATUS
from idp.foundation import clock, house, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.pages import show_person
from idp.foundation.parsing import FormErrors
from idp.sessions import parked as pages
from idp.sessions import transactions
from idp.sessions.cookies import browser_digest, current_session
from idp.sessions.parked import Parked, onward
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.refused import Refused

bp = Blueprint("affiliations", __name__)

CHOOSE: Final = "choose"
CANNOT_ACT: Final = "cannot-act"


@bp.get("/sign-in/<uuid:txn>/choose")
@route_policy(auth="session")
def choose(txn: UUID) -> ResponseReturnValue:
    """Whom do you act for? Searchable when there are many."""
    parked = pages.at_step(txn, step=CHOOSE)
    if parked is None or current_session() is None:
        return onward(txn)
    return _choose_page(parked, errors={})


@bp.post("/sign-in/<uuid:txn>/choose")
@route_policy(auth="session")
def chosen(txn: UUID) -> ResponseReturnValue:
    """Take one of the choices that the person has now; anything else is as if it did not exist."""
    parked = pages.at_step(txn, step=CHOOSE)
    session = current_session()
    if parked is None or session is None:
        return onward(txn)
    form = parsing.form(ChoiceForm, request.form)
    now = clock.now()
    with writing() as tx:
        opened = transactions.open_transaction(
            tx, txn=txn, browser_digest=browser_digest(), step=CHOOSE, now=now
        )
        if isinstance(opened, Refused):
            return onward(txn)
        if isinstance(form, ChoiceForm) and form.cancel:
            transactions.remember_refusal(tx, txn=txn, now=now)
            return onward(txn)
        taken = None if isinstance(form, FormErrors) else _find(tx, parked, key=form.choice, now=now)
        if taken is not None:
            transactions.remember_choice(
                tx,
                txn=txn,
                affiliation_id=taken.affiliation_id,
                provider_id=taken.provider.id if taken.provider is not None else None,
                practice_id=taken.practice_id,
                now=now,
            )
            service.audit_choice(
                tx, taken, subject_id=session.subject_id, client_id=parked.transaction.client_id, now=now, origin=origin()
            )
            return onward(txn)
    return _choose_page(parked, errors={"choice": _("Choose one of these.")}), 422


@bp.get("/sign-in/<uuid:txn>/cannot-act")
@route_policy(auth="session")
def cannot_act(txn: UUID) -> ResponseReturnValue:
    """Signed in, and nobody to act for at this portal: what there is, in which state, and who can change it."""
    parked = pages.at_step(txn, step=CANNOT_ACT)
    session = current_session()
    terms = service.terms_of(parked.party) if parked is not None and parked.party is not None else None
    if parked is None or session is None or terms is None:
        return onward(txn)
    now = clock.now()
    with reading() as tx:
        _name_the_person(tx, session.subject_id)
        every = service.held(tx, subject_id=session.subject_id, now=now)
    dormancy = house.get(Settings).dormancy
    states = [(held, blocked(held, terms=terms, now=now, dormancy=dormancy)) for held in every]
    return render_template(
        "affiliations/choosing/cannot_act.html",
        txn=txn,
        party=parked.party,
        states=[(held, STATUS[state], BLOCKED[state]) for held, state in states if state is not None],
    )


@bp.post("/sign-in/<uuid:txn>/cannot-act")
@route_policy(auth="session")
def go_back(txn: UUID) -> ResponseReturnValue:
    """*Go back*: the portal is told `access_denied`."""
    now = clock.now()
    with writing() as tx:
        opened = transactions.open_transaction(
            tx, txn=txn, browser_digest=browser_digest(), step=CANNOT_ACT, now=now
        )
        if not isinstance(opened, Refused):
            transactions.remember_refusal(tx, txn=txn, now=now)
    return onward(txn)


def _choose_page(parked: Parked, *, errors: dict[str, str]) -> ResponseReturnValue:
    session = current_session()
    terms = service.terms_of(parked.party) if parked.party is not None else None
    if session is None or terms is None:
        return onward(parked.transaction.id)
    now, searched = clock.now(), _searched()
    with reading() as tx:
        _name_the_person(tx, session.subject_id)
        every = service.held(tx, subject_id=session.subject_id, now=now)
        found = _choices(tx, parked, now=now, search=searched or None)
    dormancy = house.get(Settings).dormancy
    states = [(held, blocked(held, terms=terms, now=now, dormancy=dormancy)) for held in every]
    shown: Offer = offer(found, search=searched, all_shown=request.args.get("all") == "yes", now=now)
    return render_template(
        "affiliations/choosing/choose.html",
        txn=parked.transaction.id,
        party=parked.party,
        errors=errors,
        offer=shown,
        search=searched,
        labels={level.key: level.label for level in parked.party.manifest.levels} if parked.party else {},
        blocked=[(held, STATUS[state], BLOCKED[state]) for held, state in states if state is not None],
    )


def _choices(tx: Session, parked: Parked, *, now: datetime, search: str | None = None) -> Sequence[Choice]:
    session, party = current_session(), parked.party
    terms = service.terms_of(party) if party is not None else None
    if session is None or party is None or terms is None:
        return ()
    found = service.choices_at(tx, subject_id=session.subject_id, terms=terms, now=now, search=search)
    asked = parked.transaction.request
    return within(tx, found, provider_ids=asked["provider_ids"], tins=asked["tins"], sector=party.sector)


def _find(tx: Session, parked: Parked, *, key: str, now: datetime) -> Choice | None:
    session, party = current_session(), parked.party
    terms = service.terms_of(party) if party is not None else None
    named = read_key(key)
    if session is None or party is None or terms is None or named is None:
        return None
    choice = service.choice_at(
        tx, subject_id=session.subject_id, terms=terms, affiliation_id=named[0], provider_id=named[1], now=now
    )
    asked = parked.transaction.request
    inside = within(
        tx, [choice] if choice else [], provider_ids=asked["provider_ids"], tins=asked["tins"], sector=party.sector
    )
    return inside[0] if inside else None


def _searched() -> str:
    text = request.args.get("q", "")[:80].strip()
    return text if parsing.acceptable(text) else ""


def _name_the_person(tx: Session, subject_id: str) -> None:
    subject = subjects.by_id(tx, subject_id=subject_id)
    if subject is not None:
        show_person(subject.name)
