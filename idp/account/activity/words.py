"""An event in the words of the person it happened to; what is not here is not shown."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.audit.events import Event

DONE: Final[dict[Event, LazyString]] = {
    Event.SIGNED_IN: _("You signed in"),
    Event.SIGNED_OUT: _("You signed out"),
    Event.SESSION_ENDED: _("A session ended"),
    Event.SESSION_LIFTED: _("You proved again that it is you"),
    Event.PASSWORD_CHANGED: _("The password was changed"),
    Event.PASSWORD_RESET_ASKED: _("A new password was asked for by mail"),
    Event.PASSWORD_RESET: _("A new password was set by a mailed link"),
    Event.USER_ID_REMINDED: _("The user ID was mailed"),
    Event.FACTOR_ADDED: _("A way to sign in was added"),
    Event.FACTOR_REMOVED: _("A way to sign in was removed"),
    Event.FACTORS_LOST: _("Lost ways to sign in were removed"),
    Event.FACTOR_RECOVERY_STARTED: _("Recovery of lost ways to sign in was started"),
    Event.FACTOR_RECOVERY_CONFIRMED: _("The payer confirmed who you are, for recovery"),
    Event.FACTOR_RECOVERY_STOPPED: _("Recovery of lost ways to sign in was stopped"),
    Event.RECOVERY_CODES_MADE: _("New recovery codes were made"),
    Event.CODE_SENT: _("A code was sent"),
    Event.PUSH_ASKED: _("Your phone was asked to approve"),
    Event.PUSH_ANSWERED: _("Your phone approved a sign-in"),
    Event.DEVICE_REMEMBERED: _("A browser was remembered"),
    Event.DEVICE_FORGOTTEN: _("A remembered browser was forgotten"),
    Event.DEVICE_COPIED: _("A copy of a remembered browser was noticed"),
    Event.EMAIL_CHANGE_ASKED: _("Another e-mail address was asked for"),
    Event.EMAIL_CHANGED: _("The e-mail address was changed"),
    Event.PHONE_CHANGED: _("The telephone number was changed"),
    Event.CONTACT_RESTORED: _("The former e-mail address or telephone number was put back"),
    Event.MERGE_CODE_MADE: _("A code to bring this account into another was made"),
    Event.PROFILE_CHANGED: _("Name, language or time zone was changed"),
    Event.DATA_DOWNLOADED: _("Your data was downloaded"),
    Event.ACCOUNT_CLOSED: _("The account was closed"),
    Event.ACCOUNT_REOPENED: _("The account was opened again"),
    Event.DISOWNED: _("“This wasn’t me” ended everything"),
    Event.AGREEMENT_ACCEPTED: _("An agreement was accepted"),
    Event.CONSENT_GIVEN: _("An app was given access"),
    Event.CONSENT_REVOKED: _("An app’s access was taken back"),
}
FAILED: Final[dict[Event, LazyString]] = {
    Event.SIGN_IN_REFUSED: _("A sign-in failed"),
    Event.FACTOR_ADDED: _("A way to sign in was not added: its code was not right"),
    Event.PASSWORD_CHANGED: _("A change of the password failed"),
    Event.EMAIL_CHANGE_ASKED: _("Another e-mail address was asked for, and refused"),
    Event.EMAIL_CHANGED: _("A change of the e-mail address failed"),
    Event.PHONE_CHANGED: _("A change of the telephone number failed"),
    Event.ACCOUNT_CLOSED: _("The account was to be closed, and was not"),
    Event.CODE_SENT: _("A code was not sent: too many were asked for"),
    Event.PUSH_ASKED: _("Your phone was not asked: too much was asked of it"),
    Event.PUSH_ANSWERED: _("A sign-in was not approved on your phone"),
}
