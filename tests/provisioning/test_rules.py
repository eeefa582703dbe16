"""Lines of a portal's user table, and which account somebody becomes."""

import pytest

from idp.provisioning.people.rules import (
    COLUMNS,
    Access,
    Fate,
    Fault,
    Holder,
    Person,
    PortalTerms,
    access_row,
    fate,
    person_row,
)
from idp.provisioning.people.words import FAULTS
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence
from tests.provisioning.files import NO_ACCESS, row

TERMS = PortalTerms(
    "ozark-exchange",
    "ozark",
    frozenset({TargetKind.TRADING_PARTNER, TargetKind.PRACTICE}),
    {"claims": False, "admin": True},
    Evidence.PAYER,
)
PORTALS = {"ozark-exchange": TERMS}


def person(**changed):
    return person_row(row(**changed), portals=PORTALS)


def access(**changed):
    return access_row(row(**changed), terms=TERMS)


def test_a_whole_line_is_read_into_canonical_values():
    assert person() == Person(
        "ozark-exchange", "RDelgado", "rdelgado", "Rosa@Clinic.example", "rosa@clinic.example", True, "Rosa",
        "Delgado", "+15735550142", row()["password_hash"],
    )  # fmt: skip
    given = access()
    assert isinstance(given, Access)
    assert (given.number, given.levels, given.account_manager) == ("TP123456", ("claims",), False)


def test_where_people_signed_in_by_e_mail_that_is_the_old_login():
    for login in ("", "ROSA@clinic.example"):
        made = person(user_id=login)
        assert isinstance(made, Person)
        assert (made.key, made.named) == ("rosa@clinic.example", "")


def test_a_line_without_access_says_only_who_somebody_is():
    assert access(**NO_ACCESS) is None
    assert access(**{**NO_ACCESS, "status": "active"}) == (Fault.ACCESS_INCOMPLETE,)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"portal": "nowhere"}, Fault.PORTAL),
        ({"user_id": "r d"}, Fault.USER_ID),
        ({"user_id": "other@clinic.example"}, Fault.USER_ID),
        ({"user_id": "adm1n"}, Fault.RESERVED_USER_ID),
        ({"email": ""}, Fault.EMAIL),
        ({"email": "r\u00f6sa@clinic.example"}, Fault.EMAIL),
        ({"email_proven": "YES"}, Fault.EMAIL_PROVEN),
        ({"email_proven": ""}, Fault.EMAIL_PROVEN),
        ({"last_name": " "}, Fault.NAME),
        ({"last_name": "x" * 81}, Fault.NAME),
        ({"first_name": "a\u202eb"}, Fault.NAME),
        ({"phone": "12"}, Fault.PHONE),
        ({"phone": "5" * 500}, Fault.PHONE),
        ({"password_hash": "plain"}, Fault.UNKNOWN_HASH),
        ({"password_hash": "pbkdf2_sha256$9999999$salt$" + "A" * 43 + "="}, Fault.COSTLY_HASH),
        ({"password_hash": "pbkdf2_sha256$9$salt$" + "A" * 43 + "="}, Fault.CHEAP_HASH),
    ],
)
def test_what_is_wrong_about_a_person_is_said(changed, fault):
    assert person(**changed) == (fault,)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"target_kind": "clinic"}, Fault.TARGET_KIND),
        ({"target_kind": "provider", "target_number": "123456"}, Fault.TARGET_KIND),
        ({"target_number": "!"}, Fault.TARGET_NUMBER),
        ({"target_kind": "practice", "target_number": "12345"}, Fault.TARGET_NUMBER),
        ({"status": "ended"}, Fault.STATUS),
        ({"status": "locked"}, Fault.STATUS),
        ({"levels": "claims;everything"}, Fault.LEVELS),
        ({"account_manager": "maybe"}, Fault.MANAGER),
        ({"levels": "admin"}, Fault.MANAGER_LEVEL),
        ({"account_manager": "yes"}, Fault.MANAGER_EVIDENCE),
        ({"evidence": "rumour"}, Fault.EVIDENCE),
    ],
)
def test_what_is_wrong_about_access_is_said(changed, fault):
    assert access(**changed) == (fault,)


def test_every_reason_has_its_sentence():
    assert set(FAULTS) == set(Fault)
    assert len(COLUMNS) == 14


ROSA = Holder(True, "Rosa", "Delgado")
NO_HASH = {"password_hash": ""}


@pytest.mark.parametrize(
    ("changed", "holder", "answered", "expected"),
    [
        ({}, None, True, Fate.NEW),
        ({}, None, False, Fate.NEW),
        (NO_HASH, None, True, Fate.NEW),
        (NO_HASH, None, False, Fault.NO_PROOF),
        ({"email_proven": "no", **NO_HASH}, None, True, Fault.NO_PROOF),
        ({}, ROSA, True, Fate.JOIN),
        ({"first_name": "ROSA M.", "last_name": "D\u00e9lgado"}, ROSA, True, Fate.JOIN),
        ({"first_name": "Ruben"}, ROSA, True, Fault.OTHER_NAME),
        ({"first_name": ""}, ROSA, True, Fault.OTHER_NAME),
        ({}, Holder(True, None, None), True, Fault.OTHER_NAME),
        ({}, ROSA, False, Fate.TWIN),
        ({"email_proven": "no"}, ROSA, True, Fate.TWIN),
        ({}, Holder(False, "Rosa", "Delgado"), True, Fate.TAKE_MAILBOX),
        ({}, Holder(False, "Rosa", "Delgado"), False, Fate.TWIN),
    ],
)
def test_X4_RC_17_RC_19_only_a_mailbox_proven_on_both_sides_makes_one_person_of_two(
    changed, holder, answered, expected
):
    assert fate(person(**changed), holder=holder, answered=answered) is expected
