"""What a registrar reads of each act on access: its button, what it will do, what was done, and why something was not."""

from dataclasses import dataclass
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.deciding.rules import Act
from idp.affiliations.deciding.rules import Reason as ActReason
from idp.affiliations.invitations.rules import Reason as InvitationReason
from idp.affiliations.invitations.words import REASONS as INVITATION_REASONS
from idp.console.registrar.rules import Reason as Own
from idp.console.registrar.words import REASONS as OWN
from idp.manage.words import REASONS as MANAGERS


@dataclass(frozen=True, slots=True)
class KeepWords:
    """One act."""

    button: LazyString
    question: LazyString
    consequences: tuple[LazyString, ...]
    dangerous: bool = False


ACTS: Final[dict[Act, KeepWords]] = {
    Act.ENABLE: KeepWords(
        _("Enable"),
        _("Enable this user?"),
        (
            _("They get a registration mail, and act again once they have followed it."),
            _("Their access levels and their second factor stay as they are."),
        ),
    ),
    Act.SEND_REGISTRATION: KeepWords(
        _("Send registration mail again"),
        _("Send the registration mail again?"),
        (_("A new link for seven days; the one before stops working."),),
    ),
    Act.SEND_RESET: KeepWords(
        _("Send Password Reset Email"),
        _("Send a password reset mail?"),
        (
            _("They get a link by which they choose a new password themselves. You do not see it."),
            _("Until they do, their old password stays as it is."),
        ),
    ),
    Act.MARK: KeepWords(
        _("Give the account manager mark"),
        _("Make this user an account manager?"),
        (
            _("Within a second they manage everybody here: verify, enable, disable, invite, change access."),
            _("They are told by mail, and so are the other account managers. You vouch for them in the payer’s name."),
        ),
    ),
    Act.MOVE: KeepWords(
        _("Move"),
        _("Move this access?"),
        (_("It ends here and begins where the roster has it now, with the same levels, once they follow a mail."),),
    ),
    Act.COMMENT: KeepWords(
        _("Add comment"),
        _("Add a comment?"),
        (_("It only stands in the history, where account managers read it too."),),
    ),
    Act.UNMARK: KeepWords(
        _("Take the account manager mark"),
        _("Take the account manager mark?"),
        (
            _("They keep their access and manage nobody any more, within a second."),
            _("What they sent as account manager and nobody has accepted yet stops working. They are told by mail, and so are the other account managers."),
        ),
        dangerous=True,
    ),
    Act.DISABLE: KeepWords(
        _("Disable"),
        _("Disable this user?"),
        (_("They can no longer act for it, within a second. Only the payer enables it again."),),
        dangerous=True,
    ),
    Act.REMOVE: KeepWords(
        _("End"),
        _("End this access?"),
        (_("It is over for good; to act again they are invited anew."),),
        dangerous=True,
    ),
}  # fmt: skip
"""In the order of their buttons, the harmless first."""
CHANGED_NOTHING: Final = _("Nothing is changed. Tick or untick a level.")
REASONS: Final[dict[object, tuple[int, object]]] = {
    **{reason: (status, sentence) for reason, (status, sentence) in MANAGERS.items()},
    **{reason: (422, sentence) for reason, sentence in INVITATION_REASONS.items()},
    ActReason.SELF: (403, OWN[Own.SELF]),
    ActReason.TOO_MANY: (429, OWN[Own.TOO_MANY]),
    InvitationReason.TOO_MANY: (429, OWN[Own.TOO_MANY]),
}
INVITED: Final[dict[str, LazyString]] = {
    "sent": _("The invitation is on its way."),
    "resent": _("A new link is on its way. The former one no longer works."),
    "taken_back": _("The invitation was taken back. Its link no longer works."),
}
