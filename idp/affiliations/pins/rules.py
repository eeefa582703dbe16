"""Why a PIN is not taken; every reason but a pause says the same to people. Pure."""

from enum import StrEnum


class Reason(StrEnum):
    """`TOO_MANY` pauses; all others are one *no match* on the page, and told apart in the audit only."""

    TOO_MANY = "too_many"
    BUSY = "busy"
    NO_MATCH = "no_match"


class NoMatch(StrEnum):
    """What the audit keeps of a pair that did not match."""

    UNKNOWN_PROVIDER = "unknown_provider"
    NOT_IN_FORCE = "not_in_force"
    WRONG_PIN = "wrong_pin"


def no_match(*, known: bool, in_force: bool, pin: str | None) -> str | None:
    """Why the pair does not match, for the audit; `None` if it does. `pin` is why its artefact is not good."""
    if not known:
        return NoMatch.UNKNOWN_PROVIDER.value
    if pin is not None:
        return NoMatch.WRONG_PIN.value if pin == "unknown" else f"pin_{pin}"
    return None if in_force else NoMatch.NOT_IN_FORCE.value
