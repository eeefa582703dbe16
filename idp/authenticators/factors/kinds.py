"""Where each kind of factor is asked for and set up; a kind that is not here cannot be used."""

from typing import Final

from idp.vocabulary.assurance import Factor

CHALLENGE_PAGES: Final[dict[Factor, str]] = {
    Factor.PASSKEY: "webauthn.challenge",
    Factor.PUSH: "push.challenge",
    Factor.TOTP: "totp.challenge",
    Factor.SMS: "codes.by_sms",
    Factor.EMAIL: "codes.by_email",
    Factor.RECOVERY: "recovery_codes.challenge",
}
"""Endpoint of the page at `/sign-in/<txn>/second-factor/<kind>`."""
SET_UP_PAGES: Final[dict[Factor, str]] = {
    Factor.PASSKEY: "webauthn.set_up",
    Factor.PUSH: "push.set_up",
    Factor.TOTP: "totp.set_up",
    Factor.SMS: "codes.set_up_sms",
    Factor.EMAIL: "codes.set_up_email",
}
"""Endpoint of the page at `/sign-in/<txn>/set-up-mfa/<kind>`."""
