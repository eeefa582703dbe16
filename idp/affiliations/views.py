"""Two steps of a sign-in: *choose* whom to act for, and *you cannot act here yet* (MODEL §5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from idp.affiliations import service
from idp.affiliations.bringing import service as bringing
from idp.affiliations.bringing.rules import Reason as NotBrought
from idp.affiliations.bringing.words import REFUSED as NOT_BROUGHT
from idp.affiliations.choosing import ends_in, offer, read_key, used_today
from idp.affiliations.forms import BringForm, ChoiceForm
from idp.affiliations.narrowing import within
from idp.affiliations.rules import Blocked, Choice, Held, PortalTerms, blocked
from idp.affiliations.words import BLOCKED, STATUS
from idp.foundation import clock, house, i18n, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.relying_parties.rules import RelyingParty
from idp.sessions import parked as pages
from idp.sessions import transactions
from idp.sessions.cookies import browser_digest, current_session
from idp.sessions.parked import onward
from idp.sessions.rules import SessionFacts, TransactionFacts
from idp.settings import Settings
from idp.vocabulary.refused import Refused

bp = Blueprint("affiliations", __name__)

CHOOSE: Final = "choose"
CANNOT_ACT: Final = "cannot-act"


@dataclass(frozen=True, slots=True)
class Asked:
    """A step's page as this session was shown it: whose request, at which portal, on which terms."""

    transaction: TransactionFacts
    session: SessionFacts
    party: RelyingParty
    terms: PortalTerms


@bp.get("/sign-in/<uuid:txn>/choose")
@route_policy(auth="session")
def choose(txn: UUID) -> ResponseReturnValue:
    """Whom do you act for? Searchable when there are many."""
    asked = _asked(txn, step=CHOOSE)
    return onward(txn) if asked is None else _choose_page(asked, errors={})


@bp.post("/sign-in/<uuid:txn>/choose")
@route_policy(auth="session")
def chosen(txn: UUID) -> ResponseReturnValue:
    """Take one of the choices that the person has now; anything else is as if it did not exist."""
    asked = _asked(txn, step=CHOOSE)
    if asked is None:
        return onward(txn)
    form = parsing.form(ChoiceForm, request.form)
    with writing() as tx:
        if isinstance(_open(tx, asked.transaction.id, CHOOSE, asked.session), Refused):
            return onward(txn)
        if isinstance(form, ChoiceForm) and form.cancel:
            transactions.remember_refusal(tx, txn=txn, now=clock.now())
            return onward(txn)
        taken = None if isinstance(form, FormErrors) else _find(tx, asked, key=form.choice, now=clock.now())
        if taken is not None:
            _take(tx, asked, taken, now=clock.now())
            return onward(txn)
    return _choose_page(asked, errors={"choice": _("Choose one of these.")}), 422


@bp.get("/sign-in/<uuid:txn>/cannot-act")
@route_policy(auth="session")
def cannot_act(txn: UUID) -> ResponseReturnValue:
    """Signed in, and nobody to act for at this portal: what there is, in which state, and who can change it."""
    asked = _asked(txn, step=CANNOT_ACT)
    return onward(txn) if asked is None else _cannot_act_page(asked)


@bp.post("/sign-in/<uuid:txn>/bring")
@route_policy(auth="session")
def bring(txn: UUID) -> ResponseReturnValue:
    """Use here too what the person has in another registry, one of those that the page offers now (MODEL §1)."""
    asked = _asked(txn, step=CANNOT_ACT)
    if asked is None:
        return onward(txn)
    form = parsing.form(BringForm, request.form)
    named = None if isinstance(form, FormErrors) else read_key(form.access)
    if named is None:
        return _cannot_act_page(asked, problem=NOT_BROUGHT[NotBrought.UNKNOWN]), 422
    with writing() as tx:
        if isinstance(_open(tx, txn, CANNOT_ACT, asked.session), Refused):
            return onward(txn)
        brought = bringing.bring(
            tx,
            subject_id=asked.session.subject_id,
            party=asked.party,
            affiliation_id=named[0],
            target_id=named[1],
            now=clock.now(),
            origin=origin(),
        )
    if isinstance(brought, Refused) and brought.reason is not NotBrought.NO_NEED:
        return _cannot_act_page(asked, problem=NOT_BROUGHT[NotBrought(brought.reason)]), 422
    return onward(txn)


