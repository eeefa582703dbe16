"""What each kind of step does, by its name; the engine knows them only here."""

from collections.abc import Mapping
from typing import Final

from idp.enrollment.step import Step
from idp.enrollment.steps.accept.step import Accept
from idp.enrollment.steps.agreement.step import Agreement
from idp.enrollment.steps.associate_provider.step import AssociateProvider
from idp.enrollment.steps.challenge_questions.step import ChallengeQuestions
from idp.enrollment.steps.choose_account_type.step import ChooseAccountType
from idp.enrollment.steps.claim_practice.step import ClaimPractice
from idp.enrollment.steps.confirmation.step import Confirmation
from idp.enrollment.steps.coverage.step import Coverage
from idp.enrollment.steps.create_account.step import CreateAccount
from idp.enrollment.steps.find_provider.step import FindProvider
from idp.enrollment.steps.identify_trading_partner.step import IdentifyTradingPartner
from idp.enrollment.steps.pin_letter.step import PinLetter
from idp.enrollment.steps.requestor_details.step import RequestorDetails
from idp.enrollment.steps.set_up_mfa.step import SetUpMfa
from idp.enrollment.steps.site_key.step import SiteKey
from idp.enrollment.steps.verify_email.step import VerifyEmail

_BEHAVIOURS: Final[Mapping[str, Step]] = {
    step.declared.name: step
    for step in (
        Accept(),
        Agreement(),
        AssociateProvider(),
        ChallengeQuestions(),
        ChooseAccountType(),
        ClaimPractice(),
        Confirmation(),
        Coverage(),
        CreateAccount(),
        FindProvider(),
        IdentifyTradingPartner(),
        PinLetter(),
        RequestorDetails(),
        SetUpMfa(),
        SiteKey(),
        VerifyEmail(),
    )
}


def behaviour_of(name: str) -> Step:
    """The step of that name; one that is declared and not here is a programming error."""
    return _BEHAVIOURS[name]
