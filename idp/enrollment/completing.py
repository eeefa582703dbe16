"""The last proof was given: access or a request, and all that the steps have kept, in one transaction or not at all."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from idp.affiliations.registering import service as registering
from idp.affiliations.registering.service import Proof, Registered
from idp.audit import service as audit
from idp.audit.events import Event
from idp.enrollment import runs
from idp.enrollment.again import service as again
from idp.enrollment.behaviours import behaviour_of
from idp.enrollment.ceremonies import is_again
from idp.enrollment.declared import Thing
from idp.enrollment.place import Place
from idp.enrollment.rules import LINK_STEP
from idp.foundation import house
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings
from idp.vocabulary.refused import Refused

REQUESTED: Final = "requested"
ACTIVE: Final = "active"


class Undone(Exception):
    """Something refused half way: everything of the ceremony's end is taken back."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.reason.value)
        self.refused = refused


def complete(tx: Session, place: Place, *, ended_early: bool = False) -> Refused | None:
    """Let it happen and end the run; a refusal leaves it as it was, audited."""
    visit, run = place.visit, place.run
    assert run is not None, "only what was begun is completed"
    subject_id = place.subject.id if place.subject is not None else None
    try:
        with tx.begin_nested():
            outcome, told = _happen(tx, place, subject_id)
            runs.finish(tx, run, outcome=outcome, told=told, now=visit.now)
            _tell(tx, place, outcome, told)
    except Undone as undone:
        _audit(tx, place, outcome=undone.refused.reason.value, subject_id=subject_id)
        return undone.refused
    _audit(tx, place, outcome="ok", subject_id=subject_id, came_of_it=outcome, early=ended_early)
    return None


def landing(party: RelyingParty) -> str:
    """Where a ceremony ends: the portal starts a sign-in, which finds the session (OIDC Core §4)."""
    uri = party.absolute(party.registration.initiate_login_uri or "/")
    return f"{uri}{'&' if '?' in uri else '?'}iss={house.get(Settings).issuer}"


def _happen(tx: Session, place: Place, subject_id: str | None) -> tuple[str, dict[str, Any]]:
    """First who may act for whom (it locks the practice), then what else the steps have kept."""
    told: dict[str, Any] = {}
    if is_again(place.visit.ceremony):
        return _take_factors_away(tx, place), told
    outcome = REQUESTED if _only_asks(place) else ACTIVE
    proof = _proof(place)
    if proof is not None and subject_id is not None:
        visit = place.visit
        made = registering.register(
            tx, subject_id=subject_id, party=visit.party, proof=proof, now=visit.now, origin=visit.origin
        )
        if isinstance(made, Refused):
            raise Undone(made)
        outcome = made.outcome.value
        told |= _told(made)
    for page in place.pages:
        for use in page.uses:
            at = place.at(use)
            refused = behaviour_of(use.name).complete(tx, at, subject_id=subject_id)
            if refused is not None:
                raise Undone(refused)
            told |= dict(at.kept.get(use.name, {}).get("told", {}))
    return outcome, told


def _take_factors_away(tx: Session, place: Place) -> str:
    """Evidence brought again makes nothing: it ends the recovery of this browser (RC-22)."""
    assert place.subject is not None, "it is begun for somebody"
    visit = place.visit
    refused = again.happen(
        tx,
        _proof(place),
        browser_digest=visit.browser_digest,
        subject_id=place.subject.id,
        now=visit.now,
        origin=visit.origin,
    )
    if refused is not None:
        raise Undone(refused)
    return again.REMOVED


def _only_asks(place: Place) -> bool:
    """Whether the ceremony gives nothing by itself: a manager decides (B5)."""
    return any(Thing.REQUEST in use.declared.gives for page in place.pages for use in page.uses)


def _proof(place: Place) -> Proof | None:
    """What the step that gives the target has proven; a ceremony has one such step."""
    for page in place.pages:
        for use in page.uses:
            if Thing.TARGET in use.declared.gives:
                proof: Proof | None = behaviour_of(use.name).proof(place.at(use))
                if proof is not None:
                    return proof
    return None


def _told(made: Registered) -> dict[str, Any]:
    return {
        "account_manager": made.account_manager,
        "request_id": str(made.request_id) if made.request_id is not None else None,
    }


def _tell(tx: Session, place: Place, outcome: str, told: Mapping[str, Any]) -> None:
    """The confirmation with the registration's information (A10), or a welcome to somebody known (X4)."""
    subject, run, visit = place.subject, place.run, place.visit
    if subject is None or run is None or outcome in {REQUESTED, again.REMOVED}:
        return
    context = {"target": told.get("target"), "number": told.get("number"), "url": landing(visit.party)}
    new = LINK_STEP in run.done
    if new:
        context |= {
            "display_name": subject.name,
            "user_id": subject.user_id,
            "pending": outcome == "verification_pending",
        }
    notices.notify(
        tx,
        notice="registration_confirmed" if new else "welcome",
        subject=subject,
        party=visit.party,
        context=context,
        now=visit.now,
    )


def _audit(tx: Session, place: Place, *, outcome: str, subject_id: str | None, **details: object) -> None:
    visit = place.visit
    audit.append(
        tx,
        Event.ENROLLMENT_COMPLETED,
        now=visit.now,
        actor=subject_id or "anonymous",
        origin=visit.origin,
        outcome=outcome,
        subject_id=subject_id,
        client_id=visit.party.client_id,
        details={"ceremony": visit.ceremony, **details},
    )
