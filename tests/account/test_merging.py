"""*I have another account*: two proven accounts become one, and nothing gets lost or doubled (X4)."""

import pytest

from idp.account.merging.rules import Reason, unfit
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.authenticators.password.models import PasswordCredential
from idp.consent.models import AgreementAcceptance, Consent
from idp.foundation.database import reading, writing
from idp.subjects import service as subjects
from idp.subjects.models import LegacyLogin, Subject
from tests.account.merging import OLD_PASSWORD, as_rosa, confirm, merge, old_login, proof, prove, review, two
from tests.attacks.test_rc import mails
from tests.authenticators.browsing import sign_in, signed_in

pytestmark = pytest.mark.both


@pytest.fixture(autouse=True)
def portals(make):
    make.client("ozark-exchange", portal={"acting_for": ["trading_partner"], "accepts": "directory"})
    make.client("ozark-secure", portal={"acting_for": ["practice"]})


def test_X4_access_old_logins_agreements_and_consents_move_and_the_other_account_is_closed(client, make, now):
    rosa, old, clinic, held = two(make)
    old_login(now, old)
    with writing() as tx:
        for subject in (rosa, old):
            tx.add(_accepted(subject, now, version="1"))
        tx.add(_accepted(old, now, version="2"))
        tx.add(Consent(subject_id=old.id, client_id="ozark-secure", scopes="openid", granted_at=now))
    answer = merge(as_rosa(client))
    assert answer.status_code == 303
    assert "The two accounts are one now." in client.get(answer.location).text
    moved = make.row(Affiliation, held.id)
    assert (moved.subject_id, moved.status, moved.epoch, moved.target_id) == (rosa.id, "active", 2, clinic.id)
    gone, kept = make.row(Subject, old.id), make.row(Subject, rosa.id)
    assert (gone.status, gone.merged_into, gone.epoch, gone.user_id_key, gone.email_key) == (
        "disabled", rosa.id, 2, None, None,
    )  # fmt: skip
    assert (kept.id, kept.status, kept.user_id, kept.epoch) == (rosa.id, "active", "rosa.delgado", 1)
    assert {(row.portal, row.login_key, row.subject_id) for row in make.rows(LegacyLogin)} == {
        ("ozark-exchange", "rd77", rosa.id), ("", "r.delgado", rosa.id),
    }  # fmt: skip
    assert sorted((row.version, row.subject_id == rosa.id) for row in make.rows(AgreementAcceptance)) == [
        ("1", False), ("1", True), ("2", True),
    ]  # fmt: skip
    assert [row.subject_id for row in make.rows(Consent)] == [rosa.id]
    assert [row.subject_id for row in make.rows(PasswordCredential)] == [rosa.id]


def _accepted(subject, now, *, version):
    return AgreementAcceptance(
        subject_id=subject.id, client_id="ozark-secure", kind="agreement", version=version, text_digest="0" * 64,
        accepted_at=now, address="192.0.2.1",
    )  # fmt: skip


def test_the_review_says_what_moves_and_changes_nothing(client, make, now):
    rosa, old, clinic, _ = two(make)
    old_login(now, old)
    page = review(as_rosa(client))
    for part in (clinic.name, "Comes to this account.", "RD77", "r.delgado@mail.test", "This cannot be undone."):
        assert part in page.text, part
    assert make.row(Subject, old.id).status == "active"
    assert [row.subject_id for row in make.rows(Affiliation)] == [old.id]
    assert rosa.id not in page.text


def test_afterwards_the_old_logins_open_the_one_account_by_its_own_password_only(client, new_browser, make):
    rosa, *_ = two(make)
    merge(as_rosa(client))
    signed_in(new_browser(), "r.delgado")
    assert sign_in(new_browser(), "r.delgado", OLD_PASSWORD).status_code == 422
    with reading() as tx:
        found = subjects.find_by_login(tx, key="r.delgado")
        assert found is not None
        assert found.id == rosa.id
        assert subjects.find_by_login(tx, key="r.delgado@mail.test") is None


def test_who_has_no_user_id_gets_the_other_accounts(client, make):
    rosa, *_ = two(make)
    with writing() as tx:
        row = tx.get(Subject, rosa.id)
        row.user_id = row.user_id_key = None
    merge(signed_in(client, "rosa.delgado@mail.test"))
    assert make.row(Subject, rosa.id).user_id == "r.delgado"
    assert make.rows(LegacyLogin) == []


