"""The letter's sentences, and those for whoever prints it (operators read English, as with all commands)."""

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _

from idp.affiliations.letters.rules import LONGEST, NoPortal
from idp.directory.letters.rules import Unsendable

HEADING: Final = _("Your PIN for %(portal)s")
INTRO: Final = _(
    "With this Login ID and PIN, %(provider)s can set up an account at %(portal)s. Whoever uses them becomes its account"
    " manager and decides who else may act for it, so give this letter only to the person who is to do that."
)
LOGIN_ID: Final = _("Login ID")
PIN: Final = _("Personal Identification Number (PIN)")
SPELLED: Final = _("Read aloud: %(spelled)s")
CAPITAL: Final = _("capital %(letter)s")
SMALL: Final = _("small %(letter)s")
UNTIL: Final = _("It works once, until %(moment)s.")
WHAT_TO_DO: Final = _("What to do")
STEP_ADDRESS: Final = _("Type this address into your browser:")
STEP_ENTER: Final = _(
    "Enter the Login ID and the PIN exactly as they are printed here. Capital and small letters differ."
)
STEP_ACCOUNT: Final = _(
    "Choose a user name and a password, and follow the page to its end. We then send you a mail: open the link in it."
)
KEEP: Final = _("Keep it to yourself")
SHARE: Final = _(
    "Do not share, copy or photograph this letter. We never ask for your PIN by telephone, in a mail or in a message."
)
REPLACES: Final = _(
    "This letter replaces every earlier one, whose PIN no longer works. Destroy it when your account is set up."
)
HELP: Final = _("Questions, or is this letter not meant for you? Call %(phone)s.")
HELP_HOURS: Final = _("Questions, or is this letter not meant for you? Call %(phone)s (%(hours)s).")
REFERENCE: Final = _("Letter %(reference)s")

UNSENDABLE: Final[Mapping[Unsendable, str]] = {
    Unsendable.MALFORMED: "A provider ID has 6 or 9 digits, leading zeros included.",
    Unsendable.UNKNOWN: "The registry has no provider with this ID.",
    Unsendable.NOT_IN_FORCE: "The provider is not in force today: a letter would be of no use.",
    Unsendable.TWICE: "The provider is asked for twice; one letter is printed.",
    Unsendable.ADDRESS: f"Street and city are printable text of at most {LONGEST} characters.",
}
NO_PORTAL: Final[Mapping[NoPortal, str]] = {
    NoPortal.NONE: "No portal has a ceremony with the step pin_letter; apply a manifest with one first.",
    NoPortal.SEVERAL: "Several portals ask for PIN letters. Say which: --portal one of",
    NoPortal.NOT_ONE: "That is not a portal with the step pin_letter in one of its ceremonies.",
    NoPortal.OTHER_REGISTRY: "That portal belongs to another registry.",
}
