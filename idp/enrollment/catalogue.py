"""Every kind of step by its name. Pure: what each does stands in `idp.enrollment.behaviours`."""

from collections.abc import Mapping
from typing import Final

from idp.enrollment.declared import Declared
from idp.enrollment.steps.accept.declared import DECLARED as ACCEPT
from idp.enrollment.steps.agreement.declared import DECLARED as AGREEMENT
from idp.enrollment.steps.associate_provider.declared import DECLARED as ASSOCIATE_PROVIDER
from idp.enrollment.steps.challenge_questions.declared import DECLARED as CHALLENGE_QUESTIONS
from idp.enrollment.steps.choose_account_type.declared import DECLARED as CHOOSE_ACCOUNT_TYPE
from idp.enrollment.steps.claim_practice.declared import DECLARED as CLAIM_PRACTICE
from idp.enrollment.steps.confirmation.declared import DECLARED as CONFIRMATION
from idp.enrollment.steps.coverage.declared import DECLARED as COVERAGE
from idp.enrollment.steps.create_account.declared import DECLARED as CREATE_ACCOUNT
from idp.enrollment.steps.find_provider.declared import DECLARED as FIND_PROVIDER
from idp.enrollment.steps.identify_trading_partner.declared import DECLARED as IDENTIFY_TRADING_PARTNER
from idp.enrollment.steps.pin_letter.declared import DECLARED as PIN_LETTER
from idp.enrollment.steps.requestor_details.declared import DECLARED as REQUESTOR_DETAILS
from idp.enrollment.steps.set_up_mfa.declared import DECLARED as SET_UP_MFA
from idp.enrollment.steps.site_key.declared import DECLARED as SITE_KEY
from idp.enrollment.steps.verify_email.declared import DECLARED as VERIFY_EMAIL

CATALOGUE: Final[Mapping[str, Declared]] = {
    declared.name: declared
    for declared in (
        ACCEPT,
        AGREEMENT,
        ASSOCIATE_PROVIDER,
        CHALLENGE_QUESTIONS,
        CHOOSE_ACCOUNT_TYPE,
        CLAIM_PRACTICE,
        CONFIRMATION,
        COVERAGE,
        CREATE_ACCOUNT,
        FIND_PROVIDER,
        IDENTIFY_TRADING_PARTNER,
        PIN_LETTER,
        REQUESTOR_DETAILS,
        SET_UP_MFA,
        SITE_KEY,
        VERIFY_EMAIL,
    )
}
