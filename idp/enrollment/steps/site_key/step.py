"""Picture and phrase are judged and kept, sealed; they are the person's when the ceremony ends (RC-19)."""

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from sqlalchemy.orm import Session

from idp.authenticators.password.kdf import Kdf, Verdict
from idp.authenticators.site_key import rules, service, words
from idp.authenticators.site_key.rules import Reason, Shown
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.site_key.declared import DECLARED
from idp.enrollment.steps.site_key.forms import SiteKeyForm
from idp.foundation import house
from idp.foundation.parsing import Form
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_FIELDS = {Reason.NO_PICTURE: "site_key"}


class SiteKey(Step):
    """A6."""

    declared = DECLARED
    secrets = frozenset({"password"})
    sentences = {"site_key": words.REASONS[Reason.NO_PICTURE], "passphrase": words.REASONS[Reason.NO_PHRASE]}

    def form(self, at: At) -> type[Form]:
        return SiteKeyForm

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        return {"pictures": words.choices()}

    def met_by(self, tx: Session, at: At) -> bool:
        """Whoever chose one at another portal keeps it."""
        assert at.subject is not None
        return service.site_key_of(tx, subject_id=at.subject.id) is not None

    def check(self, form: SiteKeyForm, at: At) -> Mapping[str, LazyString]:
        shown = rules.shown_of(form.site_key, form.passphrase)
        if isinstance(shown, Refused):
            reason = Reason(shown.reason)
            return {_FIELDS.get(reason, "passphrase"): words.REASONS[reason]}
        return (
            {"passphrase": words.REASONS[Reason.IS_PASSWORD]}
            if rules.gives_away(shown.phrase, password=form.password)
            else {}
        )

    def prepare(self, form: SiteKeyForm, at: At) -> Verdict | Refused | None:
        """Whether the phrase is the password of an earlier page, of which only a digest is kept."""
        digest = at.kept.get("create_account", {}).get("password_digest")
        if form.password or digest is None:
            return None
        return house.get(Kdf).check(Secret(_shown(form).phrase), digest=digest)

    def settle(self, tx: Session, form: SiteKeyForm, prepared: Verdict | None, at: At) -> Kept | Wrong:
        if prepared is not None and prepared.right:
            return Wrong(Reason.IS_PASSWORD, errors={"passphrase": words.REASONS[Reason.IS_PASSWORD]}, audited=False)
        shown = _shown(form)
        return Kept({"picture": shown.picture, "phrase": shown.phrase})

    def complete(self, tx: Session, at: At, *, subject_id: str | None) -> Refused | None:
        kept = at.kept.get(self.declared.name)
        if subject_id is None or not kept:
            return None
        outcome = service.set_site_key(
            tx,
            subject_id=subject_id,
            picture=kept["picture"],
            phrase=kept["phrase"],
            now=at.now,
            actor=subject_id,
            origin=at.origin,
        )
        return outcome if isinstance(outcome, Refused) else None


def _shown(form: SiteKeyForm) -> Shown:
    shown = rules.shown_of(form.site_key, form.passphrase)
    assert not isinstance(shown, Refused), "checked before"
    return shown
