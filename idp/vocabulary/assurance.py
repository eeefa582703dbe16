"""How sure we are who signed in: `acr`, `amr` (NIST SP 800-63B-4, OpenID EAP, RFC 8176)."""

from collections.abc import Collection
from enum import StrEnum


class Acr(StrEnum):
    """Authentication context class; `aal1` < `aal2` < `aal3`, `phr` and `phrh` stand beside them."""

    AAL1 = "aal1"
    AAL2 = "aal2"
    AAL3 = "aal3"
    PHR = "phr"
    PHRH = "phrh"


class Amr(StrEnum):
    """Authentication methods (RFC 8176)."""

    PASSWORD = "pwd"
    ONE_TIME_CODE = "otp"
    SMS = "sms"
    PROOF_OF_POSSESSION = "pop"
    SOFTWARE_KEY = "swk"
    HARDWARE_KEY = "hwk"
    USER_PRESENCE = "user"
    MULTI_FACTOR = "mfa"


_LEVELS = (Acr.AAL3, Acr.AAL2, Acr.AAL1)


def acr_to_tell(held: Collection[Acr], *, asked: Collection[str] = ()) -> Acr:
    """The `acr` of a token: the first asked value that the session holds, else its highest level.

    MODEL §8. `asked` is in the client's order of preference; unknown values are passed over.
    """
    for value in asked:
        if value in held:
            return Acr(value)
    return next(level for level in _LEVELS if level in held)
