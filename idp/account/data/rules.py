"""Why no file was made. Pure."""

from enum import StrEnum


class Reason(StrEnum):
    """The only one that is not a missing proof."""

    TOO_MANY = "too_many"
