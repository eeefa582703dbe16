"""Registering on both databases: what is written, who is told, and that it happens once (MODEL §10)."""

from datetime import timedelta
from typing import Any

import pytest

from idp.affiliations.models import Affiliation
from idp.affiliations.registering import service
from idp.affiliations.registering.rules import Becomes, Outcome, Reason
from idp.affiliations.registering.service import Registered
from idp.affiliations.registering.sweeping import end_lapsed
from idp.affiliations.requests.models import AccessRequest
from idp.audit.models import AuditEvent
from idp.foundation.database import reading, see_as, writing
from idp.messaging.models import OutboxMessage
from idp.relying_parties import service as clients
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused
from tests.affiliations.pins.posted import portal
from tests.affiliations.registering.world import (
    HERE,
    by_claim,
    by_letter,
    by_match,
    claiming,
    matching,
    register,
    registering,
)

pytestmark = pytest.mark.both


def mails(make: Any) -> list[tuple[str, str | None]]:
    return sorted(((row.notice, row.subject_id) for row in make.rows(OutboxMessage)), key=str)


def the_affiliation(make: Any, subject: Any) -> Affiliation:
    (row,) = [row for row in make.rows(Affiliation) if row.subject_id == subject.id and row.status != "ended"]
    return row


def levels(row: Affiliation) -> set[tuple[str, str]]:
    return {(held.portal, held.level) for held in row.levels}


