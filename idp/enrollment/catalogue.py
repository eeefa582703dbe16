"""Every kind of step by its name. Pure: what each does stands in `idp.enrollment.behaviours`."""

from collections.abc import Mapping
from typing import Final

from idp.enrollment.declared import Declared
from idp.enrollment.steps.agreement.declared import DECLARED as AGREEMENT
from idp.enrollment.steps.choose_account_type.declared import DECLARED as CHOOSE_ACCOUNT_TYPE
from idp.enrollment.steps.confirmation.declared import DECLARED as CONFIRMATION
from idp.enrollment.steps.create_account.declared import DECLARED as CREATE_ACCOUNT
from idp.enrollment.steps.verify_email.declared import DECLARED as VERIFY_EMAIL

CATALOGUE: Final[Mapping[str, Declared]] = {
    declared.name: declared for declared in (AGREEMENT, CHOOSE_ACCOUNT_TYPE, CONFIRMATION, CREATE_ACCOUNT, VERIFY_EMAIL)
}
