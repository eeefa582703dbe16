"""What the authenticators need of rooms above them (`idp.authenticators.upstairs`)."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.rules import Held
from idp.authenticators.upstairs import IsStaff, Upstairs
from idp.consent import service as consents
from idp.federation import arrivals, homes, links
from idp.oidc import authorize
from idp.relying_parties import service as relying_parties
from idp.relying_parties.manifest import Portal
from idp.sign_in import service as sign_in
from idp.vocabulary.affiliation import TargetKind


def upstairs(*, is_staff: IsStaff) -> Upstairs:
    """For `create_app` to furnish; who is staff is the console's to know."""
    return Upstairs(
        portals_held=portals_held,
        accept_terms=consents.accept_terms,
        remembered_for=sign_in.remembered_for,
        go_on=authorize.go_on,
        joined=arrivals.joined,
        is_staff=is_staff,
        unlink_since=links.remove_since,
        spares_at=homes.spares_at,
    )


def portals_held(tx: Session, *, subject_id: str, now: datetime) -> frozenset[str]:
    """Portals that serve what one of the person's affiliations points at, in that registry (MODEL §4)."""
    held = affiliations.held(tx, subject_id=subject_id, now=now)
    parties = relying_parties.every().values()
    return frozenset(
        party.client_id
        for party in parties
        if party.portal is not None and any(serves(party.portal, each) for each in held)
    )


def serves(portal: Portal, held: Held) -> bool:
    """Whether the portal acts for this kind of target; for a practice's providers it does too (MODEL §5)."""
    if portal.registry != held.registry:
        return False
    kind = held.target.kind
    return kind in portal.acting_for or (kind is TargetKind.PRACTICE and TargetKind.PROVIDER in portal.acting_for)
