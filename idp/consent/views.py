"""Two steps of a sign-in: accept a portal's texts (C10, D1), and consent to what an app asks (X2, X3)."""

from typing import Final
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.audit import service as audit
from idp.audit.events import Event
from idp.consent import service, words
from idp.consent.forms import AcceptForm, AnswerForm
from idp.consent.rules import Kind, Text
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.i18n import localized
from idp.foundation.parsing import FormErrors
from idp.relying_parties.rules import RelyingParty
from idp.relying_parties.views import rendered, text_of
from idp.sessions import parked as pages
from idp.sessions import transactions
from idp.sessions.cookies import browser_digest, current_session
from idp.sessions.parked import Parked, onward
from idp.sessions.rules import SessionFacts, TransactionFacts
from idp.vocabulary.refused import Refused
from idp.vocabulary.scopes import OPENID, Scope

bp = Blueprint("consent", __name__)

AGREEMENT: Final = "agreement"
CONSENT: Final = "consent"
_BANNER: Final[LazyString] = lazy_gettext("Security warning")


@bp.get("/sign-in/<uuid:txn>/agreement")
@route_policy(auth="session")
def agreement(txn: UUID) -> ResponseReturnValue:
    """The first text that the person has not accepted in its present version."""
    due = _due(txn)
    return onward(txn) if due is None else _agreement_page(txn, *due)


@bp.post("/sign-in/<uuid:txn>/agreement")
@route_policy(auth="session")
def agreed(txn: UUID) -> ResponseReturnValue:
    """Keep the acceptance of the very text that was shown, or leave."""
    due, session = _due(txn), current_session()
    form = parsing.form(AcceptForm, request.form)
    if due is None or session is None:
        return onward(txn)
    if isinstance(form, FormErrors) or (form.shown != _named(due[1]) and not form.decline):
        return _agreement_page(txn, *due), 422
    if not form.accept and not form.decline:
        return _agreement_page(txn, *due, error=_("Tick the box to go on, or decline.")), 422
    with writing() as tx:
        if not isinstance(_open(tx, txn, AGREEMENT, session), Refused):
            _keep_acceptance(tx, txn, *due, session=session, accepted=not form.decline)
    return onward(txn)


@bp.get("/sign-in/<uuid:txn>/consent")
@route_policy(auth="session")
def consent(txn: UUID) -> ResponseReturnValue:
    """What an app asks to know, and for whom."""
    parked, session = pages.at_step(txn, step=CONSENT), current_session()
    if parked is None or parked.party is None or not parked.was_shown_to(session):
        return onward(txn)
    asked = _released(parked.transaction)
    with reading() as tx:
        acting_for = _acting_for(tx, parked)
    return render_template(
        "consent/consent/consent.html",
        txn=txn,
        party=parked.party,
        released=words.released(asked),
        acting_for_name=acting_for,
    )


@bp.post("/sign-in/<uuid:txn>/consent")
@route_policy(auth="session")
def consented(txn: UUID) -> ResponseReturnValue:
    """Yes is remembered for this app and affiliation; no is told to the app as `access_denied`."""
    session = current_session()
    form = parsing.form(AnswerForm, request.form)
    if session is None or isinstance(form, FormErrors):
        return onward(txn)
    with writing() as tx:
        opened = _open(tx, txn, CONSENT, session)
        if not isinstance(opened, Refused):
            _keep_answer(tx, opened, session, allow=form.answer == "allow")
    return onward(txn)


def _keep_acceptance(
    tx: Session, txn: UUID, party: RelyingParty, text: Text, *, session: SessionFacts, accepted: bool
) -> None:
    now = clock.now()
    if accepted:
        service.accept(tx, subject_id=session.subject_id, party=party, text=text, now=now, origin=origin())
        return
    transactions.remember_refusal(tx, txn=txn, now=now)
    service.audit_declined(tx, subject_id=session.subject_id, party=party, text=text, now=now, origin=origin())


def _keep_answer(tx: Session, opened: TransactionFacts, session: SessionFacts, *, allow: bool) -> None:
    now, client_id = clock.now(), opened.client_id or ""
    asked = _released(opened)
    if not allow:
        transactions.remember_refusal(tx, txn=opened.id, now=now)
        audit.append(
            tx,
            Event.CONSENT_DENIED,
            now=now,
            actor=session.subject_id,
            origin=origin(),
            subject_id=session.subject_id,
            client_id=client_id,
        )
        return
    transactions.remember_consent(tx, txn=opened.id, scopes=" ".join(asked))
    service.remember(
        tx,
        subject_id=session.subject_id,
        client_id=client_id,
        affiliation_id=opened.affiliation_id,
        scopes=set(asked) - {OPENID},
        now=now,
        origin=origin(),
    )


def _open(tx: Session, txn: UUID, step: str, session: SessionFacts) -> TransactionFacts | Refused:
    return transactions.open_transaction(
        tx, txn=txn, browser_digest=browser_digest(), step=step, now=clock.now(), session_id=session.id
    )


def _due(txn: UUID) -> tuple[RelyingParty, Text] | None:
    parked, session = pages.at_step(txn, step=AGREEMENT), current_session()
    if parked is None or parked.party is None or session is None:
        return None
    with reading() as tx:
        accepted = service.accepted_by(tx, subject_id=session.subject_id, client_id=parked.party.client_id)
    text = next((text for text in service.agreements_of(parked.party) if text not in accepted), None)
    return None if text is None else (parked.party, text)


def _named(text: Text) -> str:
    """How the form says which text its page showed, so that an old tab accepts nothing unseen."""
    return f"{text.kind.value}-{text.version}"


def _agreement_page(txn: UUID, party: RelyingParty, text: Text, *, error: str | None = None) -> str:
    manifest = party.manifest
    if text.kind is Kind.BANNER and manifest.banner is not None:
        title, words_shown = _BANNER, localized(manifest.banner.text)
    else:
        named = manifest.sign_in.terms if text.kind is Kind.TERMS else manifest.agreement
        title = localized(named.title) if named is not None else ""
        words_shown = rendered(text_of(party, f"{text.kind.value}-{text.version}") or "")
    return render_template(
        "consent/agreement/agreement.html",
        txn=txn,
        party=party,
        title=title,
        text=words_shown,
        version=text.version,
        shown=_named(text),
        errors={"accept": error} if error else {},
    )


def _acting_for(tx: Session, parked: Parked) -> str | None:
    """The name of the choice that the consent is asked and kept for: the transaction's own (AZ-33)."""
    terms = affiliations.terms_of(parked.party) if parked.party is not None else None
    transaction, session = parked.transaction, current_session()
    if terms is None or session is None or transaction.affiliation_id is None:
        return None
    choice = affiliations.choice_at(
        tx,
        subject_id=session.subject_id,
        terms=terms,
        affiliation_id=transaction.affiliation_id,
        provider_id=transaction.provider_id,
        now=clock.now(),
    )
    return choice.name if choice is not None else None


def _released(transaction: TransactionFacts) -> tuple[str, ...]:
    """Everything that the app asks to be told: its scopes, and those of the single claims that it names."""
    scope = Scope.parse(transaction.request["scope"]) or Scope()
    return tuple(dict.fromkeys((*scope.names, *transaction.request["claim_scopes"])))
