"""What each kind of step does, by its name; the engine knows them only here."""

from collections.abc import Mapping
from typing import Final

from idp.enrollment.step import Step
from idp.enrollment.steps.agreement.step import Agreement
from idp.enrollment.steps.choose_account_type.step import ChooseAccountType
from idp.enrollment.steps.confirmation.step import Confirmation
from idp.enrollment.steps.create_account.step import CreateAccount
from idp.enrollment.steps.verify_email.step import VerifyEmail

_BEHAVIOURS: Final[Mapping[str, Step]] = {
    step.declared.name: step
    for step in (Agreement(), ChooseAccountType(), Confirmation(), CreateAccount(), VerifyEmail())
}


def behaviour_of(name: str) -> Step:
    """The step of that name; one that is declared and not here is a programming error."""
    return _BEHAVIOURS[name]
