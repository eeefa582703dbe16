"""Shows what the opened invitation offers, and says its yes in the transaction of the ceremony's end (EN-13)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from idp.affiliations.invitations import service as invitations
from idp.affiliations.invitations.service import Offer
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.accept.declared import DECLARED
from idp.enrollment.steps.accept.rules import Reason
from idp.sessions.cookies import browser_digest
from idp.vocabulary.refused import Refused

OPEN_THE_LINK = _("Open the link in your invitation mail first, in this browser. Each link works once.")


class Accept(Step):
    """B7, E10."""

    declared = DECLARED

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        return {"offer": _offer(tx, at)}

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        offer = _offer(tx, at)
        if offer is None:
            return Wrong(Reason.NO_INVITATION, problem=OPEN_THE_LINK)
        return Kept({"invitation": str(offer.id), "told": {"target": offer.target_name}})

    def complete(self, tx: Session, at: At, *, subject_id: str | None) -> Refused | None:
        """Refused for another person, another browser, or an invitation that was taken back meanwhile (AD-12)."""
        kept = at.kept.get(self.declared.name)
        if kept is None or subject_id is None:
            return Refused(Reason.NO_INVITATION)
        outcome = invitations.accept(
            tx,
            invitation_id=UUID(kept["invitation"]),
            browser_digest=browser_digest(),
            subject_id=subject_id,
            now=at.now,
            origin=at.origin,
        )
        return outcome if isinstance(outcome, Refused) else None


def _offer(tx: Session, at: At) -> Offer | None:
    """The invitation of this portal that this browser opened last; one for somebody known is theirs to sign in for."""
    offers = invitations.presented(tx, browser_digest=browser_digest(), now=at.now)
    return next((each for each in offers if each.portal == at.party.client_id and each.subject_id is None), None)
