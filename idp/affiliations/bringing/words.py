"""The one sentence for each reason why access is not brought from another registry."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.bringing.rules import Reason

_CHANGED: Final = _("This can no longer be used here. What you can do now stands below.")

REFUSED: Final[dict[Reason, LazyString]] = {
    Reason.UNKNOWN: _CHANGED,
    Reason.NOT_ACCEPTED: _CHANGED,
    Reason.NOT_ACTIVE_THERE: _("Your access there is not active now, so it cannot be used here."),
    Reason.ENDS_THERE: _("Your access there ends on a set day, so it cannot be used here."),
    Reason.OTHER_TARGET: _CHANGED,
    Reason.NOT_IN_FORCE: _("The payer’s records no longer list this provider as active. Please call the help line."),
    Reason.WEAK_EVIDENCE: _("This portal asks for stronger proof, such as a letter or the payer’s confirmation."),
    Reason.MANAGED: _("An account manager decides about this here. Please ask them for access."),
    Reason.DECIDED_HERE: _("Your access here was changed or ended by somebody else. Please ask an account manager."),
    Reason.NO_NEED: _CHANGED,
    Reason.NO_LEVEL: _CHANGED,
    Reason.PERSON_NOT_READY: _("Please confirm your e-mail address first."),
}
