"""One radio card a type; another ceremony's type leads there."""

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.choose_account_type.declared import DECLARED
from idp.foundation.parsing import Form

CHOOSE = _("Choose an account type.")


class AccountTypeForm(Form):
    """`account_type` is the place of a type in the list, from 0."""

    account_type: str


class ChooseAccountType(Step):
    """A1."""

    declared = DECLARED
    sentences = {"account_type": CHOOSE}

    def form(self, at: At) -> type[Form]:
        return AccountTypeForm

    def check(self, form: Any, at: At) -> Mapping[str, LazyString]:
        offered = [str(place) for place, each in enumerate(at.options.types) if each.page is None]
        return {} if form.account_type in offered else {"account_type": CHOOSE}

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        return Kept(elsewhere=at.options.types[int(form.account_type)].ceremony)
