"""Password policies, the blocklist and what must be changed. No database, no application."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.authenticators.password import rules
from idp.authenticators.password.blocklist import is_common
from idp.authenticators.password.rules import Credential, Person, Unmet
from idp.relying_parties.manifest import PasswordPolicy

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROSA = Person(user_id="rosa.delgado", email="rosa.delgado@clinic.example", words=("Rosa", "Delgado", "Heartland"))
A = PasswordPolicy(min_length=8, max_length=20, digit=True, upper=True, lower=True, only_ascii=True)
C = PasswordPolicy(min_length=12, lower=True, upper=True, digit=True, special=True, no_part_of_user_name=True)
D = PasswordPolicy(min_length=8, upper=True, lower=True, digit_or_special=True)
STRONG = "Kettle-orbit-walnut-42"


def unmet(plain: str, policy: PasswordPolicy, person: Person = ROSA) -> set[Unmet]:
    return set(rules.unmet(plain, policy=policy, person=person))


@pytest.mark.parametrize(
    ("plain", "broken"),
    [
        ("Orbit7kettle", set()),
        ("Orbit7k", {Unmet.TOO_SHORT}),
        ("Orbit7kettle-walnut-42", {Unmet.TOO_LONG}),
        ("orbit7kettle", {Unmet.NEEDS_UPPER}),
        ("ORBIT7KETTLE", {Unmet.NEEDS_LOWER}),
        ("Orbitzkettle", {Unmet.NEEDS_DIGIT}),
        ("Orbit7 kettle", {Unmet.ONLY_ASCII}),
        ("Orbit7kéttle", {Unmet.ONLY_ASCII}),
    ],
)
def test_A4_eight_to_twenty_with_number_upper_and_lower(plain: str, broken: set[Unmet]):
    assert unmet(plain, rules.policy_for_setting(held=(), own=A)) == broken


def test_A4_never_the_same_as_the_user_id():
    assert Unmet.SAME_AS_USER_ID in unmet("Rosa.Delgado7", A, Person(user_id="rosa.delgado7"))


@pytest.mark.parametrize(
    ("plain", "broken"),
    [
        ("Orbit7kettle!", set()),
        ("Orbit7ket!!", {Unmet.TOO_SHORT}),
        ("Orbit7kettles", {Unmet.NEEDS_SPECIAL}),
        ("MyDelgado7walnut!", {Unmet.PART_OF_USER_NAME}),
    ],
)
def test_C2_twelve_with_all_classes_and_no_part_of_the_user_name(plain: str, broken: set[Unmet]):
    assert unmet(plain, C) == broken


@pytest.mark.parametrize(
    ("plain", "broken"), [("Orbitket7", set()), ("Orbitket!", set()), ("Orbitkett", {Unmet.NEEDS_DIGIT_OR_SPECIAL})]
)
def test_D4_eight_with_upper_lower_and_a_number_or_special(plain: str, broken: set[Unmet]):
    assert unmet(plain, D) == broken


def test_the_default_is_fifteen_characters_and_no_composition():
    assert unmet("walnut orbit kettle", rules.DEFAULT_POLICY) == set()
    assert unmet("walnut orbit k", rules.DEFAULT_POLICY) == {Unmet.TOO_SHORT}
    assert unmet("é" * 5 + "walnut orbit kettle" + "漢字" * 52, rules.DEFAULT_POLICY) == set()
    assert Unmet.TOO_LONG in unmet("walnut kettle " * 10, rules.DEFAULT_POLICY)


def test_MODEL_4_minima_and_classes_of_held_portals_add_up_but_maxima_do_not():
    policy = rules.policy_for_setting(held=(A, C))
    assert (policy.min_length, policy.max_length) == (12, 128)
    assert policy.special
    assert policy.no_part_of_user_name
    assert not policy.only_ascii


def test_MODEL_4_a_maximum_counts_only_in_the_portals_own_ceremony_and_never_below_a_held_minimum():
    assert rules.policy_for_setting(held=(D,), own=A).max_length == 20
    longer = PasswordPolicy(min_length=24)
    assert rules.policy_for_setting(held=(longer,), own=A).max_length >= 24


def test_MODEL_4_satisfied_policies_ignore_maxima():
    policies = {"a": A, "c": C, "d": D, "e": rules.DEFAULT_POLICY}
    assert rules.satisfied_policies(STRONG, policies=policies, person=ROSA) == ("a", "c", "d", "e")
    assert rules.satisfied_policies("Orbitket7", policies=policies, person=ROSA) == ("a", "d")


def credential(**changed: object) -> Credential:
    usual = {
        "subject_id": "x",
        "digest": "$argon2id$secret",
        "satisfies": ("a",),
        "must_change": False,
        "temporary_until": None,
        "changed_at": NOON,
    }
    return Credential(**(usual | changed))  # type: ignore[arg-type]


def test_MODEL_4_a_stricter_portal_asks_for_a_change_only_when_the_password_was_typed():
    held, portals = credential(), {"a", "c"}
    assert rules.must_change(held, client_id="c", policed=portals, typed=True)
    assert not rules.must_change(held, client_id="c", policed=portals, typed=False)
    assert not rules.must_change(held, client_id="a", policed=portals, typed=True)
    assert not rules.must_change(held, client_id="partner-app", policed=portals, typed=True)
    assert not rules.must_change(held, client_id=None, policed=portals, typed=True)


def test_D6_a_temporary_password_must_be_changed_and_expires():
    held = credential(must_change=True, temporary_until=NOON + timedelta(days=7))
    assert rules.must_change(held, client_id=None, policed=(), typed=False)
    assert not rules.temporary_has_expired(held, now=NOON + timedelta(days=7) - timedelta(seconds=1))
    assert rules.temporary_has_expired(held, now=NOON + timedelta(days=7))


def test_a_credential_never_shows_its_digest():
    assert "secret" not in repr(credential())


@pytest.mark.parametrize(
    "plain",
    [
        "password", "Password1234567!", "P@ssw0rd!!!!!!!!", "qwertyuiopasdfgh", "123456789012345", "aaaaaaaaaaaaaaaaaaaa",
        "passwordpassword", "abababababababab", "iloveyou12345678", "abcdefghijklmnop", "letmeinletmein", "987654321098765",
        "rosadelgado12345", "Rosa.Delgado.2026!", "heartland2026!!!", "delgadodelgado!!",
        "correct horse battery staple", "Correct Horse  Battery Staple", "q w e r t y u i o p", "pass word pass word",
    ],
)  # fmt: skip
def test_common_walked_repeated_and_own_words_are_blocked(plain: str):
    assert is_common(plain, context=(ROSA.user_id, ROSA.email, *ROSA.words))


@pytest.mark.parametrize(
    "plain", [STRONG, "walnut orbit kettle", "Orbit7kettle!", "tr0ub4dor & three more", "五十音順の長い合言葉ですよ。"]
)
def test_ordinary_long_passwords_are_not_blocked(plain: str):
    assert not is_common(plain, context=(ROSA.user_id, ROSA.email, *ROSA.words))


@given(st.text(max_size=140), st.sampled_from([A, C, D, rules.DEFAULT_POLICY]))
def test_any_text_can_be_judged(plain: str, policy: PasswordPolicy):
    assert set(rules.unmet(plain, policy=policy, person=ROSA)) <= set(Unmet)


@pytest.mark.parametrize("unit", ["a", "ab", "aab", "!", "1a", "password", "\u0130", "ﬁ"])
def test_RX_08_judging_evil_text_stays_under_fifty_milliseconds(unit: str):
    evil = (unit * rules.LONGEST_TYPED)[: rules.LONGEST_TYPED]
    began = time.process_time()
    rules.unmet(evil, policy=C, person=Person("a" * 64, "a" * 200 + "@x.example", ("a" * 80,)))
    assert time.process_time() - began < 0.05
