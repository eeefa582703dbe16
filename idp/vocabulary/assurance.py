"""How sure we are who signed in: `acr`, `amr`, and what proves it (NIST SP 800-63B-4, OpenID EAP, RFC 8176)."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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


class Factor(StrEnum):
    """What a person can prove after (or, a passkey, instead of) the password; strongest first."""

    PASSKEY = "passkey"
    """A security key is one too."""
    PUSH = "push"
    TOTP = "totp"
    SMS = "sms"
    EMAIL = "email"
    RECOVERY = "recovery"
    """One of ten printed codes; never chosen by a policy, always accepted in another factor's place."""
    DEVICE = "device"
    """A remembered device: spares the question, proves nothing (MODEL §8)."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a factor, after the password, adds to a session."""

    acr: frozenset[Acr] = frozenset()
    amr: tuple[Amr, ...] = ()


GAINS: Final = {
    Factor.PASSKEY: Gain(
        frozenset({Acr.AAL1, Acr.AAL2, Acr.PHR}), (Amr.SOFTWARE_KEY, Amr.USER_PRESENCE, Amr.MULTI_FACTOR)
    ),
    Factor.PUSH: Gain(frozenset({Acr.AAL2}), (Amr.PROOF_OF_POSSESSION, Amr.MULTI_FACTOR)),
    Factor.TOTP: Gain(frozenset({Acr.AAL2}), (Amr.ONE_TIME_CODE, Amr.MULTI_FACTOR)),
    Factor.SMS: Gain(frozenset({Acr.AAL2}), (Amr.SMS, Amr.MULTI_FACTOR)),
    Factor.EMAIL: Gain(),
    Factor.RECOVERY: Gain(frozenset({Acr.AAL2}), (Amr.ONE_TIME_CODE, Amr.MULTI_FACTOR)),
    Factor.DEVICE: Gain(),
}
"""MODEL §8; a recovery code is a look-up secret (SP 800-63B-4 §3.1.2). An attested key gives more than its row."""
STRONG: Final = frozenset({Factor.PASSKEY, Factor.PUSH, Factor.TOTP})
"""What account managers and staff hold; codes by SMS or e-mail do not satisfy them (SECURITY ruling 2)."""

_LEVELS = (Acr.AAL3, Acr.AAL2, Acr.AAL1)


def acr_to_tell(held: Collection[Acr], *, asked: Collection[str] = ()) -> Acr:
    """The `acr` of a token: the first asked value that the session holds, else its highest level.

    MODEL §8. `asked` is in the client's order of preference; unknown values are passed over.
    """
    for value in asked:
        if value in held:
            return Acr(value)
    return next(level for level in _LEVELS if level in held)
