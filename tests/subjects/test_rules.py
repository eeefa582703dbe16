"""Who a person is: canonical keys, ids, standard claims. No database, no application."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.subjects import claims, rules
from idp.subjects.rules import NOBODY, NewSubject, Reason, Status, SubjectFacts
from idp.vocabulary.refused import Refused

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def person(**changed: object) -> SubjectFacts:
    usual: dict[str, object] = {
        "id": rules.new_subject_id(),
        "status": Status.ACTIVE,
        "epoch": 1,
        "version": 1,
        "user_id": "rosa.delgado",
        "email": "rosa.delgado@clinic.example",
        "email_verified_at": NOON,
        "given_name": "Rosa",
        "family_name": "Delgado",
        "display_name": None,
        "locale": "en",
        "zoneinfo": "America/Chicago",
        "updated_at": NOON,
        "created_at": NOON,
    }
    return SubjectFacts(**(usual | changed))  # type: ignore[arg-type]


def test_a_subject_id_is_26_random_base32_characters():
    made = {rules.new_subject_id() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[a-z2-7]{26}", one) for one in made)


@pytest.mark.parametrize(
    "typed", ["rosa.delgado", "ROSA.Delgado", " rosa.delgado ", "ｒｏｓａ.delgado", "rosa.delgado.", "Rosa.DELGADO.\t"]
)
def test_SI_06_every_spelling_of_a_user_id_is_one_key(typed: str):
    assert rules.login_key(typed) == "rosa.delgado"


@pytest.mark.parametrize(
    "typed", ["Rosa@Clinic.Example", " rosa@clinic.example", "rosa@clinic.example.", "ｒｏｓａ@clinic.example"]
)
def test_SI_06_every_spelling_of_an_address_is_one_key(typed: str):
    assert rules.login_key(typed) == "rosa@clinic.example"


@pytest.mark.parametrize(
    "typed",
    [
        "ros\u0430@clinic.example",
        "rosa@\u0441linic.example",
        "\u212aate@clinic.example",
        "ros\u0131@clinic.example",
        "rosa\u200b@clinic.example",
        "rosa@xn--bcher-kva.example",
        "rosa@b\u00fccher.example",
        "ｒｏｓａ@clinic.example",
    ],
)
def test_EN_08_confusable_addresses_are_refused(typed: str):
    assert rules.email_key(typed) == Refused(Reason.BAD_EMAIL)


@pytest.mark.parametrize(
    "typed",
    [
        "=?utf-8?q?rosa?=@clinic.example",
        '"rosa"@clinic.example',
        "rosa@evil.example@clinic.example",
        "rosa@[127.0.0.1]",
        "rosa@clinic.example,evil@x.example",
        "rosa@clinic.example\r\nbcc: evil@x.example",
        "rosa@clinic.example\x00",
        "Rosa <rosa@clinic.example>",
        "rosa(comment)@clinic.example",
        "rosa @clinic.example",
        "rosa@localhost",
        "@clinic.example",
        "rosa@",
        "",
        "r" * 250 + "@clinic.example",
    ],
)
def test_EN_09_only_a_plain_ascii_address_passes(typed: str):
    assert rules.email_key(typed) == Refused(Reason.BAD_EMAIL)


@pytest.mark.parametrize("typed", ["admin", "Adm1n", "r00t", "h-e-l-p", "sec.urity", "postrnaster", "SUPPORT", "5taff"])
def test_EN_14_reserved_user_ids_are_refused_in_look_alike_spellings_too(typed: str):
    assert rules.user_id_key(typed) == Refused(Reason.RESERVED_USER_ID)


@pytest.mark.parametrize(
    "typed", ["rosa@clinic.example", "ab", "a" * 65, ".rosa", "rosa delgado", "ros\u0430", "ro\nsa", ""]
)
def test_EN_14_a_user_id_is_never_an_address_nor_of_other_letters(typed: str):
    assert rules.user_id_key(typed) == Refused(Reason.BAD_USER_ID)


@given(st.text(max_size=400))
def test_login_key_never_raises_and_always_names_one_or_nobody(typed: str):
    key = rules.login_key(typed)
    assert key
    assert len(key) <= rules.LOGIN_MAX
    assert rules.login_key(key) == key or not rules.may_be_somebody(key)


@given(st.text(min_size=1, max_size=60))
def test_keys_are_stable_under_repetition(typed: str):
    key = rules.user_id_key(typed)
    if isinstance(key, str):
        assert rules.user_id_key(key) == key


@pytest.mark.parametrize("typed", ["correct horse battery staple!", "x" * 255, "pass word", "päss", "a@b@c", "\ud800"])
def test_AU_07_what_cannot_be_a_login_is_kept_only_as_a_digest(typed: str):
    key = rules.login_key(typed)
    assert key.startswith(NOBODY)
    assert typed not in key
    assert not rules.may_be_somebody(key)


def test_an_account_without_a_proven_mailbox_starts_unverified():
    assert rules.status_after_creation(NewSubject(email="a@b.example")) is Status.UNVERIFIED
    assert rules.status_after_creation(NewSubject(email="a@b.example", email_proven=True)) is Status.ACTIVE


def full_profile() -> dict[str, object]:
    return {
        "middle_name": "Elena",
        "nickname": "Ro",
        "profile": "https://people.example/rosa",
        "picture": "https://people.example/rosa.png",
        "website": "https://rosa.example",
        "gender": "female",
        "birthdate": "1980-02-29",
        "address": {"street_address": "1 Main St", "locality": "Ozark", "country": "US", "secret": "x"},
    }


def test_PROTOCOL_15_all_fourteen_profile_claims_can_be_told():
    told = claims.standard_claims(person(profile=full_profile()), phone="+15735550142")
    assert set(claims.PROFILE_CLAIMS) <= told.keys()
    assert len(claims.PROFILE_CLAIMS) == 14
    assert told["address"] == {"street_address": "1 Main St", "locality": "Ozark", "country": "US"}


def test_PROTOCOL_14_types_are_right_and_nothing_is_null_or_empty():
    told = claims.standard_claims(
        person(profile={"nickname": "", "birthdate": "1980-02-30", "address": {}}), phone=None
    )
    assert told["email_verified"] is True
    assert isinstance(told["updated_at"], int)
    assert not {"nickname", "birthdate", "address", "phone_number", "phone_number_verified"} & told.keys()
    assert all(value not in (None, "", {}, []) for value in told.values() if value is not False)


@pytest.mark.parametrize("name", ["sub", "aud", "iss", "exp", "acr", "amr", "tin", "email_verified", "provider_id"])
def test_TK_35_RC_17_a_profile_cannot_set_reserved_claims(name: str):
    told = claims.standard_claims(person(email_verified_at=None, profile={name: "forged"}), phone=None)
    assert told.get(name) != "forged"
    assert told["email_verified"] is False
    assert claims.well_formed({name: "forged"}) == {}


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x.example", "https://x.example/<script>", 7])
def test_only_web_addresses_are_told(url: object):
    assert "website" not in claims.standard_claims(person(profile={"website": url}), phone=None)
