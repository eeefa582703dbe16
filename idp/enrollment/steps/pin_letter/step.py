"""The pair is tried within the letters' own limits; only the PIN's digest is kept, and it is used up at the end."""

from typing import Annotated, Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from pydantic import Field
from sqlalchemy.orm import Session

from idp.affiliations.pins import service as pins
from idp.affiliations.pins.rules import Reason
from idp.affiliations.pins.words import REASONS
from idp.affiliations.registering.service import Proof
from idp.enrollment import claims
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.pin_letter.declared import DECLARED
from idp.foundation.parsing import Form
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


class LetterForm(Form):
    """D2: *Login ID* is the provider ID; the PIN is taken as it stands, blanks around it excepted."""

    login_id: Annotated[str, Field(min_length=1, max_length=16)]
    pin: Annotated[str, Field(min_length=1, max_length=64, repr=False)]


class PinLetter(Step):
    """D2."""

    declared = DECLARED
    secrets = frozenset({"pin"})
    sentences = {
        "login_id": _("Enter the Login ID from your letter."),
        "pin": _("Enter the Personal Identification Number from your letter."),
    }

    def form(self, at: At) -> type[Form]:
        return LetterForm

    def reserve(self, tx: Session, form: Any, at: At) -> Refused | None:
        """The letters' own limits, which audit for themselves."""
        refused = pins.reserve(tx, party=at.party, provider_id=form.login_id.strip(), origin=at.origin, now=at.now)
        return None if refused is None else Wrong(refused.reason, problem=_sentence(refused), audited=False)

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        found = pins.check_pin(
            tx,
            party=at.party,
            provider_id=form.login_id.strip(),
            pin=Secret(form.pin.strip()),
            origin=at.origin,
            now=at.now,
        )
        if isinstance(found, Refused):
            return Wrong(found.reason, problem=_sentence(found), audited=False)
        return Kept({**claims.provider_target(found.provider, at=at), "pin_digest": found.pin_digest.hex()})

    def proof(self, at: At) -> Proof | None:
        return claims.proof_of(at.kept.get(self.declared.name), evidence=Evidence.LETTER)


def _sentence(refused: Refused) -> LazyString:
    return REASONS[Reason(refused.reason)]
