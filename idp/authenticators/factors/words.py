"""What the pages call each kind of factor, and why one was not taken; each reason worded once."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.authenticators.factors.rules import Reason
from idp.vocabulary.assurance import Factor

NAMES: Final[dict[Factor, LazyString]] = {
    Factor.PASSKEY: _("Passkey or security key"),
    Factor.PUSH: _("Approve on your phone"),
    Factor.TOTP: _("Authenticator app"),
    Factor.SMS: _("Text message"),
    Factor.EMAIL: _("E-mail code"),
    Factor.RECOVERY: _("Recovery code"),
    Factor.DEVICE: _("Remembered device"),
}
DESCRIPTIONS: Final[dict[Factor, LazyString]] = {
    Factor.PASSKEY: _("Your fingerprint, face, device PIN or a USB key. Works only at the genuine site."),
    Factor.PUSH: _("We send a request to your phone. You confirm the number you see here."),
    Factor.TOTP: _("A 6-digit code from an app on your phone. Works without a network."),
    Factor.SMS: _("A 6-digit code by SMS. Weaker: a phone number can be taken over."),
    Factor.EMAIL: _("A 6-digit code to your e-mail address. Some pages will ask for more."),
    Factor.RECOVERY: _("One of the codes that you printed or saved. Each works once."),
}
ICONS: Final[dict[Factor, str]] = {
    Factor.PASSKEY: "key",
    Factor.PUSH: "device",
    Factor.TOTP: "grid",
    Factor.SMS: "chat",
    Factor.EMAIL: "mail",
    Factor.RECOVERY: "page",
}
_WAIT: Final = _("Too many wrong codes. Wait 10 minutes, or use another way.")
REASONS: Final[dict[Reason, LazyString]] = {
    Reason.WRONG_CODE: _("This code is not right. Check that it is the newest one, then type it again."),
    Reason.REPLAYED: _("This code was used already. Wait for the next one."),
    Reason.TOO_MANY: _WAIT,
    Reason.BUSY: _("Very many codes are being tried just now. Please wait a few seconds, then type yours again."),
    Reason.HOLDS_ENOUGH: _("You have ten of these already. Remove one first."),
    Reason.LAST_ONE: _("This is your last one, and a portal where you have access asks for it. Add another first."),
    Reason.NONE_LEFT: _("This is your last one. Add another first."),
    Reason.NOT_HELD: _("There is nothing of yours at this address."),
    Reason.BAD_NAME: _("Give it a name of at most 64 characters."),
}
ENTER_CODE: Final = _("Enter the 6-digit code.")
MALFORMED: Final = _("This form could not be read. Please try again.")
