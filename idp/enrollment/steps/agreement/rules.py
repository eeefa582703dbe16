"""Why the agreement was not taken."""

from enum import StrEnum


class Reason(StrEnum):
    """Only one: the box, or a version that is not the newest."""

    NOT_AGREED = "not_agreed"
