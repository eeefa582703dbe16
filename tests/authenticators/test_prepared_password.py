"""A digest made at one step of an enrolment and put in place at its last proof."""

import pytest

from idp.authenticators.password import facts, setting
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.password.rules import Reason
from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.subjects.models import Subject
from idp.subjects.rules import NewSubject
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret
from tests.factories.make import PASSWORD

pytestmark = pytest.mark.both


def test_RC_11_a_prepared_password_replaces_the_old_one_and_kills_what_hung_on_it(app, make, now):
    make.client("ozark-secure")
    rosa = make.subject("rosa.delgado", password="an-older-password-of-hers")
    prepared = setting.digest_and_policies(Secret(PASSWORD), subject=NewSubject(user_id="rosa.delgado"))
    assert not isinstance(prepared, Refused)
    digest, satisfies = prepared
    assert satisfies == ("ozark-secure",)
    with writing() as tx:
        row = tx.get(Subject, rosa.id, with_for_update=True)
        assert row is not None
        setting.store_prepared(tx, subject=row, digest=digest, satisfies=satisfies, now=now)
    with reading() as tx:
        kept = facts.credential_of(tx, subject_id=rosa.id)
    assert kept is not None
    assert (kept.satisfies, kept.must_change, make.row(Subject, rosa.id).epoch) == (satisfies, False, 2)
    verdict = house.get(Kdf).check(Secret(PASSWORD), digest=kept.digest)
    assert not isinstance(verdict, Refused)
    assert verdict.right


def test_RX_02_a_busy_house_prepares_nothing(app, monkeypatch):
    monkeypatch.setattr(Kdf, "digest", lambda *_: Refused(Reason.BUSY))
    assert setting.digest_and_policies(Secret(PASSWORD), subject=NewSubject()) == Refused(Reason.BUSY)