def test_D3_a_letter_makes_an_account_manager_and_tells_the_others(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    first, second = make.subject("lena.ortiz"), make.subject("oscar.benitez")
    found = register(first, party, by_letter(party, provider, now=now), now=now)
    row = the_affiliation(make, first)
    assert found == Registered(Outcome.ACTIVE, account_manager=True, affiliation_id=row.id)
    assert (row.status, row.account_manager, row.activated_at) == ("active", True, now)
    assert [(proof.kind, proof.portal) for proof in row.evidence] == [("letter", "cascade-mmis")]
    assert levels(row) == {("cascade-mmis", "claims.inquiry"), ("cascade-mmis", "admin")}
    assert mails(make) == []
    found = register(second, party, by_letter(party, provider, now=now + timedelta(days=1), pin="other2PIN"), now=now)
    assert isinstance(found, Registered)
    assert found.account_manager
    assert mails(make) == [("colleague_joined", first.id)]


def test_D2_a_letter_is_used_up_by_the_affiliation_that_it_makes(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    first, second = make.subject(), make.subject()
    proof = by_letter(party, provider, now=now)
    assert isinstance(register(first, party, proof, now=now), Registered)
    assert isinstance(register(second, party, proof, now=now), Refused)
    assert [row.subject_id for row in make.rows(Affiliation)] == [first.id]
    refusals = [row.outcome for row in make.rows(AuditEvent) if row.type == "affiliation_made" and row.outcome != "ok"]
    assert refusals == ["no_match"]


def test_D2_nothing_stays_when_the_callers_transaction_fails(make: Any, now: Any) -> None:
    party, provider, person = portal(make), make.provider("100200300"), make.subject()
    proof = by_letter(party, provider, now=now)
    with pytest.raises(RuntimeError), writing() as tx:
        assert isinstance(registering(tx, person, party, proof, now=now), Registered)
        raise RuntimeError
    assert make.rows(Affiliation) == []
    assert isinstance(register(person, party, proof, now=now), Registered), "the letter is still good"


def test_C9_the_first_match_is_manager_and_C8_the_second_a_request(make: Any, now: Any) -> None:
    party, practice = matching(make), make.practice()
    make.group("100200300", practice=practice)
    first, second = make.subject("lena.ortiz"), make.subject("oscar.benitez")
    proof = by_match(practice.id, kind=TargetKind.PRACTICE, reason="I work there.")
    found = register(first, party, proof, now=now)
    assert isinstance(found, Registered)
    assert (found.outcome, found.account_manager) == (Outcome.ACTIVE, True)
    found = register(second, party, proof, now=now)
    (request,) = make.rows(AccessRequest)
    assert found == Registered(Outcome.REQUESTED, request_id=request.id)
    assert (request.subject_id, request.reason, request.target_id) == (second.id, "I work there.", practice.id)
    assert mails(make) == [("access_request_received", None), ("access_requested", first.id)]
    assert [row.subject_id for row in make.rows(Affiliation)] == [first.id]


def test_C8_a_practices_manager_manages_its_providers_and_no_other_practice_s(make: Any, now: Any) -> None:
    party, practice = matching(make), make.practice("981112223")
    ours = make.provider("100200301", practice=practice, tin="981112223")
    theirs = make.provider("100200302")
    make.affiliation(make.subject(), practice, registry="heartland", account_manager=True)
    register(make.subject(), party, by_match(theirs.id), now=now)
    register(make.subject(), party, by_match(ours.id), now=now)
    assert [row.target_id for row in make.rows(AccessRequest)] == [ours.id]


@pytest.mark.parametrize(
    "changed",
    [
        {"account_manager": False},
        {"status": "disabled"},
        {"ends_at_days": -1},
        {"last_used_days": -91},
        {"registry": "ozark"},
        {"evidence": "self"},
    ],
)
def test_MODEL_1_only_who_manages_now_by_accepted_proof_stands_in_the_way(
    make: Any, now: Any, changed: dict[str, Any]
) -> None:
    party, provider = matching(make), make.provider("100200300")
    values: dict[str, Any] = {"account_manager": True, **changed}
    if "ends_at_days" in values:
        values["ends_at"] = now + timedelta(days=values.pop("ends_at_days"))
    if "last_used_days" in values:
        values["last_used_at"] = values["activated_at"] = now + timedelta(days=values.pop("last_used_days"))
    make.affiliation(make.subject(), provider, **values)
    found = register(make.subject(), party, by_match(provider.id), now=now)
    assert isinstance(found, Registered)
    assert found.outcome is Outcome.ACTIVE


def test_a_disabled_person_manages_nothing(make: Any, now: Any) -> None:
    party, provider = matching(make), make.provider("100200300")
    make.affiliation(make.subject(status="disabled"), provider, account_manager=True)
    found = register(make.subject(), party, by_match(provider.id), now=now)
    assert isinstance(found, Registered)
    assert found.outcome is Outcome.ACTIVE


def test_E2_a_claim_waits_and_the_managers_are_mailed_once(make: Any, now: Any) -> None:
    party, practice = claiming(make), make.practice()
    make.group("100200300", practice=practice)
    manager, person = make.subject("lena.ortiz"), make.subject("oscar.benitez")
    make.affiliation(manager, practice, registry="heartland", account_manager=True, evidence="payer")
    proof = by_claim(practice.id, kind=TargetKind.PRACTICE)
    for _ in range(2):
        found = register(person, party, proof, now=now)
        assert isinstance(found, Registered)
        assert found.outcome is Outcome.VERIFICATION_PENDING
    row = the_affiliation(make, person)
    assert (row.status, row.activated_at, levels(row), row.version) == ("verification_pending", None, set(), 1)
    assert mails(make) == [("verification_wanted", manager.id)]


def test_E1_without_a_manager_the_payer_s_registrar_is_mailed(make: Any, now: Any) -> None:
    party, provider = claiming(make), make.provider("100200300")
    make.affiliation(make.subject(), provider, account_manager=True, evidence="letter")
    register(make.subject(), party, by_claim(provider.id), now=now)
    assert mails(make) == [("verification_wanted", None)], "a manager by letter is none where the payer's word is asked"


def test_stronger_proof_opens_what_waited_and_is_added_to_the_same_row(make: Any, now: Any) -> None:
    claimed, posted = claiming(make), portal(make)
    provider, person = make.provider("100200300"), make.subject()
    register(person, claimed, by_claim(provider.id), now=now)
    later = now + timedelta(days=2)
    found = register(person, posted, by_letter(posted, provider, now=later), now=later)
    row = the_affiliation(make, person)
    assert found == Registered(Outcome.ACTIVE, account_manager=True, affiliation_id=row.id)
    assert (row.status, row.activated_at, row.epoch) == ("active", later, 2)
    assert {proof.kind for proof in row.evidence} == {"self", "letter"}


def test_X4_another_portal_adds_its_levels_once_and_raises_no_level_that_a_manager_chose(make: Any, now: Any) -> None:
    matched, provider, person = matching(make), make.provider("100200300"), make.subject()
    make.affiliation(make.subject(), provider, account_manager=True)
    make.affiliation(person, provider, evidence="manager", levels=(("cascade-mmis", "only.this"),))
    for _ in range(2):
        found = register(person, matched, by_match(provider.id), now=now)
        assert isinstance(found, Registered)
        assert (found.outcome, found.account_manager) == (Outcome.STRENGTHENED, False)
    row = the_affiliation(make, person)
    assert levels(row) == {("cascade-mmis", "only.this"), ("carebridge-provider", "claims.inquiry")}
    assert (row.epoch, row.version, len(row.evidence)) == (2, 2, 2), "the second time changed nothing"


@pytest.mark.parametrize("status", ["disabled", "dormant"])
def test_AD_26_who_was_disabled_is_not_enabled_by_registering_again(make: Any, now: Any, status: str) -> None:
    party, provider, person = matching(make), make.provider("100200300"), make.subject()
    old = now - timedelta(days=100)
    changed: dict[str, Any] = (
        {"status": "disabled", "disabled_by": "manager"}
        if status == "disabled"
        else {"activated_at": old, "last_used_at": old}
    )
    before = make.affiliation(person, provider, **changed)
    assert register(person, party, by_match(provider.id), now=now) == Refused(Reason.DISABLED)
    assert make.row(Affiliation, before.id).version == before.version


def test_what_has_ended_by_its_date_makes_room_for_a_new_row(make: Any, now: Any) -> None:
    party, provider, person = matching(make), make.provider("100200300"), make.subject()
    old = make.affiliation(person, provider, ends_at=now - timedelta(days=1), account_manager=True)
    found = register(person, party, by_match(provider.id), now=now)
    assert isinstance(found, Registered)
    assert found.affiliation_id not in (None, old.id)
    assert make.row(Affiliation, old.id).status == "ended"


def test_MODEL_9_a_claim_reads_ended_after_30_days_and_the_sweep_says_so(make: Any, now: Any) -> None:
    party, provider, person = claiming(make), make.provider("100200300"), make.subject()
    register(person, party, by_claim(provider.id), now=now)
    first = the_affiliation(make, person)

    def swept(**after: int) -> int:
        with writing() as tx:
            see_as(tx, everything=True)
            return end_lapsed(tx, now=now + timedelta(**after), batch=10)

    assert swept(days=29, hours=23) == 0
    with writing() as tx:
        again = service.register(
            tx, subject_id=person.id, party=party, proof=by_claim(provider.id), now=now + timedelta(days=30),
            origin=HERE,
        )  # fmt: skip
    assert isinstance(again, Registered)
    assert again.affiliation_id != first.id, "reading says ended before any sweep"
    assert [swept(days=60), swept(days=60)] == [1, 0]
    assert mails(make)[0] == ("verification_lapsed", person.id)
    assert {row.status for row in make.rows(Affiliation)} == {"ended"}


def test_the_roster_may_move_a_record_between_proof_and_registering(make: Any, now: Any) -> None:
    party, person = matching(make), make.subject()
    provider = make.provider("100200300", tin_changed_at=now + timedelta(hours=1))
    later = now + timedelta(hours=2)
    stale = by_match(provider.id, proven_at=now)
    assert register(person, party, stale, now=later) == Refused(Reason.STALE_PROOF)
    assert isinstance(register(person, party, by_match(provider.id, proven_at=later), now=later), Registered)


def test_RC_19_an_unproven_mailbox_registers_nobody(make: Any, now: Any) -> None:
    party, provider = matching(make), make.provider("100200300")
    unproven = make.subject(email_verified_at=None, status="unverified")
    assert register(unproven, party, by_match(provider.id), now=now) == Refused(Reason.MAILBOX_UNPROVEN)
    disabled = make.subject(status="disabled")
    assert register(disabled, party, by_match(provider.id), now=now) == Refused(Reason.PERSON_NOT_ACTIVE)
    foreign = make.provider("100200301", registry_name="ozark")
    assert register(make.subject(), party, by_match(foreign.id), now=now) == Refused(Reason.UNKNOWN_TARGET)
    assert make.rows(Affiliation) == []


def test_EN_06_what_will_become_of_a_proof_is_foreseen_without_writing(make: Any, now: Any) -> None:
    party, provider, person = matching(make), make.provider("100200300"), make.subject()

    def foreseen() -> object:
        with reading() as tx:
            return service.foresee(tx, subject_id=person.id, party=party, proof=by_match(provider.id), now=now)

    assert foreseen() == Becomes(Outcome.ACTIVE, account_manager=True)
    make.affiliation(make.subject(), provider, account_manager=True)
    assert foreseen() == Becomes(Outcome.REQUESTED)
    assert make.rows(AccessRequest) == []


def test_E10_who_proves_to_be_the_manager_holds_what_they_will_have_to_give(make: Any, now: Any) -> None:
    """Nobody gives what they do not hold: with two default levels a manager could never set up a clerk."""
    more = [{"key": key, "label": {"en": key, "es": key}} for key in ("claims.submit", "trade_files")]
    manages = {"key": "admin", "label": {"en": "Administrator", "es": "Administrador"}, "manages": True}
    make.client("cascade-mmis", portal={"registry": "heartland"}, levels=[*more, manages])
    party, provider = clients.find("cascade-mmis"), make.provider("100200300")
    assert party is not None
    june = make.subject("june.harwood")
    register(june, party, by_letter(party, provider, now=now), now=now)
    assert {level for _, level in levels(the_affiliation(make, june))} == {"claims.submit", "trade_files", "admin"}
