"""The sentence for each reason that a line is refused. Operators' words: English, as all commands are."""

from collections.abc import Mapping
from typing import Final

from idp.provisioning.people.rules import Fault

FAULTS: Final[Mapping[Fault, str]] = {
    Fault.COLUMN_COUNT: "The row has not as many columns as the header.",
    Fault.PORTAL: "The portal is the client_id of a registered portal.",
    Fault.USER_ID: "A user ID has 3 to 64 letters, digits, dots, dashes or underscores, or is empty.",
    Fault.RESERVED_USER_ID: "This user ID is a reserved word.",
    Fault.EMAIL: "An e-mail address is plain ASCII, such as name@clinic.example.",
    Fault.EMAIL_PROVEN: "email_proven is yes or no.",
    Fault.NAME: "A last name, and a first name if there is one, have 1 to 80 printable characters.",
    Fault.PHONE: "A telephone number is one that can be dialled, or empty.",
    Fault.UNKNOWN_HASH: "The password hash is of a form that is not taken; leave it empty.",
    Fault.COSTLY_HASH: "The password hash would cost too much work; leave it empty.",
    Fault.CHEAP_HASH: "The password hash has too few rounds; leave it empty.",
    Fault.TARGET_KIND: "The target is a provider, practice or trading_partner, of a kind that this portal acts for.",
    Fault.TARGET_NUMBER: "The target's number is a provider ID, a TIN of 9 digits, or a trading partner ID.",
    Fault.TARGET_UNKNOWN: "The portal's registry does not know this target; import the directory first.",
    Fault.STATUS: "The status is verification_pending, unverified, active or disabled.",
    Fault.LEVELS: "Each access level is a key of the portal's catalogue, with a semicolon between.",
    Fault.MANAGER: "account_manager is yes or no.",
    Fault.MANAGER_LEVEL: "A level that manages others goes with account_manager = yes.",
    Fault.MANAGER_EVIDENCE: "The portal asks for stronger evidence of an account manager.",
    Fault.EVIDENCE: "The evidence is self, directory, letter, manager or payer.",
    Fault.ACCESS_INCOMPLETE: "Access has a target, a status, account_manager and evidence, or nothing at all.",
    Fault.DUPLICATE: "The same login and target stand in an earlier line.",
    Fault.PERSON_DIFFERS: "An earlier line says something else about the person with this login.",
    Fault.NO_PROOF: "Neither a mailbox that is proven and answered for nor a password: invite this person instead.",
    Fault.OTHER_NAME: "This proven e-mail address belongs to an account of another name: one mailbox is one person.",
}
