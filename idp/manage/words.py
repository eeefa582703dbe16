"""What managers read: each act, what it will do, what was done, and why something was not."""

from dataclasses import dataclass
from typing import Final

from flask_babel import LazyString, format_decimal, gettext, ngettext
from flask_babel import lazy_gettext as _

from idp.affiliations.deciding.rules import Act, Reason
from idp.affiliations.invitations.rules import State
from idp.manage.rules import Count, Filter


@dataclass(frozen=True, slots=True)
class ActWords:
    """One act: its button, its question, what will happen, and the sentence after it."""

    button: LazyString
    question: LazyString
    consequences: tuple[LazyString, ...]
    done: LazyString
    line: LazyString
    dangerous: bool = False


ACTS: Final[dict[Act, ActWords]] = {
    Act.VERIFY: ActWords(
        _("Verify Account"),
        _("Verify this account?"),
        (
            _("You confirm that you know this person and that they work here. Your name is kept with it."),
            _("They get a registration mail. Once they have opened its link and signed in, they are active."),
        ),
        _("Verified. The registration mail is on its way."),
        _("Verified"),
    ),
    Act.REFUSE: ActWords(
        _("Refuse"),
        _("Refuse this account?"),
        (_("Their registration for this provider ends, and they are told so by mail."),),
        _("Refused. The person is told by mail."),
        _("Refused"),
        dangerous=True,
    ),
    Act.ENABLE: ActWords(
        _("Enable User"),
        _("Enable this user?"),
        (
            _("They get a registration mail and are Unverified until they have opened its link and signed in."),
            _("Their access levels and their second factor stay as they are."),
        ),
        _("Enabled. The registration mail is on its way."),
        _("Enabled"),
    ),
    Act.DISABLE: ActWords(
        _("Disable User"),
        _("Disable this user?"),
        (
            _("They can no longer act for this provider, within a second, at every portal. They are told by mail."),
            _("Their account, and what they may do for others, stays. You can enable them again."),
        ),
        _("Disabled. They can no longer act for this provider."),
        _("Disabled"),
        dangerous=True,
    ),
    Act.REMOVE: ActWords(
        _("Remove"),
        _("Remove this user?"),
        (
            _("Their access to this provider ends at once, at every portal, and cannot be enabled again."),
            _("Their account, and what they may do for others, stays. To let them act again you invite them anew."),
        ),
        _("Removed. Their access to this provider has ended."),
        _("Removed"),
        dangerous=True,
    ),
    Act.SEND_REGISTRATION: ActWords(
        _("Send Registration Email"),
        _("Send the registration mail again?"),
        (_("A new link goes to their mailbox; the former one no longer works."),),
        _("The registration mail is on its way."),
        _("Registration mail sent"),
    ),
    Act.SEND_RESET: ActWords(
        _("Send Password Reset Email"),
        _("Send a password reset mail?"),
        (
            _("They get a link by which they choose a new password themselves. You do not see it."),
            _("Until they do, their old password stays as it is."),
        ),
        _("The mail is on its way to the address that we have."),
        _("Password reset mail sent"),
    ),
    Act.START_RECOVERY: ActWords(
        _("Start recovery of lost ways to sign in"),
        _("Did they lose every way to sign in beside the password?"),
        (
            _("They are told by mail now, wait, and then show the evidence that their access rests on."),
            _("You only start it: you see no code, set nothing, and cannot finish it. They can stop it."),
        ),
        _("If they have something to recover, a mail is on its way to the address that we have."),
        _("Recovery of lost ways to sign in started"),
    ),
}
LEVELS_SAVED: Final = _("Access saved. It applies now.")
UNDONE: Final = _("Undone. It is as it was before.")
COMMENTED: Final = _("Comment added.")
LINES: Final[dict[str, LazyString]] = {each.value: words.line for each, words in ACTS.items()} | {
    Act.SET_LEVELS.value: _("Access changed"),
    Act.COMMENT.value: _("Comment"),
    "undo": _("Undone"),
    "add_clerk": _("Added by name"),
    "payer_disable": _("Disabled by the payer"),
    "payer_enable": _("Enabled by the payer"),
    "payer_remove": _("Ended by the payer"),
    "payer_end": _("Ended by the payer"),
    "payer_move": _("Moved by the payer"),
    "payer_send_registration": _("Registration mail sent by the payer"),
    "payer_send_reset": _("Password reset mail sent by the payer"),
    "payer_set_levels": _("Access changed by the payer"),
    "payer_mark": _("Account manager mark given by the payer"),
    "payer_unmark": _("Account manager mark taken by the payer"),
    "payer_comment": _("Comment by the payer"),
}
FILTERS: Final[dict[Filter, LazyString]] = {
    Filter.VERIFICATION_PENDING: _("Verification Pending"),
    Filter.ALL: _("All"),
    Filter.ACTIVE: _("Active"),
    Filter.UNVERIFIED: _("Unverified"),
    Filter.DISABLED: _("Disabled"),
    Filter.SUSPENDED: _("Suspended"),
}
REASONS: Final[dict[Reason, tuple[int, LazyString]]] = {
    Reason.NOT_A_MANAGER: (403, _("You are no longer an account manager here.")),
    Reason.UNKNOWN: (404, _("There is no such person here.")),
    Reason.SELF: (403, _("Nobody changes their own access. Another account manager has to.")),
    Reason.CHANGED_MEANWHILE: (409, _("This person has changed since you opened the page. Look again, then decide.")),
    Reason.NOT_IN_THIS_STATE: (409, _("That is not possible as things are now. Look again, then decide.")),
    Reason.BY_PAYER: (409, _("The payer disabled this access, and only the payer enables it. Call the help line.")),
    Reason.LAST_MANAGER: (409, _("One account manager has to remain. Make somebody else one first.")),
    Reason.NOT_HELD: (403, _("You can give and take only access levels that you hold yourself.")),
    Reason.HOLDS_MORE: (
        403,
        _(
            "This person holds access levels that you do not hold yourself. Ask an account manager who holds them; "
            "where there is none, the payer's help line."
        ),
    ),
    Reason.ELSEWHERE: (
        403,
        _(
            "This access also serves another portal of this payer, at which you cannot change it. Ask an account "
            "manager of that portal; where there is none, the payer's help line."
        ),
    ),
    Reason.NOT_PROVEN: (
        403,
        _(
            "At this portal only the payer makes this person an account manager. Ask the payer's help line to confirm them."
        ),
    ),
    Reason.NO_SUCH_LEVEL: (400, _("There is no such access level.")),
    Reason.NO_LEVEL: (422, _("Leave at least one access level, or disable or remove the user.")),
    Reason.TOO_LONG: (422, _("This is longer than we can keep. Please shorten it.")),
    Reason.NOTHING_TO_UNDO: (409, _("This can no longer be undone. Look again, then decide.")),
    Reason.HAS_A_MANAGER: (409, _("An account manager is there now and decides.")),
    Reason.NOT_THEIRS: (403, _("That is not yours to do.")),
    Reason.NO_REASON: (422, _("Say why.")),
    Reason.TOO_MANY: (429, _("That is as many mails as may be sent within an hour. Please try again later.")),
}
MISSING: Final[dict[str, LazyString]] = {
    "user_id": _("Enter a user name for them."),
    "first_name": _("Enter their first name."),
    "last_name": _("Enter their last name."),
    "phone": _("Enter their phone number."),
    "email": _("Enter their e-mail address."),
    "confirm_email": _("Enter their e-mail address again."),
    "password": _("Enter a temporary password."),
    "confirm_password": _("Enter the password again."),
}
"""A sentence for each field: above the form they stand in a list, where none has its label beside it."""
INVITATION_STATES: Final[dict[State, tuple[str, LazyString]]] = {
    State.SENT: ("info", _("Sent")),
    State.OPENED: ("ok", _("Opened")),
    State.EXPIRED: ("", _("Expired")),
}
INVITED: Final[dict[str, LazyString]] = {
    "sent": _("The invitation is on its way."),
    "resent": _("A new link is on its way. The former one no longer works."),
    "taken_back": _("The invitation was taken back. Its link no longer works."),
}
COMMENT_EMPTY: Final = _("Write a comment of at most 200 characters.")
MALFORMED: Final = _("Something in the form was not as we expect it. Please try again.")


def number(count: Count) -> str:
    """On a tab."""
    return f"{format_decimal(count.number)}{'+' if count.more else ''}"


def people(count: Count) -> str:
    """Below a list."""
    if count.more:
        return str(gettext("More than %(number)s people", number=format_decimal(count.number)))
    return str(ngettext("One person", "%(num)s people", count.number))
