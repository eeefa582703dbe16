"""The person leaves for the set-up page and comes back by the sign-in; holding a factor is all that counts here.

Whoever came from a provider whose connection spares our factor would never be asked for one: nor are they here.
"""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.rules import working
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.set_up_mfa.declared import DECLARED
from idp.enrollment.steps.set_up_mfa.rules import Reason

SET_UP_FIRST = _("Set up at least one way to show that it is you, then go on.")


class SetUpMfa(Step):
    """C4."""

    declared = DECLARED

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        return {"client_id": at.party.client_id}

    def met_by(self, tx: Session, at: At) -> bool:
        return _holds(tx, at)

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        if not _holds(tx, at):
            return Wrong(Reason.NOTHING_SET_UP, problem=SET_UP_FIRST, audited=False)
        return Kept()


def _holds(tx: Session, at: At) -> bool:
    """Whether the person holds a factor that the portal takes of anybody, or brought one whose connection spares ours."""
    assert at.subject is not None
    if at.spared:
        return True
    kinds = at.party.manifest.mfa.kinds
    return any(each.kind in kinds for each in working(factors.held(tx, subject_id=at.subject.id)))
