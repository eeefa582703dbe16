"""Why the step is not done."""

from enum import StrEnum


class Reason(StrEnum):
    """Only one: nothing is held yet that this portal takes."""

    NOTHING_SET_UP = "nothing_set_up"
