"""The usual sign-in page before Flask: a portal's page as the view rendered it, for another browser's transaction.

The view answers whoever is signed in or brings anything else that the page would show, and renders each page once
(`kept_pages`); here the same transaction is read in the same way, and only what moves is filled in.
"""

import re
from typing import Final
from uuid import UUID

from flask import Flask

from idp.authenticators.password import service
from idp.authenticators.password.views import PAGE, hint, shown_to_all
from idp.foundation import clock, csrf_tokens, i18n, kept_pages, pages
from idp.foundation.artefacts import digest_of
from idp.foundation.database import looking_up
from idp.foundation.short_cuts import Asked, FallThrough, Page, Told, in_a_thread, sent_cookies
from idp.relying_parties import service as relying_parties
from idp.sessions import cookies, transactions
from idp.sessions.parked import Parked
from idp.sessions.rules import TransactionFacts
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

ROUTE: Final = "/sign-in/<uuid:txn>/password"
_ADDRESS: Final = re.compile(r"/sign-in/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})/password", re.ASCII)
_HTML: Final = ("Content-Type", "text/html; charset=utf-8")


def of(app: Flask) -> Page:
    """The short cut of this room."""
    return Page(ROUTE, _ADDRESS, in_a_thread(app, _page))


def _page(asked: Asked) -> Told:
    sent = sent_cookies(asked)
    browser = cookies.known_browser(sent)
    if browser is None:
        raise FallThrough
    parked = _parked(UUID(asked.part), browser)
    request = parked.transaction.request
    wish = i18n.as_wish(request.get("ui_locales") or "")
    accepted = i18n.accepted(asked.headers.get("accept-language", ""))
    code = i18n.choose(wish=wish, cookie=sent.get(i18n.COOKIE, ""), accepted=accepted)
    shown = {"username": "", "kept": False, **shown_to_all(parked, code=code), "site_key": None}
    key = kept_pages.key_of(
        PAGE,
        txn=asked.part,
        path=asked.path,
        language=code,
        wish=i18n.wished(wish) or "",
        party=parked.party,
        shown=shown,
    )
    page = kept_pages.find(key, txn=asked.part, token=csrf_tokens.of(cookies.csrf_secret(browser)))
    if page is None:
        raise FallThrough
    target = pages.form_target(str(request["redirect_uri"])) if request.get("redirect_uri") else None
    policy = pages.page_policy((target,) if target is not None else ())
    return 200, (_HTML, ("Content-Security-Policy", policy)), page.encode()


def _parked(txn: UUID, browser: Secret) -> Parked:
    """This browser's sign-in at a portal, where it awaits a password and nothing was typed or told before."""
    with looking_up() as tx:
        facts = transactions.load(tx, txn=txn, browser_digest=digest_of(browser.reveal()), now=clock.now())
    if isinstance(facts, Refused) or not _is_usual(facts):
        raise FallThrough
    party = relying_parties.find(facts.client_id) if facts.client_id else None
    if party is None:
        raise FallThrough
    return Parked(facts, party)


def _is_usual(facts: TransactionFacts) -> bool:
    return facts.awaiting == service.STEP and facts.login is None and not hint(facts)
