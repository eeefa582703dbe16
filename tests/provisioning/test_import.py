"""`idp people import` in the database: who becomes whom, what moves, and that a second run changes nothing."""

import io

import pytest

from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.authenticators.password.models import PasswordCredential
from idp.foundation.origin import Origin
from idp.provisioning.people.service import run_import
from idp.subjects.models import LegacyLogin, Subject
from idp.vocabulary.affiliation import AffiliationStatus
from tests.attacks.test_rc import ask
from tests.authenticators.browsing import post_form, sign_in, signed_in
from tests.authenticators.test_mailbox_proof import links
from tests.authenticators.test_password_views import await_step, park
from tests.provisioning.files import NO_ACCESS, PASSLIB, WREN, row, table

pytestmark = pytest.mark.both
LEVELS = [
    {"key": "claims", "label": {"en": "Claims", "es": "Reclamaciones"}},
    {"key": "admin", "label": {"en": "Manage", "es": "Administrar"}, "manages": True},
]


@pytest.fixture
def portals(make):
    exchange = make.client(
        "ozark-exchange", portal={"acting_for": ["trading_partner"], "accepts": "directory"}, levels=LEVELS
    )
    secure = make.client("ozark-secure", portal={"acting_for": ["practice"]}, levels=LEVELS)
    partner = make.trading_partner("TP123456")
    practice = make.practice("980000123")
    return exchange, secure, partner, practice


@pytest.fixture
def take(app, portals, now):
    def run(*rows, answered=True, **how):
        refused = []
        report = run_import(
            io.BytesIO(table(*rows)),
            name="users.csv",
            answered=answered,
            now=now,
            actor="system",
            origin=Origin.local("test"),
            keep_reject=refused.append,
            **how,
        )
        return report, [(each.line, *each.faults) for each in refused]

    return run


SECURE = {
    "portal": "ozark-secure", "user_id": "", "target_kind": "practice", "target_number": "980000123", "levels": "",
    "evidence": "letter",
}  # fmt: skip


def counts(report):
    return {name: report.as_dict()[name] for name in ("added", "changed", "unchanged", "rejected")}


def test_X4_the_users_of_two_portals_with_one_proven_mailbox_become_one_person(take, make, new_browser):
    report, refused = take(row(), row(**SECURE))
    assert (counts(report), refused) == ({"added": 1, "changed": 1, "unchanged": 0, "rejected": 0}, [])
    [rosa] = make.rows(Subject)
    assert (rosa.status, rosa.email, rosa.user_id, rosa.email_verified_at) == (
        "active",
        "Rosa@Clinic.example",
        None,
        make.now,
    )
    assert {(old.portal, old.login_key) for old in make.rows(LegacyLogin)} == {
        ("ozark-exchange", "rdelgado"),
        ("ozark-secure", "rosa@clinic.example"),
    }
    assert {(each.target_kind, each.status) for each in make.rows(Affiliation)} == {
        ("trading_partner", "active"),
        ("practice", "active"),
    }
    signed_in(new_browser(), "rosa@clinic.example", WREN)
    assert make.rows(PasswordCredential)[0].digest.startswith("$argon2id$")


def state(make):
    return [
        sorted(repr(sorted((k, v) for k, v in vars(each).items() if not k.startswith("_"))) for each in make.rows(kind))
        for kind in (Subject, LegacyLogin, PasswordCredential)
    ] + [len(make.rows(Affiliation)), len([e for e in make.rows(AuditEvent) if e.type != "people_imported"])]


def test_the_same_file_again_changes_nothing(take, make):
    rows = row(), row(**SECURE), row(user_id="other.one", email="other@clinic.example", email_proven="no", **NO_ACCESS)
    take(*rows)
    before = state(make)
    report, refused = take(*rows)
    assert (counts(report), refused) == ({"added": 0, "changed": 0, "unchanged": 3, "rejected": 0}, [])
    assert state(make) == before


def test_a_dry_run_counts_the_same_and_writes_nothing(take, make):
    rows = row(), row(**SECURE), row(**SECURE | {"portal": "nowhere"})
    dry, refused_dry = take(*rows, dry_run=True)
    assert (make.rows(Subject), make.rows(LegacyLogin), make.rows(AuditEvent)) == ([], [], [])
    wet, refused_wet = take(*rows)
    assert (counts(dry), refused_dry) == (counts(wet), refused_wet)
    assert wet.as_dict()["notes"] == dry.as_dict()["notes"]


def test_RC_17_without_an_answer_for_the_mailboxes_they_are_to_be_proven(take, make, new_browser):
    report, _ = take(row(), answered=False)
    assert report.notes["mailboxes_to_prove"] == 1
    [rosa] = make.rows(Subject)
    assert (rosa.status, rosa.email_verified_at) == ("unverified", None)
    assert sign_in(new_browser(), "rosa@clinic.example", WREN).status_code == 422
    ask(new_browser(), "rosa@clinic.example")
    browser = new_browser()
    answer = post_form(browser, browser.get(links()[0]), "prove-mailbox-form", password=WREN)
    assert answer.status_code == 200
    signed_in(new_browser(), "rosa@clinic.example", WREN)


