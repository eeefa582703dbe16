"""The link *This wasn't me*, for whatever mail needs one."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from idp.authenticators.alerts.rules import LINK_LIFETIME
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.messaging.rules import Link
from idp.settings import Settings
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.secret import Secret

PATH: Final = "/sign-in/not-me"


def link_for(tx: Session, subject: SubjectFacts, *, now: datetime) -> tuple[Secret, Link]:
    """*This wasn't me*, for a mail about something that happens now; its address, and what is behind it.

    Good whatever happens to the account meanwhile: who came in uninvited may change the password first.
    """
    secret, identity = artefacts.issue(
        tx, kind=Kind.SIGN_IN_ALERT, now=now, lifetime=LINK_LIFETIME, subject_id=subject.id
    )
    return Secret(f"{house.get(Settings).issuer}{PATH}?token={secret.reveal()}"), Link(identity, LINK_LIFETIME)
