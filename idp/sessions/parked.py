"""The parked sign-in behind a step's page: whose it is, how it is branded, and the way back to the dispatcher."""

from dataclasses import dataclass
from uuid import UUID

from flask import g, redirect, url_for
from flask.typing import ResponseReturnValue

from idp.foundation import clock
from idp.foundation.database import looking_up
from idp.foundation.pages import allow_form_to, show_person
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import cookies, transactions
from idp.sessions.rules import SessionFacts, TransactionFacts
from idp.subjects import service as subjects
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Parked:
    """A transaction of this browser and the portal whose request it is; `party` is `None` for our own pages."""

    transaction: TransactionFacts
    party: RelyingParty | None

    def was_shown_to(self, session: SessionFacts | None) -> bool:
        """Whether its step was shown to this session; another person's page left open shows nothing of it."""
        return session is not None and self.transaction.session_id == session.id


def at_step(txn: UUID, *, step: str) -> Parked | None:
    """The transaction, if it is this browser's and awaits `step`; else `None`: the dispatcher knows what is next."""
    parked = of_this_browser(txn)
    return parked if parked is not None and parked.transaction.awaiting == step else None


def of_this_browser(txn: UUID | None) -> Parked | None:
    """The transaction, if this browser started it and it still runs; its portal then brands the page."""
    if txn is None:
        return None
    with looking_up() as tx:
        facts = transactions.load(tx, txn=txn, browser_digest=cookies.browser_digest(), now=clock.now())
    if isinstance(facts, Refused):
        return None
    party = relying_parties.find(facts.client_id) if facts.client_id else None
    brand(party or relying_parties.find(str(facts.request.get("brand") or "")))
    _name_the_person(txn)
    g.ui_locales = facts.request.get("ui_locales") or ""
    if facts.request.get("redirect_uri"):
        allow_form_to(str(facts.request["redirect_uri"]))
    return Parked(facts, party)


def _name_the_person(txn: UUID) -> None:
    """Who is signed in stands at the top of each step, and the way out for whoever is not that person."""
    session = cookies.current_session()
    if session is None:
        return
    with looking_up() as tx:
        subject = subjects.by_id(tx, subject_id=session.subject_id)
    if subject is not None:
        show_person(subject.name)
        g.zoneinfo = subject.zoneinfo
        g.not_you_url = url_for("sign_in.not_you", txn=txn)


def brand(party: RelyingParty | None) -> None:
    """Show this response's page as `party`'s."""
    g.party = party


def onward(txn: UUID) -> ResponseReturnValue:
    """Back to the dispatcher, the only one who knows which page comes next."""
    return redirect(url_for("sign_in.resume", txn=txn), 303)
