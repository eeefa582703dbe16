"""People in the database: made once, found by any spelling, shut out by one epoch."""

import pytest

from idp.audit.models import AuditEvent
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.subjects import service
from idp.subjects.rules import NewSubject, Reason, Status, SubjectFacts, login_key
from idp.vocabulary.refused import Refused

pytestmark = pytest.mark.both
HERE = Origin.local("test")


def create(now, **given):
    with writing() as tx:
        new = NewSubject(**({"user_id": "Rosa.Delgado", "email": "Rosa@Clinic.example", "email_proven": True} | given))
        return service.create(tx, new=new, actor="system", now=now, origin=HERE)


def test_a_person_is_found_by_any_spelling_of_either_login(app, now):
    made = create(now)
    with reading() as tx:
        for typed in ("ROSA.DELGADO", " rosa@CLINIC.example "):
            found = service.find_by_login(tx, key=login_key(typed))
            assert found is not None
            assert found.id == made.id
        assert service.find_by_login(tx, key=login_key("x" * 5000)) is None
        assert service.find_by_login(tx, key=login_key("\x00")) is None


def test_EN_08_EN_10_a_login_belongs_to_one_account_whatever_its_spelling(app, now):
    create(now)
    assert create(now, user_id="ROSA.delgado", email="other@clinic.example") == Refused(Reason.TAKEN)
    assert create(now, user_id="other", email="rosa@clinic.EXAMPLE") == Refused(Reason.TAKEN)


def test_an_account_needs_a_login(app, now):
    assert create(now, user_id=None, email=None) == Refused(Reason.NO_LOGIN)


def test_the_telephone_is_sealed_and_told_in_the_claims(app, make, now):
    made = create(now, phone="+15735550142")
    assert isinstance(made, SubjectFacts)
    assert b"5550142" not in (made.phone_sealed or b"")
    assert service.profile_claims(made)["phone_number"] == "+15735550142"


def test_disabling_bumps_the_epoch_and_is_told_once(app, make, now):
    made = create(now)
    with writing() as tx:
        done = service.disable(tx, subject_id=made.id, reason="left", actor="system", now=now, origin=HERE)
    assert (done.status, done.epoch) == (Status.DISABLED, made.epoch + 1)
    with writing() as tx:
        again = service.disable(tx, subject_id=made.id, reason="left", actor="system", now=now, origin=HERE)
    assert again == Refused(Reason.UNCHANGED)
    assert sorted(event.type for event in make.rows(AuditEvent)) == ["subject_created", "subject_disabled"]


def test_enabling_proves_no_mailbox(app, now):
    made = create(now, email_proven=False)
    with writing() as tx:
        service.disable(tx, subject_id=made.id, reason="left", actor="system", now=now, origin=HERE)
        enabled = service.enable(tx, subject_id=made.id, actor="system", now=now, origin=HERE)
    assert enabled.status is Status.UNVERIFIED
    with writing() as tx:
        unknown = service.enable(tx, subject_id="nobody", actor="system", now=now, origin=HERE)
    assert unknown == Refused(Reason.UNKNOWN)
