"""What is wrong with a new clerk's data, field by field (D6): names, addresses, and the temporary password."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString

from idp.authenticators.password import setting
from idp.authenticators.password.words import rule_list
from idp.enrollment.steps.create_account import words
from idp.manage.clerks.forms import NewClerk
from idp.relying_parties.manifest import PasswordPolicy
from idp.subjects.rules import NewSubject, Reason, email_key, phone_number, spoken_name, user_id_key
from idp.subjects.words import REASONS
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

TAKEN: Final = words.TAKEN


def wrong(form: NewClerk, *, policy: PasswordPolicy) -> Mapping[str, LazyString]:
    """Empty where the account may be made; whether an address is anybody's is not asked (ruling 6)."""
    found: dict[str, LazyString] = {}
    grammars = (
        ("user_id", user_id_key),
        ("first_name", spoken_name),
        ("last_name", spoken_name),
        ("phone", phone_number),
        ("email", email_key),
    )
    for name, grammar in grammars:
        key = grammar(getattr(form, name).strip())
        if isinstance(key, Refused):
            found[name] = REASONS[Reason(key.reason)]
    if form.confirm_email.strip().casefold() != form.email.strip().casefold():
        found["confirm_email"] = words.DIFFERENT_EMAIL
    if form.confirm_password != form.password:
        found["confirm_password"] = words.DIFFERENT_PASSWORD
    subject = NewSubject(user_id=form.user_id, email=form.email, given_name=form.first_name, family_name=form.last_name)
    broken = setting.unfit(Secret(form.password), policy=policy, subject=subject)
    if broken is not None:
        unmet = [str(rule.text) for rule in rule_list(policy, broken=broken.rules) if not rule.met]
        found["password"] = words.unmet(unmet)
    return found
