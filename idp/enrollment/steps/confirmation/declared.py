"""The last page; without it a ceremony that gave access ends at the portal itself."""

from idp.enrollment.declared import Declared, StepOptions


class Options(StepOptions):
    """`title` and `intro` stand above what came of it."""


DECLARED = Declared("confirmation", Options, numbered=False, alone=True, last=True)
