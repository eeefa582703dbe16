"""Answers are judged and hashed at once, so that none is kept in clear; the questions count when the ceremony ends."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask_babel import LazyString
from sqlalchemy.orm import Session

from idp.authenticators.challenge_questions import rules, service, words
from idp.authenticators.challenge_questions.rules import GROUPS, Chosen, Mode, Unfit
from idp.authenticators.challenge_questions.service import Prepared
from idp.authenticators.password.rules import Reason as PasswordReason
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.challenge_questions.declared import DECLARED
from idp.enrollment.steps.challenge_questions.forms import GroupsForm, OwnForm
from idp.foundation.parsing import Form
from idp.vocabulary.refused import Refused


class ChallengeQuestions(Step):
    """A7, D3."""

    declared = DECLARED
    secrets = frozenset({"answer_1", "answer_2", "answer_3"})

    def form(self, at: At) -> type[Form]:
        return OwnForm if at.options.mode is Mode.OWN else GroupsForm

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        return {"groups": [[(key, words.QUESTIONS[key]) for key in group] for group in GROUPS]}

    def met_by(self, tx: Session, at: At) -> bool:
        """Whoever has questions of either kind is asked for no others."""
        assert at.subject is not None
        return bool(service.questions_of(tx, subject_id=at.subject.id))

    def check(self, form: GroupsForm | OwnForm, at: At) -> Mapping[str, LazyString]:
        chosen = _chosen(form, at)
        faults = chosen.faults if isinstance(chosen, Unfit) else {}
        return {name: words.sentence(name, reason) for name, reason in faults.items()}

    def prepare(self, form: GroupsForm | OwnForm, at: At) -> tuple[Prepared, ...] | Refused:
        chosen = _chosen(form, at)
        assert not isinstance(chosen, Unfit), "checked before"
        made = service.prepare(chosen)
        return Refused(PasswordReason.BUSY) if isinstance(made, Refused) else made

    def settle(self, tx: Session, form: Any, prepared: tuple[Prepared, ...], at: At) -> Kept | Wrong:
        return Kept({"questions": [asdict(each) for each in prepared]})

    def complete(self, tx: Session, at: At, *, subject_id: str | None) -> Refused | None:
        kept = at.kept.get(self.declared.name)
        if subject_id is not None and kept:
            prepared = [Prepared(**each) for each in kept["questions"]]
            service.set_questions(
                tx, subject_id=subject_id, prepared=prepared, now=at.now, actor=subject_id, origin=at.origin
            )
        return None


def _chosen(form: GroupsForm | OwnForm, at: At) -> tuple[Chosen, ...] | Unfit:
    user_id = form.user_id or _user_id(at)
    if isinstance(form, OwnForm):
        return rules.of_own(form.rows(), user_id=user_id)
    texts = {key: (str(text),) for key, text in words.QUESTIONS.items()}
    return rules.from_groups(form.rows(), user_id=user_id, texts=texts)


def _user_id(at: At) -> str | None:
    """Chosen on an earlier page, or the known person's."""
    chosen = at.kept.get("create_account", {}).get("user_id")
    return chosen or (at.subject.user_id if at.subject is not None else None)
