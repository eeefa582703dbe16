"""The sentences of the passkey pages, each reason worded once."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.authenticators.webauthn.rules import Reason

NOT_TAKEN: Final = _("This passkey could not be used. Try again, or use another way to sign in.")
"""For everything that is wrong with an answer or an account, alike (SI-01)."""
STOPPED: Final = _(
    "This passkey is stopped, because a copy of it may be in use. Use another way to sign in, and remove it from your account."
)
NOT_MADE: Final = _("The passkey could not be saved. Nothing was changed. Please try again.")
MALFORMED: Final = _("This form could not be read. Please try again.")
MAKING: Final[dict[Reason, LazyString]] = {
    Reason.TAKEN: _("This passkey is already in use. Choose another device or security key."),
    Reason.BAD_NAME: _("Give the passkey a name of 1 to 60 characters."),
}


def using(reason: object) -> LazyString:
    """The sentence for a passkey that was not taken; only its holder learns that a key is stopped."""
    return STOPPED if reason in {Reason.STOPPED, Reason.COUNTER_WENT_BACK} else NOT_TAKEN


def making(reason: object) -> LazyString:
    """The sentence for a passkey that was not made."""
    return MAKING.get(reason, NOT_MADE) if isinstance(reason, Reason) else NOT_MADE


def first_name(number: int) -> LazyString:
    """What a new passkey is called until the person says otherwise."""
    return _("Passkey %(number)s", number=number)
