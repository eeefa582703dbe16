"""Old user IDs of several portals: equal ones of two people are never confused (X4)."""

import pytest
from sqlalchemy.exc import IntegrityError

from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.subjects import legacy, service
from idp.subjects.legacy import OldLogin
from idp.subjects.rules import NewSubject, Reason
from idp.vocabulary.refused import Refused

pytestmark = pytest.mark.both
HERE = Origin.local("test")


def remember(now, subject, portal, login="jsmith", email=None):
    with writing() as tx:
        old = OldLogin(portal, login.casefold(), login, email)
        legacy.add(tx, old, subject_id=subject.id, actor="system", now=now, origin=HERE)


def whose(portal, key="jsmith"):
    with reading() as tx:
        found = service.find_by_login(tx, key=key, portal=portal)
    return found and found.id


def test_X4_equal_old_user_ids_of_two_portals_lead_to_two_people_each_at_their_portal(app, make, now):
    joan, john = make.subject("joan"), make.subject("john")
    remember(now, joan, "ozark-exchange")
    remember(now, john, "heartland-selfservice")
    assert whose("ozark-exchange") == joan.id
    assert whose("heartland-selfservice") == john.id
    assert whose("cascade-mmis") is None
    assert whose(None) is None


def test_X4_at_its_own_portal_an_old_user_id_comes_before_an_equal_user_id_of_the_house(app, make, now):
    house, old = make.subject("jsmith"), make.subject("old.one")
    remember(now, old, "ozark-exchange")
    assert whose("ozark-exchange") == old.id
    assert whose("cascade-mmis") == whose(None) == house.id


def test_a_login_of_a_merged_account_is_good_everywhere_after_all_others(app, make, now):
    merged, other = make.subject("survivor"), make.subject("other")
    remember(now, merged, "")
    remember(now, other, "ozark-exchange")
    assert whose(None) == whose("cascade-mmis") == merged.id
    assert whose("ozark-exchange") == other.id


def test_an_old_e_mail_login_signs_nobody_in(app, make, now):
    twin = make.subject("twin", email=None)
    remember(now, twin, "ozark-secure", "rosa@clinic.example", email="rosa@clinic.example")
    assert whose("ozark-secure", "rosa@clinic.example") is None
    with reading() as tx:
        assert legacy.owner(tx, portal="ozark-secure", key="rosa@clinic.example") == twin.id
        assert [old.login for old in legacy.of(tx, subject_id=twin.id)] == ["rosa@clinic.example"]


def test_an_old_login_has_one_owner(app, make, now):
    joan, john = make.subject("joan"), make.subject("john")
    remember(now, joan, "ozark-exchange")
    with pytest.raises(IntegrityError):
        remember(now, john, "ozark-exchange")


def test_EN_14_nobody_registers_what_is_an_old_user_id_somewhere(app, make, now):
    remember(now, make.subject("joan"), "ozark-exchange")
    with writing() as tx:
        made = service.create(tx, new=NewSubject(user_id="JSmith"), actor="system", now=now, origin=HERE)
    assert made == Refused(Reason.TAKEN)
    with reading() as tx:
        assert legacy.is_known(tx, key="jsmith")


def choose(now, subject, user_id="JSmith"):
    with writing() as tx:
        return service.choose_user_id(
            tx, subject_id=subject.id, user_id=user_id, actor=subject.id, now=now, origin=HERE
        )


def test_EN_14_a_person_may_make_their_own_old_user_id_good_everywhere_unless_it_is_also_anothers(app, make, now):
    joan, john, jack = (make.subject(name, user_id_key=None) for name in ("joan", "john", "jack"))
    remember(now, joan, "ozark-exchange")
    assert choose(now, jack) == Refused(Reason.TAKEN)
    remember(now, john, "heartland-selfservice")
    assert choose(now, joan) == Refused(Reason.TAKEN)
    remember(now, joan, "ozark-secure", "joan.smith")
    assert choose(now, joan, "Joan.Smith") is None
    assert whose("cascade-mmis", "joan.smith") == joan.id


def test_a_merged_account_is_never_enabled_again(app, make, now):
    gone = make.subject("gone", status="disabled", merged_into="a" * 26)
    with writing() as tx:
        done = service.enable(tx, subject_id=gone.id, actor="system", now=now, origin=HERE)
    assert done == Refused(Reason.UNCHANGED)
