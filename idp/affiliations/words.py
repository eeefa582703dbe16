"""The one sentence for each reason why an affiliation cannot be used (SECURITY: worded once for page, audit and test)."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.rules import Blocked

BLOCKED: Final[dict[Blocked, LazyString]] = {
    Blocked.VERIFICATION_PENDING: _("Waiting to be verified by an account manager of this practice."),
    Blocked.UNVERIFIED: _("Not finished. Open the link in your registration e-mail to complete it."),
    Blocked.DISABLED_BY_MANAGER: _("Disabled by an account manager. They can enable it again."),
    Blocked.DISABLED_BY_PAYER: _("Disabled by the payer. Please call the help line."),
    Blocked.DORMANT: _("Not used for 90 days. An account manager can enable it again."),
    Blocked.SUSPENDED: _("The payer’s records no longer list this provider as active. Please call the help line."),
    Blocked.NOT_YET: _("Has not started yet."),
    Blocked.ENDED: _("Ended."),
    Blocked.OTHER_KIND: _("Does not apply at this portal."),
    Blocked.WEAK_EVIDENCE: _("This portal asks for stronger proof, such as a letter or the payer’s confirmation."),
    Blocked.NO_LEVEL: _("No access level has been given yet. An account manager can give one."),
}

# The badge's status (empty: a plain one) and its word.
STATUS: Final[dict[Blocked, tuple[str, LazyString]]] = {
    Blocked.VERIFICATION_PENDING: ("verification_pending", _("Verification Pending")),
    Blocked.UNVERIFIED: ("unverified", _("Unverified")),
    Blocked.DISABLED_BY_MANAGER: ("disabled", _("Disabled")),
    Blocked.DISABLED_BY_PAYER: ("disabled", _("Disabled")),
    Blocked.DORMANT: ("disabled", _("Disabled")),
    Blocked.SUSPENDED: ("suspended", _("Suspended")),
    Blocked.NOT_YET: ("", _("Not started")),
    Blocked.ENDED: ("ended", _("Ended")),
    Blocked.OTHER_KIND: ("", _("Not here")),
    Blocked.WEAK_EVIDENCE: ("", _("More proof needed")),
    Blocked.NO_LEVEL: ("", _("No access yet")),
}
