"""A registrar and access that is there already: disable, enable, end, move, mail again, mark, comment (MODEL §7, §10; AD-07, AD-11, AD-14, EN-17)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.affiliations.deciding.models import Comment
from idp.affiliations.deciding.rules import (
    NEVER_THE_PAYER,
    ONLY_THE_PAYER,
    Act,
    Actor,
    Member,
    Reason,
    Setting,
    decide,
    offered,
)
from idp.affiliations.deciding.service import MAILS_A_PERSON
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.directory.models import Provider
from idp.foundation.database import see_as, writing
from idp.messaging.models import OutboxMessage
from idp.sessions.models import LogoutDelivery
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import PORTAL, World
from tests.authenticators.browsing import press
from tests.console.staff_world import REGISTRAR, enter_as, post, staff

ACTIVE, DISABLED, SUSPENDED = AffiliationStatus.ACTIVE, AffiliationStatus.DISABLED, AffiliationStatus.SUSPENDED
UNVERIFIED = AffiliationStatus.UNVERIFIED
CATALOGUE = frozenset({"eligibility", "claims", "admin"})
NORA = Actor("nora", CATALOGUE, (Evidence.PAYER,), payer=True)


@pytest.mark.parametrize(
    ("act", "changed", "expected"),
    [
        (Act.DISABLE, {"managed": True}, None),
        (Act.DISABLE, {"status": DISABLED}, Reason.NOT_IN_THIS_STATE),
        (Act.REMOVE, {"managed": True}, Reason.HAS_A_MANAGER),
        (Act.REMOVE, {}, None),
        (Act.REMOVE, {"account_manager": True}, None),
        (Act.REMOVE, {"managed": True, "status": SUSPENDED}, None),
        (Act.REMOVE, {"status": AffiliationStatus.ENDED}, Reason.NOT_IN_THIS_STATE),
        (Act.ENABLE, {"status": DISABLED, "managed": True, "disabled_by": "manager"}, Reason.HAS_A_MANAGER),
        (Act.ENABLE, {"status": DISABLED, "managed": True, "disabled_by": "payer"}, None),
        (Act.ENABLE, {"status": DISABLED, "disabled_by": "dormant"}, None),
        (Act.ENABLE, {}, Reason.NOT_IN_THIS_STATE),
        (Act.MOVE, {"status": SUSPENDED, "movable": True, "managed": True}, None),
        (Act.MOVE, {"status": SUSPENDED, "movable": False}, Reason.NOT_IN_THIS_STATE),
        (Act.MOVE, {"movable": True}, Reason.NOT_IN_THIS_STATE),
        (Act.DISABLE, {"version": 4}, Reason.CHANGED_MEANWHILE),
        (Act.REMOVE, {"subject_id": "nora"}, Reason.SELF),
        (Act.SET_LEVELS, {"subject_id": "nora"}, Reason.SELF),
        (Act.SEND_REGISTRATION, {"status": UNVERIFIED}, None),
        (Act.SEND_REGISTRATION, {}, Reason.NOT_IN_THIS_STATE),
        (Act.SEND_REGISTRATION, {"status": UNVERIFIED, "managed": True}, Reason.HAS_A_MANAGER),
        (Act.SEND_RESET, {}, None),
        (Act.SEND_RESET, {"managed": True}, Reason.HAS_A_MANAGER),
        (Act.SET_LEVELS, {"wanted": {"claims", "admin"}}, None),
        (Act.SET_LEVELS, {"wanted": {"claims"}, "managed": True}, Reason.HAS_A_MANAGER),
        (Act.SET_LEVELS, {"wanted": {"root"}}, Reason.NO_SUCH_LEVEL),
        (Act.SET_LEVELS, {"wanted": set()}, Reason.NO_LEVEL),
        (Act.SET_LEVELS, {"wanted": {"claims"}, "status": DISABLED}, Reason.NOT_IN_THIS_STATE),
        (Act.MARK, {"managed": True}, None),
        (Act.MARK, {"account_manager": True}, Reason.NOT_IN_THIS_STATE),
        (Act.MARK, {"subject_id": "nora"}, Reason.SELF),
        (Act.MARK, {"status": SUSPENDED}, Reason.NOT_IN_THIS_STATE),
        (Act.UNMARK, {"account_manager": True, "managed": True}, None),
        (Act.UNMARK, {"account_manager": True}, None),
        (Act.UNMARK, {}, Reason.NOT_IN_THIS_STATE),
        (Act.UNMARK, {"account_manager": True, "subject_id": "nora"}, Reason.SELF),
        (Act.COMMENT, {}, None),
        (Act.COMMENT, {"managed": True}, Reason.HAS_A_MANAGER),
        (Act.COMMENT, {"status": AffiliationStatus.ENDED}, Reason.NOT_IN_THIS_STATE),
        (Act.VERIFY, {"status": AffiliationStatus.VERIFICATION_PENDING}, Reason.NOT_THEIRS),
        (Act.START_RECOVERY, {}, Reason.NOT_THEIRS),
    ],
)
def test_MODEL_7_where_somebody_manages_the_payer_does_only_what_is_the_payer_s(
    act: Act, changed: dict[str, Any], expected: Reason | None
) -> None:
    values = {"subject_id": "oscar", "status": ACTIVE, "version": 3, "levels": frozenset({"eligibility"})} | changed
    wanted, managed = values.pop("wanted", ()), bool(values.pop("managed", False))
    found = decide(
        act, actor=NORA, member=Member(**values), setting=Setting(CATALOGUE, "admin", int(managed)), version=3,
        wanted=wanted,
    )  # fmt: skip
    assert found == (None if expected is None else Refused(expected))


def test_MODEL_7_what_is_the_payer_s_no_manager_does() -> None:
    lena = Actor("lena", CATALOGUE, (Evidence.PAYER,))
    member, setting = Member("oscar", ACTIVE, 1, frozenset({"claims"})), Setting(CATALOGUE, "admin", 1)
    assert not offered(actor=lena, member=member, setting=setting) & ONLY_THE_PAYER
    assert not offered(actor=NORA, member=member, setting=replace(setting, other_managers=0)) & NEVER_THE_PAYER
    suspended = Member("oscar", SUSPENDED, 1, frozenset({"admin"}), account_manager=True, movable=True)
    for act in ONLY_THE_PAYER:
        assert decide(act, actor=lena, member=suspended, setting=setting, version=1) == Refused(Reason.NOT_THEIRS)


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def nora(client: FlaskClient, world: World, make: Any) -> FlaskClient:
    return enter_as(client, make, staff(make, REGISTRAR))


def page_of(row: Affiliation) -> str:
    return f"/console/registrants/{row.id}"


def keep(nora: FlaskClient, row: Affiliation, act: str, reason: str = "left the practice") -> Any:
    """From the page that says what will happen, where it is offered; else by hand."""
    here = f"{page_of(row)}/act/{act}"
    asked = nora.get(here)
    if asked.status_code == 303:
        return post(nora, here, version=row.version, reason=reason)
    return press(nora, asked, here, reason=reason)


@pytest.mark.both
def test_MODEL_10_access_that_the_payer_disables_only_the_payer_enables(nora: FlaskClient, world: World) -> None:
    row = world.member()
    assert 'id="remove"' not in nora.get(page_of(row)).text, "Lena manages here"
    assert keep(nora, row, "remove").status_code == 409
    assert keep(nora, row, "disable", reason="  ").status_code == 422
    assert keep(nora, row, "disable").status_code == 303
    after = world.row(row)
    assert (after.status, after.disabled_by, after.epoch) == ("disabled", "payer", row.epoch + 1)
    assert keep(nora, row, "enable").status_code == 303
    assert world.row(row).status == "unverified"
    assert {mail.notice for mail in world.make.rows(OutboxMessage)} == {"access_ended", "registration_link"}
    told = [event for event in world.make.rows(AuditEvent) if event.type == "affiliation_changed"]
    assert [event.details.get("after") for event in told if event.outcome == "ok"] == ["disabled", "unverified"]
    assert {event.outcome for event in told} == {"ok", "has_a_manager", "no_reason"}
    assert all(event.actor.startswith("staff:") for event in told)


@pytest.mark.both
def test_MODEL_10_what_the_roster_moved_begins_anew_where_it_is_now_and_brings_no_mark(
    nora: FlaskClient, world: World, make: Any
) -> None:
    other = make.practice("981119999")
    with writing() as tx:
        see_as(tx, everything=True)
        provider = tx.get_one(Provider, world.provider.id)
        provider.practice_id, provider.tin_changed_at = other.id, make.now - timedelta(hours=1)
    assert "Move" in nora.get(page_of(world.mine)).text
    assert keep(nora, world.mine, "move", reason="confirmed by telephone").status_code == 303
    rows = {row.status: row for row in make.rows(Affiliation)}
    assert rows["ended"].id == world.mine.id
    new = rows["unverified"]
    assert (new.target_id, new.account_manager, [proof.kind for proof in new.evidence]) == (
        world.provider.id, False, ["payer"],
    )  # fmt: skip
    assert {level.level for level in new.levels} == {"claims.inquiry", "claims.submit"}
    assert [mail.notice for mail in make.rows(OutboxMessage) if mail.notice == "registration_link"] == [
        "registration_link"
    ]
    assert 'id="keep"' not in nora.get(page_of(world.mine)).text, "an end is final"


@pytest.mark.both
def test_AD_14_where_nobody_manages_the_registrar_ends_access_and_its_tokens(
    nora: FlaskClient, world: World, make: Any
) -> None:
    other = make.provider("100200999", tin="981110001")
    row = make.affiliation(
        make.subject("kim"), other, registry="heartland", portal=PORTAL, levels=((PORTAL, "claims.inquiry"),)
    )
    assert keep(nora, row, "remove").status_code == 303
    after = world.row(row)
    assert (after.status, after.epoch) == ("ended", row.epoch + 1)
    assert make.rows(LogoutDelivery) == [], "nobody was signed in under it"


def unmanaged(make: Any, user_id: str, **changed: Any) -> Affiliation:
    other = make.provider("100200998", tin="981110002")
    return make.affiliation(
        make.subject(user_id, email=f"{user_id}@clinic.test"), other, registry="heartland", portal=PORTAL,
        **({"levels": ((PORTAL, "claims.inquiry"),)} | changed),
    )  # fmt: skip


@pytest.mark.both
def test_E5_a_registrant_whose_link_lapsed_gets_another_worth_no_more_and_not_without_end(
    nora: FlaskClient, world: World, make: Any
) -> None:
    row = unmanaged(make, "kim", status="unverified", activated_at=None, last_used_at=None, evidence="directory")
    for _ in range(2):
        assert keep(nora, row, "send_registration", reason="the link lapsed").status_code == 303
    first, second = sorted(make.rows(Invitation), key=lambda each: each.voided_at is None)
    assert first.voided_at is not None and second.voided_at is None, "a former link is dead"
    assert {first.evidence, second.evidence} == {"directory"}
    assert world.row(row).status == "unverified"
    for _ in range(MAILS_A_PERSON.limit - 2):
        assert keep(nora, row, "send_registration").status_code == 303
    late = keep(nora, row, "send_registration")
    assert late.status_code == 429 and "Too many mails" in late.text
    helped = [event for event in make.rows(AuditEvent) if event.details.get("act") == "send_registration"]
    assert sorted(event.type for event in helped) == ["affiliation_changed", *["member_helped"] * MAILS_A_PERSON.limit]
    assert {line.action for line in make.rows(Comment)} == {"payer_send_registration"}


@pytest.mark.both
def test_MODEL_7_the_registrar_takes_the_mark_and_leaves_the_access(nora: FlaskClient, world: World, make: Any) -> None:
    assert keep(nora, world.mine, "unmark", reason="no longer the office manager").status_code == 303
    after = world.row(world.mine)
    assert (after.status, after.account_manager, after.epoch) == ("active", False, world.mine.epoch + 1)
    assert {level.level for level in after.levels} == {"claims.inquiry", "claims.submit"}
    assert 'id="unmark"' not in nora.get(page_of(world.mine)).text
    (changed,) = [event for event in make.rows(AuditEvent) if event.type == "levels_changed"]
    rest = ["claims.inquiry", "claims.submit"]
    assert changed.details == {"before": ["admin", *rest], "after": rest}
    (mail,) = make.rows(OutboxMessage)
    assert mail.notice == "access_changed"
    assert keep(nora, world.mine, "comment", reason="called: Lena left").status_code == 303
    assert {(line.action, line.text) for line in make.rows(Comment)} == {
        ("payer_unmark", "no longer the office manager"),
        ("payer_comment", "called: Lena left"),
    }
    assert world.row(world.mine).version == after.version, "a comment changes nothing"
