"""The mailed link: owed when the ceremony waits for it, opened in a browser, used once.

Whoever has an account already is told so by mail and by nothing else (EN-10, C3). What was typed before the proof
counts only for who knows the password typed then, or comes from the browser where it was typed (RC-19).
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.enrollment.place import Place
from idp.enrollment.runs import Run
from idp.foundation import artefacts, house, limiter
from idp.foundation.artefacts import Kind
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.foundation.vault import blind_index
from idp.keyring.service import Keyring
from idp.messaging.rules import Link
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.rules import Status, SubjectFacts, login_key
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

PATH: Final = "/enroll/link"
ACCOUNT: Final = "create_account"
LINK: Final = "verify_email"
MAILED: Final = Budget(
    name="enrollment_mail",
    limit=5,
    window=timedelta(hours=1),
    lock_first=timedelta(hours=1),
    lock_max=timedelta(hours=1),
)
"""Mails to one address within an hour, whoever types it (RX-10)."""
MAILED_FROM: Final = Budget(
    name="enrollment_mail_from",
    limit=60,
    window=timedelta(hours=1),
    lock_first=timedelta(hours=1),
    lock_max=timedelta(hours=1),
)
"""Mails that one network has sent within an hour, to whomever: nobody writes to strangers through us (EN-16)."""


def send_link(tx: Session, place: Place) -> bool:
    """Owe the mail that continues this run; former links of it are void. `False`: this address had too many lately.

    Whoever has the address already gets another mail at the cost of the same statements (ruling 12).
    """
    run, visit = place.run, place.visit
    assert run is not None, "a link continues what was begun"
    email = str(run.kept[ACCOUNT]["email"])
    if _too_many(tx, email, address=visit.origin.address, now=visit.now):
        _audit(tx, visit.party, run, Event.ENROLLMENT_MAILED, visit.now, visit.origin, outcome="too_many")
        return False
    known = known_at(tx, email)
    artefacts.void(tx, now=visit.now, kind=Kind.EMAIL_PROOF, family=run.id)
    secret, identity = artefacts.issue(
        tx,
        kind=Kind.EMAIL_PROOF,
        now=visit.now,
        lifetime=house.get(Settings).email_link_lifetime,
        family=run.id,
        payload={"run": str(run.id), "mailbox": mark_of(email)},
    )
    url = Secret(f"{house.get(Settings).issuer}{PATH}?token={secret.reveal()}")
    notices.notify_address(
        tx,
        notice="verify_email" if known is None else "already_registered",
        email=email if known is None else known.email or email,
        name="",
        locale=visit.locale if known is None else known.locale,
        zoneinfo=visit.zoneinfo if known is None else known.zoneinfo,
        party=visit.party,
        context={"url": url} | ({"button": _button(place, visit.locale)} if known is None else {}),
        now=visit.now,
        link=Link(identity, house.get(Settings).email_link_lifetime),
    )
    _audit(tx, visit.party, run, Event.ENROLLMENT_MAILED, visit.now, visit.origin)
    return True


def mark_of(email: str) -> str:
    """What a link keeps of the mailbox that it was sent to: it proves that one, and no other typed since (EN-12)."""
    return blind_index(login_key(email), key=house.get(Keyring).index, context="artefact.enrollment_mailbox").hex()


def _too_many(tx: Session, email: str, *, address: str, now: datetime) -> bool:
    """Counted for the mailbox and for the network that asks; whichever is full, the page says what it always says."""
    to = limiter.reserve(tx, budget=MAILED, key=login_key(email), now=now)
    sent_by = limiter.reserve(tx, budget=MAILED_FROM, key=limiter.network_of(address), now=now)
    return isinstance(to, Refused) or isinstance(sent_by, Refused)


def known_at(tx: Session, email: str) -> SubjectFacts | None:
    """Whose mailbox this is already; a claim that was never proven is nobody's."""
    found = subjects.find_by_login(tx, key=login_key(email))
    return found if found is not None and found.status is not Status.UNVERIFIED else None


def _button(place: Place, locale: str) -> str | None:
    options: Any = next(use.options for page in place.pages for use in page.uses if use.name == LINK)
    if options.mail_button is None:
        return None
    return str(options.mail_button.es if locale == "es" else options.mail_button.en)


def _audit(
    tx: Session,
    party: RelyingParty,
    run: Run,
    event: Event,
    now: datetime,
    origin: Origin,
    *,
    outcome: str = "ok",
    subject_id: str | None = None,
) -> None:
    audit.append(
        tx,
        event,
        now=now,
        actor=subject_id or "anonymous",
        origin=origin,
        outcome=outcome,
        subject_id=subject_id,
        client_id=party.client_id,
        details={"ceremony": run.ceremony},
    )
