"""The sentences of the pages that bring two accounts together."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.account.merging.rules import Reason
from idp.affiliations.uniting.rules import Reason as Access
from idp.affiliations.uniting.rules import Way

REASONS: Final[dict[Reason | Access, LazyString]] = {
    Reason.NOT_RIGHT: _(
        "The user ID or password is not right. After five wrong tries you have to wait 15 minutes, or reset your "
        "password."
    ),
    Reason.SAME_ACCOUNT: _("That is the account in which you are signed in already."),
    Reason.SECOND_FACTOR: _(
        "That account asks for a second factor. Sign in to it in another browser, open “I have another account” there, "
        "have a code shown, and type it here."
    ),
    Reason.TEMPORARY_PASSWORD: _("That account has a temporary password. Sign in to it once and change it first."),
    Reason.STAFF: _("That account holds a staff role, which an administrator takes first."),
    Reason.ADDRESS_CHANGED: _(
        "The e-mail address of that account was changed within the last seven days. Until that can no longer be undone, "
        "the account stays by itself."
    ),
    Reason.OUTDATED: _(
        "Something changed meanwhile, the time is up, or this is not the browser in which you began. Please start "
        "again."
    ),
    Reason.TOO_MANY_MAILS: _("We have written to that account several times by now. Please wait an hour."),
    Access.WOULD_BECOME_MANAGER: _(
        "Together the two accounts would make you an account manager, which neither of them is. Please call the help "
        "line."
    ),
    Access.DIFFERENT_DATES: _(
        "Both accounts may act for the same provider or practice, until different days. Please call the help line."
    ),
}
WAYS: Final[dict[Way, LazyString]] = {
    Way.MOVES: _("Comes to this account."),
    Way.UNITED: _("You have access with both accounts: what you may do is put together."),
    Way.REPLACES: _("Comes to this account, in place of what you have there now, which is not active."),
    Way.ENDS: _("Ends. What this account has there stays as it is."),
}
ENTER_LOGIN: Final = _("Enter the user ID or e-mail of the other account.")
ENTER_PASSWORD: Final = _("Enter the password of the other account.")
ANYWHERE: Final = _("Any portal, or I do not know")
