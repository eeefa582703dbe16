"""Which time step a code belongs to, if any. Pure: keyed on the step, never on the text (T19, MF-05…07)."""

import re
from datetime import datetime
from typing import Final

import pyotp

DIGITS: Final = 6
PERIOD: Final = 30
DRIFT: Final = 1
"""Steps before and after now that are taken: 30 seconds of a wrong clock, or of slow typing (MF-07)."""
SECRET_LENGTH: Final = 32
"""Base32 characters: 160 bits (RFC 4226 §4, MF-09)."""
_CODE: Final = re.compile(r"[0-9]{6}\Z", re.ASCII)


def new_secret() -> str:
    """A secret for one authenticator app, in base32."""
    return pyotp.random_base32(SECRET_LENGTH)


def step_of(now: datetime) -> int:
    """The time step of a moment."""
    return int(now.timestamp()) // PERIOD


def code_at(secret: str, *, now: datetime) -> str:
    """The code of a moment."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=PERIOD).generate_otp(step_of(now))


def matching_step(secret: str, typed: str, *, now: datetime) -> int | None:
    """The step, at most one away from now, whose code this is; only ASCII digits are one, blanks between them aside."""
    code = typed.replace(" ", "")
    if not _CODE.match(code):
        return None
    generator = pyotp.TOTP(secret, digits=DIGITS, interval=PERIOD)
    here = step_of(now)
    found = None
    for step in (here, here - DRIFT, here + DRIFT):
        if pyotp.utils.strings_equal(generator.generate_otp(step), code) and found is None:
            found = step
    return found


def address(secret: str, *, account: str, issuer: str) -> str:
    """What the QR code says (Key URI format)."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=PERIOD).provisioning_uri(name=account, issuer_name=issuer)


def spoken(secret: str) -> str:
    """The secret in groups of four, for typing it in."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
