"""Which page each step is; the pages live in the rooms below and come back to the dispatcher by redirect."""

from collections.abc import Mapping
from typing import Final

from idp.sign_in.rules import Step

PAGES: Final[Mapping[Step, str]] = {
    Step.IDENTIFY: "password.identify",
    Step.PASSWORD: "password.password",
    Step.SECOND_FACTOR: "factors.second_factor",
    Step.SET_UP_MFA: "factors.set_up",
    Step.CHANGE_PASSWORD: "password.change_password",
    Step.AGREEMENT: "consent.agreement",
    Step.ACCESS_OFFERED: "access_offered.page",
    Step.CHOOSE: "affiliations.choose",
    Step.CANNOT_ACT: "affiliations.cannot_act",
    Step.CONSENT: "consent.consent",
    Step.FIRST_TIME: "federation.first_time",
    Step.LINK: "federation.link",
}
