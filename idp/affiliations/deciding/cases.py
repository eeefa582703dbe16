"""One act under way: what was asked, by whom, where; and the message to whom it concerns."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import Place
from idp.affiliations.deciding.rules import Act, Actor
from idp.affiliations.models import Affiliation
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import Acting, AffiliationStatus


@dataclass(frozen=True, slots=True)
class Asked:
    """What a manager or registrar asks for; `version` is the one that their page showed."""

    act: Act
    affiliation_id: UUID
    version: int
    levels: tuple[str, ...] = ()
    text: str = ""
    """A comment; of a registrar the reason, whatever they do."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, and to whom."""

    act: Act
    affiliation_id: UUID
    subject_id: str
    before: AffiliationStatus


@dataclass(frozen=True, slots=True)
class Case:
    """An act that the rule judges, or has allowed."""

    place: Place
    actor: Actor
    acting: Acting
    asked: Asked
    now: datetime
    origin: Origin


def tell(tx: Session, case: Case, row: Affiliation, *, notice: str, **more: object) -> None:
    """Write to the person acted on; the message says whether the payer or a manager did it."""
    subject = subjects.by_id(tx, subject_id=row.subject_id)
    if subject is None:
        return
    context = {"target": case.place.target.name, "url": f"{house.get(Settings).issuer}/account/access", **more}
    if case.actor.payer:
        context["by_payer"] = True
    notices.notify(tx, notice=notice, subject=subject, party=case.place.party, context=context, now=case.now)
