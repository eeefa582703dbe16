"""The invitation names the target and proves it by its manager's word."""

from idp.enrollment.declared import Declared, StepOptions, Thing


class Options(StepOptions):
    """Words only."""


DECLARED = Declared("accept", Options, gives=frozenset({Thing.TARGET}), alone=True)
