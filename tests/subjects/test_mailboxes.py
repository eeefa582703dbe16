"""RC-19: whoever proves a mailbox first takes it from everybody who only claimed it."""

from datetime import timedelta

import pytest

from idp.audit.models import AuditEvent
from idp.foundation import artefacts
from idp.foundation.artefacts import Kind, digest_of
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.subjects import service
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused

pytestmark = pytest.mark.both
HERE = Origin.local("test")


def free(now, email="Rosa@Clinic.example"):
    with writing() as tx:
        return service.free_unproven_email(tx, email=email, actor="system", now=now, origin=HERE)


def test_RC_19_the_first_proof_takes_the_mailbox_from_a_squatter_and_everything_that_hung_on_it(app, make, now):
    squatter = make.subject("squatter", email="rosa@clinic.example", email_verified_at=None, status="unverified")
    with writing() as tx:
        link, _ = artefacts.issue(
            tx, kind=Kind.PASSWORD_RESET, now=now, lifetime=timedelta(hours=1), subject_id=squatter.id
        )
    assert free(now)
    row = make.row(Subject, squatter.id)
    assert (row.email, row.email_key, row.epoch, row.version) == (None, None, 2, 2)
    with writing() as tx:
        dead = artefacts.peek(tx, kind=Kind.PASSWORD_RESET, digest=digest_of(link.reveal()), now=now)
    assert isinstance(dead, Refused)
    (event,) = make.rows(AuditEvent)
    assert (event.type, event.subject_id) == ("email_lost", squatter.id)
    assert not free(now)
    make.subject("rosa.delgado", email="rosa@clinic.example")


def test_RC_19_a_disabled_squatter_loses_it_too_and_a_proven_mailbox_is_never_taken(app, make, now):
    make.subject("off", email="off@clinic.example", email_verified_at=None, status="disabled")
    owner = make.subject("rosa.delgado", email="rosa@clinic.example")
    assert free(now, "off@clinic.example")
    assert not free(now)
    assert not free(now, "rosa@clinic.example\n")
    assert make.row(Subject, owner.id).email == "rosa@clinic.example"
