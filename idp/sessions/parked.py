"""The parked sign-in behind a step's page: whose it is, how it is branded, and the way back to the dispatcher."""

from dataclasses import dataclass
from uuid import UUID

from flask import g, redirect, url_for
from flask.typing import ResponseReturnValue

from idp.foundation import clock
from idp.foundation.database import reading
from idp.foundation.pages import allow_form_to
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import cookies, transactions
from idp.sessions.rules import TransactionFacts
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Parked:
    """A transaction of this browser and the portal whose request it is; `party` is `None` for our own pages."""

    transaction: TransactionFacts
    party: RelyingParty | None


def at_step(txn: UUID, *, step: str) -> Parked | None:
    """The transaction, if it is this browser's and awaits `step`; else `None`: the dispatcher knows what is next."""
    parked = of_this_browser(txn)
    return parked if parked is not None and parked.transaction.awaiting == step else None


def of_this_browser(txn: UUID | None) -> Parked | None:
    """The transaction, if this browser started it and it still runs; its portal then brands the page."""
    if txn is None:
        return None
    with reading() as tx:
        facts = transactions.load(tx, txn=txn, browser_digest=cookies.browser_digest(), now=clock.now())
    if isinstance(facts, Refused):
        return None
    party = relying_parties.find(facts.client_id) if facts.client_id else None
    brand(party)
    g.ui_locales = facts.request.get("ui_locales") or ""
    if facts.request.get("redirect_uri"):
        allow_form_to(str(facts.request["redirect_uri"]))
    return Parked(facts, party)


def brand(party: RelyingParty | None) -> None:
    """Show this response's page as `party`'s."""
    g.party = party


def onward(txn: UUID) -> ResponseReturnValue:
    """Back to the dispatcher, the only one who knows which page comes next."""
    return redirect(url_for("sign_in.resume", txn=txn), 303)