@bp.post("/sign-in/<uuid:txn>/cannot-act")
@route_policy(auth="session")
def go_back(txn: UUID) -> ResponseReturnValue:
    """*Go back*: the portal is told `access_denied`."""
    session = current_session()
    if session is None:
        return onward(txn)
    with writing() as tx:
        if not isinstance(_open(tx, txn, CANNOT_ACT, session), Refused):
            transactions.remember_refusal(tx, txn=txn, now=clock.now())
    return onward(txn)


def _cannot_act_page(asked: Asked, *, problem: LazyString | None = None) -> str:
    now = clock.now()
    with reading() as tx:
        every = service.held(tx, subject_id=asked.session.subject_id, now=now)
        offers = bringing.offers(tx, subject_id=asked.session.subject_id, party=asked.party, now=now)
    of_use = {each.held.id for each in offers}
    return render_template(
        "affiliations/choosing/cannot_act.html",
        txn=asked.transaction.id,
        party=asked.party,
        states=_states((held for held in every if held.id not in of_use), terms=asked.terms, now=now),
        offers=offers,
        problem=problem,
    )


def _asked(txn: UUID, *, step: str) -> Asked | None:
    parked, session = pages.at_step(txn, step=step), current_session()
    if parked is None or parked.party is None or session is None or not parked.was_shown_to(session):
        return None
    terms = service.terms_of(parked.party)
    return None if terms is None else Asked(parked.transaction, session, parked.party, terms)


def _open(tx: Session, txn: UUID, step: str, session: SessionFacts) -> TransactionFacts | Refused:
    return transactions.open_transaction(
        tx, txn=txn, browser_digest=browser_digest(), step=step, now=clock.now(), session_id=session.id
    )


def _take(tx: Session, asked: Asked, taken: Choice, *, now: datetime) -> None:
    transactions.remember_choice(
        tx,
        txn=asked.transaction.id,
        affiliation_id=taken.affiliation_id,
        provider_id=taken.provider.id if taken.provider is not None else None,
        practice_id=taken.practice_id,
        now=now,
    )
    service.audit_choice(
        tx, taken, subject_id=asked.session.subject_id, client_id=asked.party.client_id, now=now, origin=origin()
    )


def _choose_page(asked: Asked, *, errors: dict[str, str]) -> str:
    now, searched = clock.now(), _searched()
    with reading() as tx:
        every = service.held(tx, subject_id=asked.session.subject_id, now=now)
        found = service.choices_at(
            tx, subject_id=asked.session.subject_id, terms=asked.terms, now=now, search=searched or None
        )
        inside = _inside(tx, asked, found, now=now)
    states = _states(every, terms=asked.terms, now=now)
    usable = {choice.affiliation_id for choice in inside}
    unread = any(held.target.more_providers and held.id in usable for held in every)
    shown = offer(inside, search=searched, all_shown=request.args.get("all") == "yes", now=now, unread=unread)
    return render_template(
        "affiliations/choosing/choose.html",
        txn=asked.transaction.id,
        party=asked.party,
        errors=errors,
        offer=shown,
        search=searched,
        labels={level.key: level.label for level in asked.party.manifest.levels},
        used_today=lambda choice: used_today(choice, now=now, zone=i18n.zone()),
        ends_in=lambda choice: ends_in(choice, now=now),
        blocked=states,
    )


def _states(
    every: Iterable[Held], *, terms: PortalTerms, now: datetime
) -> list[tuple[Held, tuple[str, LazyString], LazyString]]:
    """What cannot be used here, with its badge and the sentence that says who can change it."""
    dormancy = house.get(Settings).dormancy
    judged = [(held, blocked(held, terms=terms, now=now, dormancy=dormancy)) for held in every]
    of_use_elsewhere_last = sorted(judged, key=lambda pair: pair[1] is Blocked.OTHER_KIND)
    return [(held, STATUS[state], BLOCKED[state]) for held, state in of_use_elsewhere_last if state is not None]


def _inside(tx: Session, asked: Asked, found: Sequence[Choice], *, now: datetime) -> tuple[Choice, ...]:
    kept = asked.transaction.request
    return within(tx, found, provider_ids=kept["provider_ids"], tins=kept["tins"], sector=asked.party.sector, now=now)


def _find(tx: Session, asked: Asked, *, key: str, now: datetime) -> Choice | None:
    named = read_key(key)
    if named is None:
        return None
    choice = service.choice_at(
        tx,
        subject_id=asked.session.subject_id,
        terms=asked.terms,
        affiliation_id=named[0],
        provider_id=named[1],
        now=now,
    )
    return next(iter(_inside(tx, asked, [choice] if choice is not None else [], now=now)), None)


def _searched() -> str:
    text = request.args.get("q", "")[:80].strip()
    return text if parsing.acceptable(text) else ""
