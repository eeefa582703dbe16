"""What was typed is judged and kept, sealed; the account begins at the mailbox's proof (RC-19).

Whoever is signed in continues with that account and is asked only what it lacks, never a new password (X4).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import LazyString
from sqlalchemy.orm import Session

from idp.authenticators.password import setting
from idp.authenticators.password.rules import policy_for_setting
from idp.authenticators.password.setting import Unfit
from idp.authenticators.password.words import rule_list
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.create_account import words
from idp.enrollment.steps.create_account.declared import DECLARED
from idp.enrollment.steps.create_account.forms import UseAccountForm, UserIdForm, account_form
from idp.foundation.parsing import Form
from idp.relying_parties.manifest import PasswordPolicy
from idp.subjects import service as subjects
from idp.subjects.rules import NewSubject, Reason, SubjectFacts, email_key, phone_number, spoken_name, user_id_key
from idp.subjects.words import REASONS
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


class CreateAccount(Step):
    """A3–A5, C1, C2, D3, D4, E0."""

    declared = DECLARED
    secrets = frozenset({"password", "confirm_password"})
    questions = frozenset({"check_availability"})
    sentences = words.MISSING

    def form(self, at: At) -> type[Form]:
        if at.subject is not None:
            return UserIdForm
        return UseAccountForm if at.signed_in is not None else account_form(at.options.fields)

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        return {"labels": words.LABELS, "rules": rule_list(_policy(at))}

    def answer(self, tx: Session, question: str, sent: Mapping[str, str], at: At) -> Mapping[str, Any]:
        """*Check Availability* (A3): of user IDs only, never of e-mail addresses (ruling 6)."""
        wrong = unavailable(tx, sent.get("user_id", ""), of=at.subject)
        return {"available": words.AVAILABLE} if wrong is None else {"unavailable": wrong}

    def met_by(self, tx: Session, at: At) -> bool:
        """A known person lacks nothing, or just the user ID that this portal signs in with."""
        assert at.subject is not None
        asks_user_id = "user_id" in at.options.required()
        return not asks_user_id or at.subject.user_id is not None

    def check(self, form: Any, at: At) -> Mapping[str, LazyString]:
        if isinstance(form, UseAccountForm):
            return {}
        wrong = dict(_wrong_texts(form))
        if "password" not in type(form).model_fields or "password" in wrong:
            return wrong
        broken = setting.unfit(Secret(form.password), policy=_policy(at), subject=_new(form))
        return wrong | ({"password": _unmet(broken, at)} if broken is not None else {})

    def prepare(self, form: Any, at: At) -> Any:
        if "password" not in type(form).model_fields:
            return None
        return setting.digest_and_policies(Secret(form.password), subject=_new(form))

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        if isinstance(form, UseAccountForm):
            assert at.signed_in is not None, "the form is offered to nobody else"
            return Kept(subject_id=at.signed_in.id, done=False)
        user_id = getattr(form, "user_id", "")
        if user_id and (wrong := unavailable(tx, user_id, of=at.subject)) is not None:
            return Wrong(Reason.TAKEN, errors={"user_id": wrong})
        if isinstance(form, UserIdForm):
            return Kept({"user_id": user_id})
        digest, satisfies = prepared
        kept = {name: value for name in _KEPT if (value := getattr(form, name, ""))}
        if "phone" in kept:
            kept["phone"] = phone_number(kept["phone"])
        whose = {"locale": at.locale, "zoneinfo": at.zoneinfo}
        return Kept({**kept, **whose, "password_digest": digest, "satisfies": list(satisfies)})

    def complete(self, tx: Session, at: At, *, subject_id: str | None) -> Refused | None:
        """A known person gets the user ID that they chose; a new one had theirs from the beginning."""
        chosen = at.kept.get(self.declared.name, {}).get("user_id")
        if subject_id is None or chosen is None or at.subject is None or at.subject.user_id is not None:
            return None
        return subjects.choose_user_id(
            tx, subject_id=subject_id, user_id=chosen, actor=subject_id, now=at.now, origin=at.origin
        )


_KEPT = ("user_id", "email", "display_name", "first_name", "last_name", "phone")


def unavailable(tx: Session, user_id: str, *, of: SubjectFacts | None = None) -> LazyString | None:
    """Why a user ID cannot be chosen, or `None`; a known person may choose their own old one."""
    key = user_id_key(user_id)
    if isinstance(key, Refused):
        return REASONS[Reason(key.reason)]
    return words.TAKEN if subjects.user_id_is_taken(tx, key=key, but_of=of.id if of else None) else None


def _policy(at: At) -> PasswordPolicy:
    """The portal's own in its own ceremony, maxima and characters included (MODEL §4)."""
    return policy_for_setting(held=(), own=at.party.manifest.password)


def _wrong_texts(form: Any) -> Iterator[tuple[str, LazyString]]:
    """What no account can have, field by field; an optional field may be empty."""
    for name in ("first_name", "last_name", "display_name"):
        if (text := getattr(form, name, "")) and isinstance(spoken_name(text), Refused):
            yield name, REASONS[Reason.BAD_NAME]
    for name, grammar in (("user_id", user_id_key), ("email", email_key), ("phone", phone_number)):
        if text := getattr(form, name, ""):
            key = grammar(text)
            if isinstance(key, Refused):
                yield name, REASONS[Reason(key.reason)]
    if getattr(form, "confirm_email", None) is not None and form.confirm_email.casefold() != form.email.casefold():
        yield "confirm_email", words.DIFFERENT_EMAIL
    if getattr(form, "confirm_password", None) is not None and form.confirm_password != form.password:
        yield "confirm_password", words.DIFFERENT_PASSWORD


def _unmet(broken: Unfit, at: At) -> LazyString:
    return words.unmet([str(rule.text) for rule in rule_list(_policy(at), broken=broken.rules) if not rule.met])


def _new(form: Any) -> NewSubject:
    """Whom the password must not resemble."""
    return NewSubject(
        user_id=getattr(form, "user_id", None) or None,
        email=form.email,
        given_name=getattr(form, "first_name", None),
        family_name=getattr(form, "last_name", None),
        display_name=getattr(form, "display_name", None),
    )