def test_X4_what_is_not_proven_on_both_sides_becomes_a_twin_without_the_address(take, make):
    rosa = make.subject("rosa.delgado", email="rosa@clinic.example")
    report, _ = take(row(email_proven="no"))
    assert report.notes["twins"] == 1
    [twin] = [each for each in make.rows(Subject) if each.id != rosa.id]
    assert (twin.status, twin.email, twin.email_key) == ("unverified", None, None)
    assert [(old.subject_id, old.email_key) for old in make.rows(LegacyLogin)] == [(twin.id, "rosa@clinic.example")]


def test_RC_19_a_proven_mailbox_is_taken_from_who_only_claimed_it(take, make):
    squatter = make.subject("squatter", email="rosa@clinic.example", email_verified_at=None, status="unverified")
    report, _ = take(row())
    assert report.notes["mailboxes_taken"] == 1
    assert make.row(Subject, squatter.id).email is None
    assert [each.email for each in make.rows(Subject) if each.id != squatter.id] == ["Rosa@Clinic.example"]


def test_an_account_that_is_there_keeps_its_password_and_name(take, make):
    rosa = make.subject("rosa.delgado", email="rosa@clinic.example", family_name="DELGADO")
    digest = make.rows(PasswordCredential)[0].digest
    report, _ = take(row())
    assert (report.changed, report.notes["joined"], report.notes["passwords_left"]) == (1, 1, 1)
    assert make.rows(PasswordCredential)[0].digest == digest
    assert make.row(Subject, rosa.id).family_name == "DELGADO"


def test_rejects_say_line_and_reason_and_touch_nobody(take, make):
    make.subject("other", email="shared@clinic.example", given_name="Somebody", family_name="Else")
    report, refused = take(
        row(target_number="TP999999"),
        row(user_id="second.one", email="shared@clinic.example"),
        row(user_id="third.one", email="third@clinic.example", password_hash="", email_proven="no"),
        row(user_id="fourth.one", email="fourth@clinic.example", **NO_ACCESS),
        row(user_id="fourth.one", email="fourth@clinic.example", **NO_ACCESS),
        row(user_id="fourth.one", email="fifth@clinic.example"),
    )
    assert sorted(refused) == [
        (2, "target_unknown"),
        (3, "other_name"),
        (4, "no_proof"),
        (6, "duplicate"),
        (7, "person_differs"),
    ]
    assert (report.added, report.rejected, len(make.rows(Subject))) == (1, 5, 2)


def test_D8_what_ended_since_never_comes_back_by_the_same_file(take, make):
    from idp.affiliations import service as affiliations
    from idp.foundation.database import writing

    take(row())
    [held] = make.rows(Affiliation)
    with writing() as tx:
        affiliations.change_status(
            tx, affiliation_id=held.id, status=AffiliationStatus.ENDED, now=make.now, actor="system",
            origin=Origin.local("test"),
        )  # fmt: skip
    report, _ = take(row())
    assert (report.unchanged, len(make.rows(Affiliation))) == (1, 1)


def test_a_second_portals_statement_is_added_to_the_same_affiliation(take, make, portals):
    make.client("ozark-other", portal={"acting_for": ["practice"]}, levels=LEVELS)
    rows = row(**SECURE), row(**SECURE | {"portal": "ozark-other", "levels": "claims", "evidence": "payer"})
    report, _ = take(*rows)
    assert report.notes["affiliations_added_to"] == 1
    [held] = make.rows(Affiliation)
    assert {(proof.portal, proof.kind) for proof in held.evidence} == {
        ("ozark-secure", "letter"),
        ("ozark-other", "payer"),
    }
    assert [(level.portal, level.level) for level in held.levels] == [("ozark-other", "claims")]
    assert take(*rows)[0].unchanged == 2


def test_equal_old_user_ids_of_two_portals_stay_two_people(take, make):
    take(row(), row(**SECURE | {"user_id": "rdelgado", "email": "ruben@clinic.example", "first_name": "Ruben"}))
    assert len(make.rows(Subject)) == 2
    assert len({old.subject_id for old in make.rows(LegacyLogin)}) == 2


def test_X4_at_the_old_portal_the_old_user_id_still_opens_the_account_and_nowhere_else(take, new_browser, now):
    take(row())
    for portal, expected in (("ozark-exchange", 303), ("ozark-secure", 422)):
        browser = new_browser()
        txn = park(browser, now, portal)
        await_step(txn, "password")
        page = browser.get(f"/sign-in/{txn}/password")
        answer = post_form(browser, page, "login-form", username="rdelgado", password=WREN)
        assert (portal, answer.status_code) == (portal, expected)


def test_the_run_is_audited_once_and_without_anybody_in_it(take, make):
    take(row())
    [event] = [each for each in make.rows(AuditEvent) if each.type == "people_imported"]
    assert event.details["mailboxes_answered_for"] is True
    assert event.details["added"] == 1
    assert "rosa" not in str(event.details).casefold()
    assert PASSLIB not in str([vars(each) for each in make.rows(AuditEvent)])
