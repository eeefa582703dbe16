"""A manager's browser: signed in, and a strong factor proven in this session, as `/manage` asks."""

from flask.testing import FlaskClient
from sqlalchemy import select

from idp.foundation import clock
from idp.foundation.database import writing
from idp.sessions.models import BrowserSession
from idp.subjects.models import Subject
from tests.authenticators.browsing import signed_in


def at_desk(browser: FlaskClient, login: str) -> FlaskClient:
    """Signed in by password and, so the session says, by an authenticator app."""
    signed_in(browser, login)
    prove(login, "totp")
    return browser


def prove(login: str, kind: str) -> None:
    """Every session of this person says that the factor was proven just now."""
    with writing() as tx:
        theirs = select(BrowserSession).join(Subject, Subject.id == BrowserSession.subject_id)
        for session in tx.scalars(theirs.where(Subject.user_id == login)):
            session.proven = {**(session.proven or {}), kind: clock.now().isoformat()}
