"""The text with its box; accepted with its version, time and address when the ceremony ends."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from idp.consent import service as consents
from idp.consent.rules import Kind, Text
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.agreement.declared import DECLARED
from idp.enrollment.steps.agreement.rules import Reason
from idp.foundation.parsing import Form
from idp.vocabulary.refused import Refused

AGREE_FIRST = _("Please read the agreement and check the box to go on.")


class AgreementForm(Form):
    """The box, and the version beside it: a text that changed meanwhile is shown again."""

    agree: str
    agreement_version: str


class Agreement(Step):
    """C10, D3."""

    declared = DECLARED
    sentences = {"agree": AGREE_FIRST}

    def form(self, at: At) -> type[Form]:
        return AgreementForm

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        return {"version": _text(at).version, "words": consents.words_of(at.party, _text(at), locale=at.locale)}

    def met_by(self, tx: Session, at: At) -> bool:
        assert at.subject is not None
        accepted = consents.accepted_by(tx, subject_id=at.subject.id, client_id=at.party.client_id)
        return _text(at) in accepted

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        if form.agree != "yes" or form.agreement_version != _text(at).version:
            return Wrong(Reason.NOT_AGREED, errors={"agree": AGREE_FIRST}, audited=False)
        return Kept({"version": form.agreement_version})

    def complete(self, tx: Session, at: At, *, subject_id: str | None) -> Refused | None:
        """Kept only if the text is still the one that was read; a newer one is asked at the first sign-in."""
        version = at.kept.get(self.declared.name, {}).get("version")
        if subject_id is not None and version == _text(at).version:
            consents.accept(tx, subject_id=subject_id, party=at.party, text=_text(at), now=at.now, origin=at.origin)
        return None


def _text(at: At) -> Text:
    agreement = at.party.manifest.agreement
    assert agreement is not None, "a ceremony with this step was planned with an agreement"
    return Text(Kind.AGREEMENT, agreement.version)
