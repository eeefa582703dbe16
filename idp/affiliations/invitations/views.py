"""The pages of an invitation: what it offers, how to go on, and the yes of who is signed in (B7, E5, EN-13)."""

import re
from typing import Final
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from sqlalchemy.orm import Session

from idp.affiliations.invitations import service, words
from idp.affiliations.invitations.forms import TOKEN_PATTERN, NoFields, OpenForm
from idp.affiliations.invitations.service import Accepted, Offer
from idp.foundation import clock, error_pages, house, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.pages import show_person
from idp.foundation.parsing import FormErrors
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import parked as pages
from idp.sessions.cookies import browser_digest, current_session
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.refused import Refused

bp = Blueprint("invitations", __name__)

_TOKEN: Final = re.compile(TOKEN_PATTERN, re.ASCII)
CEREMONY: Final = "invited"


@bp.get("/invitation")
@route_policy(auth="none")
def show() -> ResponseReturnValue:
    """What the link offers; opening it changes nothing (a mail scanner may)."""
    token = request.args.get("token", "")
    if not _TOKEN.match(token):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    with reading() as tx:
        offer = service.look(tx, token, now=clock.now())
    if isinstance(offer, Refused):
        return error_pages.show(error_pages.Kind.EXPIRED_LINK)
    return render_template("affiliations/invitations/show.html", token=token, offer=offer, labels=_labels(offer))


@bp.post("/invitation")
@route_policy(auth="none", bucket="recovery")
def open_link() -> ResponseReturnValue:
    """Go on: signed in to the yes itself, else to signing in or registering."""
    form = parsing.form(OpenForm, request.form)
    if isinstance(form, FormErrors):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    offer = service.present(form.token, browser_digest=browser_digest(), now=clock.now(), origin=origin())
    if isinstance(offer, Refused):
        return error_pages.show(error_pages.Kind.EXPIRED_LINK)
    if current_session() is not None:
        return redirect(url_for("invitations.mine"), 303)
    party = _party(offer)
    registers = offer.subject_id is None and party is not None and CEREMONY in party.manifest.enrollment
    return render_template(
        "affiliations/invitations/go_on.html",
        offer=offer,
        sign_in_url=url_for("sign_in.own", to="invitations.mine", at=offer.portal),
        register_url=f"/enroll/{offer.portal}/{CEREMONY}/" if registers else None,
    )


@bp.get("/invitations")
@route_policy(auth="session")
def mine() -> ResponseReturnValue:
    """The invitations that this browser opened, for who is signed in."""
    if current_session() is None:
        return redirect(url_for("sign_in.own", to="invitations.mine"), 303)
    return _mine_page()


@bp.post("/invitations/<uuid:invitation_id>/accept")
@route_policy(auth="session", bucket="recovery")
def accept(invitation_id: UUID) -> ResponseReturnValue:
    """Say yes."""
    session = current_session()
    if session is None:
        return redirect(url_for("sign_in.own", to="invitations.mine"), 303)
    if isinstance(parsing.form(NoFields, request.form), FormErrors):
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    with writing() as tx:
        outcome = service.accept(
            tx,
            invitation_id=invitation_id,
            browser_digest=browser_digest(),
            subject_id=session.subject_id,
            now=clock.now(),
            origin=origin(),
        )
    match outcome:
        case Accepted():
            return _done(outcome)
        case Refused(reason):
            return _mine_page(problem=words.REASONS[reason]), 409  # type: ignore[index]


def _mine_page(*, problem: LazyString | None = None) -> str:
    with reading() as tx:
        _name_the_person(tx)
        offers = service.presented(tx, browser_digest=browser_digest(), now=clock.now())
    if offers:
        _party(offers[0])
    return render_template(
        "affiliations/invitations/mine.html",
        offers=[(offer, _labels(offer, brand=False)) for offer in offers],
        problem=problem,
    )


def _done(outcome: Accepted) -> str:
    party = relying_parties.find(outcome.portal)
    pages.brand(party)
    with reading() as tx:
        _name_the_person(tx)
    return render_template(
        "affiliations/invitations/accepted.html",
        target=outcome.target_name,
        url=None if party is None else _landing(party),
    )


def _landing(party: RelyingParty) -> str:
    """The portal starts a sign-in, which finds the session (OIDC Core §4)."""
    uri = party.absolute(party.registration.initiate_login_uri or "/")
    return f"{uri}{'&' if '?' in uri else '?'}iss={house.get(Settings).issuer}"


def _party(offer: Offer) -> RelyingParty | None:
    party = relying_parties.find(offer.portal)
    pages.brand(party)
    return party


def _labels(offer: Offer, *, brand: bool = True) -> list[object]:
    party = _party(offer) if brand else relying_parties.find(offer.portal)
    known = {} if party is None else {level.key: level.label for level in party.manifest.levels}
    return [known[key] for key in offer.levels if key in known]


def _name_the_person(tx: Session) -> None:
    session = current_session()
    subject = subjects.by_id(tx, subject_id=session.subject_id) if session is not None else None
    if subject is not None:
        show_person(subject.name)
        g.zoneinfo, g.locale = subject.zoneinfo, subject.locale
