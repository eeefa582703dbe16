"""The door of every manager's page: signed in, strongly enough, and a manager of this target at this portal now."""

from typing import Any, NoReturn
from uuid import UUID

from flask import abort, g, redirect, url_for
from werkzeug.exceptions import HTTPException

from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.rules import is_fresh, kinds_of, to_prove, working
from idp.foundation import clock, house
from idp.foundation.database import reading
from idp.foundation.pages import show_person
from idp.manage import service
from idp.manage.service import Opened
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import cookies
from idp.sessions import parked as pages
from idp.sessions.rules import SessionFacts, is_awake
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.assurance import STRONG
from idp.vocabulary.refused import Refused


class _Elsewhere(HTTPException):
    """Ends the view with a redirect."""


def signed_in(*, at: str | None = None) -> SessionFacts:
    """The session; without one the person signs in first and lands on the start page."""
    session = cookies.current_session()
    if session is None:
        _go(url_for("sign_in.own", to="manage.start", at=at))
    with reading() as tx:
        subject = subjects.by_id(tx, subject_id=session.subject_id)
    if subject is None:
        _go(url_for("sign_in.own", to="manage.start", at=at))
    g.locale, g.zoneinfo = subject.locale, subject.zoneinfo
    show_person(subject.name)
    return session


def enter(client_id: str, target_id: UUID) -> Opened:
    """The opened place; a target that is not theirs is answered like none (404), as is a portal that is none."""
    session, party = signed_in(at=client_id), relying_parties.find(client_id)
    with reading() as tx:
        opened = service.open_place(tx, session=session, party=party, target_id=target_id, now=clock.now())
    if isinstance(opened, Refused):
        abort(404)
    _strong_enough(session, opened.place.party)
    pages.brand(opened.place.party)
    return opened


def _strong_enough(session: SessionFacts, party: RelyingParty) -> None:
    """A strong factor proven in this session, and no pause since (`IDP_SESSION_IDLE_STAFF`; SECURITY rulings 2 and 18; SE-03).

    Whoever holds none sets one up; so does who came by a recovery code, which counts as fresh and for nothing here.
    """
    now = clock.now()
    away = house.get(Settings).session_idle_staff
    if is_awake(session, by=STRONG, away=away, now=now):
        return
    with reading() as tx:
        held = factors.held(tx, subject_id=session.subject_id)
    has_one = not STRONG.isdisjoint(kinds_of(working(held)))
    stale = session.is_back(away=away, now=now) or not is_fresh(session, held=to_prove(held), now=now)
    more: dict[str, Any] = {} if has_one and stale else {"set-up": "1"}
    _go(url_for("sign_in.own", to="manage.start", at=party.client_id, fresh="1", **more))


def _go(address: str) -> NoReturn:
    raise _Elsewhere(response=redirect(address, 303))
