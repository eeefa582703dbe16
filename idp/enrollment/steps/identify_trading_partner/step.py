"""The pair is held against the roster; which of the two was wrong is never said."""

from typing import Annotated, Any

from flask_babel import lazy_gettext as _
from pydantic import Field
from sqlalchemy.orm import Session

from idp.affiliations.registering.service import Proof
from idp.directory.matching import service as matching
from idp.directory.matching.rules import PartnerClaim
from idp.enrollment import claims
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.identify_trading_partner.declared import DECLARED
from idp.foundation.parsing import Form
from idp.vocabulary.refused import Refused


class TradingPartnerForm(Form):
    """A2: the qualifier is the trading partner ID."""

    zip_code: Annotated[str, Field(min_length=1, max_length=16)]
    trading_partner_id: Annotated[str, Field(min_length=1, max_length=32)]


class IdentifyTradingPartner(Step):
    """A2."""

    declared = DECLARED
    sentences = {
        "zip_code": _("Enter the ZIP code of the trading partner."),
        "trading_partner_id": _("Enter the trading partner ID."),
    }

    def form(self, at: At) -> type[Form]:
        return TradingPartnerForm

    def reserve(self, tx: Session, form: Any, at: At) -> Refused | None:
        return claims.count(tx, at, (form.trading_partner_id,))

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        claim = PartnerClaim(trading_partner_id=form.trading_partner_id, zip_code=form.zip_code)
        found = matching.match_trading_partner(tx, claim, registry=claims.registry_of(at))
        if isinstance(found, Refused):
            return claims.no_match(found)
        claims.matched(tx, at, (form.trading_partner_id,))
        return Kept(claims.partner_target(found.partner, at=at))

    def proof(self, at: At) -> Proof | None:
        return claims.proof_of(at.kept.get(self.declared.name))
