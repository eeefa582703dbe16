"""What staff roles and refusals are called."""

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _

from idp.console.staff.rules import Reason
from idp.vocabulary.staff import StaffRole

ROLES: Final[Mapping[StaffRole, object]] = {
    StaffRole.REGISTRAR: _("Registrar"),
    StaffRole.HELP_DESK: _("Help desk"),
    StaffRole.AUDITOR: _("Auditor"),
    StaffRole.ADMINISTRATOR: _("Administrator"),
}
ROLE_NOTES: Final[Mapping[StaffRole, object]] = {
    StaffRole.REGISTRAR: _("Verifies first registrants and decides requests that nobody else can."),
    StaffRole.HELP_DESK: _("Helps people who call: starts recovery, shuts a stolen account."),
    StaffRole.AUDITOR: _("Reads everything that happened, and changes nothing."),
    StaffRole.ADMINISTRATOR: _("Keeps portals, keys, messages and staff roles."),
}
REASONS: Final[Mapping[Reason, object]] = {
    Reason.NOT_STAFF: _("This place is for the payer’s staff."),
    Reason.NOT_ALLOWED: _("Your role does not allow that."),
    Reason.NOT_FRESH: _("Prove yourself once more first."),
    Reason.UNKNOWN_PERSON: _("Nobody has that user ID or e-mail address."),
    Reason.NOT_ACTIVE: _("That account is not active."),
    Reason.SELF: _("Nobody gives or takes a role of their own. Ask another administrator."),
    Reason.PROPOSED_IT: _("You proposed it. Another administrator has to confirm."),
    Reason.HELD_ALREADY: _("They have that role already."),
    Reason.PROPOSED_ALREADY: _("That role has been proposed for them already."),
    Reason.NOT_HELD: _("They do not have that role."),
    Reason.GONE: _("That proposal no longer waits."),
    Reason.PROPOSER_LEFT: _("Who proposed it is no longer an administrator. Propose it anew."),
    Reason.LAST_ADMINISTRATOR: _("That is the last administrator. Give the role to somebody else first."),
    Reason.TWO_DECIDE: _(
        "There are two administrators: they give roles in the console, one proposes and the other confirms."
    ),
    Reason.NO_REASON: _("Say why they need the role."),
}
SAVED: Final[Mapping[str, object]] = {
    "proposed": _("Proposed. The other administrators were mailed; one of them has to confirm within three days."),
    "confirmed": _("Confirmed. The role works from their next page on."),
    "declined": _("The proposal is closed."),
    "taken": _("The role was taken back. It is gone from their next page on."),
}
