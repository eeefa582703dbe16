"""Tax ID and ZIP code are held against the practice, or against the one provider record that was picked."""

from typing import Annotated, Any
from uuid import UUID

from flask_babel import lazy_gettext as _
from pydantic import Field
from sqlalchemy.orm import Session

from idp.affiliations.registering.service import Proof
from idp.directory import service as directory
from idp.directory.matching import service as matching
from idp.directory.matching.rules import (
    Ambiguous,
    GroupClaim,
    PracticeClaim,
    PractitionerClaim,
    ProviderMatch,
)
from idp.directory.rules import ProviderType
from idp.enrollment import claims
from idp.enrollment.claims import Differs
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.claim_practice.declared import DECLARED, PICKED
from idp.foundation.parsing import Form
from idp.vocabulary.refused import Refused


class PracticeForm(Form):
    """E0."""

    tin: Annotated[str, Field(min_length=1, max_length=16, repr=False)]
    zip_code: Annotated[str, Field(min_length=1, max_length=16)]


class ClaimPractice(Step):
    """E0."""

    declared = DECLARED
    sentences = {"tin": _("Enter the Tax ID (TIN)."), "zip_code": _("Enter a ZIP code of the practice.")}

    def form(self, at: At) -> type[Form]:
        return PracticeForm

    def reserve(self, tx: Session, form: Any, at: At) -> Refused | None:
        return claims.count(tx, at, (form.tin,))

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        picked = at.kept.get(PICKED)
        found = _practice(tx, form, at) if picked is None else _picked(tx, form, at, UUID(picked["provider"]))
        if isinstance(found, Refused):
            return claims.no_match(found)
        claims.matched(tx, at, (form.tin,))
        return Kept(found)

    def proof(self, at: At) -> Proof | None:
        return claims.proof_of(at.kept.get(self.declared.name))


def _practice(tx: Session, form: Any, at: At) -> dict[str, Any] | Refused:
    claim = PracticeClaim(tin=form.tin, zip_code=form.zip_code)
    found = matching.match_practice(tx, claim, registry=claims.registry_of(at), now=at.now)
    return found if isinstance(found, Refused) else claims.practice_target(found.practice, at=at)


def _picked(tx: Session, form: Any, at: At, identity: UUID) -> dict[str, Any] | Refused:
    """The picked record itself, by its number; another record of the same Tax ID proves nothing."""
    record = directory.provider(tx, identity)
    if record is None or record.registry != claims.registry_of(at):
        return Refused(Differs.NO_LONGER_FOUND)
    typed = {"tin": form.tin, "zip_code": form.zip_code, "provider_id": record.provider_id}
    found: Any
    if record.provider_type == ProviderType.PRACTITIONER:
        found = matching.match_practitioner(tx, PractitionerClaim(**typed), registry=record.registry, now=at.now)
    else:
        found = matching.match_group(tx, GroupClaim(**typed), registry=record.registry, now=at.now)
    if isinstance(found, Refused | Ambiguous):
        return found if isinstance(found, Refused) else Refused(Differs.OTHER_PROVIDER)
    met = (found.provider,) if isinstance(found, ProviderMatch) else found.records
    return (
        claims.provider_target(record, at=at)
        if record.id in {each.id for each in met}
        else Refused(Differs.OTHER_PROVIDER)
    )
