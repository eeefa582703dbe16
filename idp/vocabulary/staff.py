"""Payer staff: their roles, and what a route of the console asks for (MODEL §7)."""

from enum import StrEnum
from typing import Final


class StaffRole(StrEnum):
    """What somebody of the payer is trusted with; one person may have several."""

    REGISTRAR = "registrar"
    HELP_DESK = "help_desk"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


OPERATOR: Final = "system"
"""Who acts by the command line, as the audit names them: nobody's account."""


def actor_of(subject_id: str) -> str:
    """How the audit names somebody who acts as staff."""
    return subject_id if subject_id == OPERATOR else f"staff:{subject_id}"


class StaffMay(StrEnum):
    """One thing that staff do; every route of the console names the one that it is."""

    ENTER = "enter"
    READ_DIRECTORY = "read_directory"
    READ_PEOPLE = "read_people"
    DECIDE = "decide"
    SEE_PEOPLE = "see_people"
    HELP = "help"
    DISABLE = "disable"
    ENABLE = "enable"
    READ_SYSTEM = "read_system"
    CHANGE_SYSTEM = "change_system"
    READ_AUDIT = "read_audit"
    READ_STAFF = "read_staff"
    CHANGE_STAFF = "change_staff"