def test_both_at_one_target_are_united_once(client, make):
    rosa, _, clinic, theirs = two(make)
    mine = make.affiliation(
        rosa, clinic, registry="ozark", evidence="payer", levels=(("ozark-secure", "admin"),), account_manager=True
    )
    page = review(as_rosa(client))
    assert "what you may do is put together" in page.text
    assert "ozark-secure of the tests: Claims inquiry, Administrator" in " ".join(page.text.split())
    confirm(client, page)
    kept, ended = make.row(Affiliation, mine.id), make.row(Affiliation, theirs.id)
    assert (kept.status, ended.status, ended.subject_id != rosa.id) == ("active", "ended", True)
    assert {level.level for level in kept.levels} == {"admin", "claims.inquiry"}
    assert {proof.kind for proof in kept.evidence} == {"payer", "letter"}
    assert kept.account_manager


def test_what_would_raise_rights_is_refused_as_a_whole(client, make):
    make.client("ozark-strict", portal={"acting_for": ["practice"], "accepts_for_manager": "payer"})
    rosa, old, clinic, theirs = two(make)
    make.affiliation(rosa, clinic, registry="ozark", evidence="letter", account_manager=True)
    make.affiliation(old, make.practice(), registry="ozark")
    with writing() as tx:
        from idp.affiliations.models import AffiliationEvidence
        from idp.foundation.database import see_as

        see_as(tx, everything=True)
        tx.add(AffiliationEvidence(affiliation_id=theirs.id, kind="payer", portal="ozark-secure", at=make.now))
    page = client.get(proof(as_rosa(client)))
    assert page.status_code == 409
    assert "Please call the help" in page.text
    assert make.row(Subject, old.id).status == "active"


def test_RC_19_an_imported_twin_is_merged_by_its_old_login_and_password(client, make, now):
    rosa = make.subject("rosa.delgado")
    twin = make.subject(
        "twin", password=OLD_PASSWORD, email=None, email_verified_at=None, status="unverified", user_id_key=None
    )
    old_login(now, twin, "ozark-exchange", "RD77", email="rosa.delgado@mail.test")
    old_login(now, twin, "ozark-secure", "rosa.delgado@mail.test", email="rosa.delgado@mail.test")
    as_rosa(client)
    assert prove(client, login="rd77", portal="").status_code == 422, "it is good at its own portal only"
    answer = merge(client, login="rosa.delgado@mail.test", portal="ozark-secure")
    assert answer.status_code == 303
    assert make.row(Subject, twin.id).merged_into == rosa.id
    assert {row.subject_id for row in make.rows(LegacyLogin)} == {rosa.id}


def test_AU_06_AU_10_both_histories_and_both_mailboxes_are_told(client, make):
    rosa, old, *_ = two(make)
    merge(as_rosa(client))
    told = [(mail.notice, mail.payload.recipient.email) for mail in mails()]
    assert sorted(told) == [
        ("accounts_merged", "r.delgado@mail.test"),
        ("accounts_merged", "rosa.delgado@mail.test"),
        ("confirm_merge", "r.delgado@mail.test"),
    ]
    events = [(row.type, row.subject_id, row.outcome) for row in make.rows(AuditEvent) if "merge" in row.type]
    assert sorted(events) == sorted(
        [("merge_asked", old.id, "ok"), ("account_merged", rosa.id, "ok"), ("account_merged", old.id, "ok")]
    )


def test_an_outdated_temporary_or_second_factor_password_proves_nothing(make, now):
    def facts_of(row):
        with reading() as tx:
            found = subjects.by_id(tx, subject_id=row.id)
            assert found is not None
            return found

    from dataclasses import replace

    from idp.authenticators.password.rules import Credential

    me, other = facts_of(make.subject("mine")), facts_of(make.subject("other"))
    good = Credential(other.id, "x", (), False, None, now)
    usual = {
        "me": me,
        "credential": good,
        "right": True,
        "mailboxes": [],
        "address_changed": False,
        "now": now,
    }
    assert unfit(other, **usual) is None
    assert unfit(None, **usual) is Reason.NOT_RIGHT
    assert unfit(other, **usual | {"right": False}) is Reason.NOT_RIGHT
    assert unfit(me, **usual) is Reason.SAME_ACCOUNT
    assert unfit(other, **usual | {"address_changed": True}) is Reason.ADDRESS_CHANGED
    assert unfit(other, **usual | {"credential": replace(good, must_change=True)}) is Reason.TEMPORARY_PASSWORD
    assert unfit(other, **usual | {"credential": replace(good, temporary_until=now)}) is Reason.NOT_RIGHT
