"""What each notice was about, in the words of the person who got it; what is not here is not listed."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

ABOUT: Final[dict[str, LazyString]] = {
    "password_reset": _("A link to choose a new password"),
    "password_changed": _("Your password was changed"),
    "user_id_reminder": _("Your user ID"),
    "prove_mailbox": _("A link to prove your e-mail address"),
    "passkey_stopped": _("A passkey was stopped"),
    "factor_added": _("A way to sign in was added"),
    "factor_removed": _("A way to sign in was removed"),
    "factors_lost": _("Your lost ways to sign in were removed"),
    "factor_recovery_started": _("Recovery of lost ways to sign in was started"),
    "factor_recovery_open": _("A link to finish the recovery"),
    "factor_recovery_stopped": _("Recovery of lost ways to sign in was stopped"),
    "factor_failed": _("Somebody failed at your second step"),
    "recovery_code_used": _("A recovery code was used"),
    "recovery_codes_made": _("New recovery codes were made"),
    "new_sign_in": _("A sign-in from a new browser"),
    "device_copied": _("A copy of a remembered browser was noticed"),
    "sign_in_code": _("A code to sign in"),
    "refresh_reused": _("An app’s access was stopped"),
    "registration_confirmed": _("Your registration is complete"),
    "clerk_added": _("An account that was made for you"),
    "registration_link": _("A link to finish your registration"),
    "welcome": _("Access was added to your account"),
    "invitation": _("An invitation"),
    "access_changed": _("Your access was changed"),
    "access_unused": _("Access that you have not used for long"),
    "access_ended": _("Your access ended"),
    "access_requested": _("Somebody asks for access"),
    "access_request_waiting": _("A request for access still waits"),
    "access_request_received": _("Your request for access was received"),
    "access_request_denied": _("Your request for access was denied"),
    "colleague_joined": _("Somebody joined"),
    "verification_wanted": _("Somebody waits to be verified"),
    "verification_lapsed": _("A verification was never decided"),
    "email_changed": _("Your e-mail address was changed"),
    "email_is_yours": _("A new e-mail address is yours"),
    "address_wanted": _("Another account wanted to use your e-mail address"),
    "phone_changed": _("Your telephone number was changed"),
    "confirm_merge": _("A link to make two accounts one"),
    "accounts_merged": _("Two accounts became one"),
    "staff_role": _("A staff role changed"),
}
