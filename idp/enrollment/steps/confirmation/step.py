"""Nothing to ask: its page is the ceremony's end, shown by the engine."""

from idp.enrollment.step import Step
from idp.enrollment.steps.confirmation.declared import DECLARED


class Confirmation(Step):
    """A8, B5."""

    declared = DECLARED
