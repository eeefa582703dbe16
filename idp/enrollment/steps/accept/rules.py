"""Why there is nothing to accept."""

from enum import StrEnum


class Reason(StrEnum):
    """Only one: this browser opened no invitation of this portal that still works."""

    NO_INVITATION = "no_invitation"
