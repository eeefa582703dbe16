"""Program and state; nothing is looked up yet."""

from collections.abc import Mapping
from typing import Any, Literal

from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from idp.directory.rules import Program
from idp.enrollment.step import CHOOSE_ONE, At, Kept, Step, Wrong
from idp.enrollment.steps.coverage.declared import DECLARED, STATES
from idp.foundation.parsing import Form

PROGRAMS = ((Program.MEDICAID, _("Medicaid")), (Program.MEDICARE, _("Medicare")), (Program.BOTH, _("Both")))
STATE_TOO = _("Choose a state: Medicaid differs from state to state.")


class CoverageForm(Form):
    """B2."""

    program: Literal["medicaid", "medicare", "both"]
    state: str = ""


class Coverage(Step):
    """B2."""

    declared = DECLARED
    sentences = {"program": _("Choose a program."), "state": CHOOSE_ONE}

    def form(self, at: At) -> type[Form]:
        return CoverageForm

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        return {
            "programs": [(program.value, words) for program, words in PROGRAMS],
            "states": [(letters, STATES[letters]) for letters in at.options.states],
        }

    def check(self, form: Any, at: At) -> Mapping[str, LazyString]:
        if not form.state:
            return {} if form.program == Program.MEDICARE else {"state": STATE_TOO}
        return {} if form.state in at.options.states else {"state": CHOOSE_ONE}

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        return Kept({"program": form.program, "state": form.state or None})
