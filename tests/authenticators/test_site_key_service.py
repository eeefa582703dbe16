"""Keeping a site key, and what a user ID is shown: on both databases."""

from datetime import datetime

import pytest

from idp.audit.models import AuditEvent
from idp.authenticators.challenge_questions import service as questions
from idp.authenticators.challenge_questions.service import Prepared
from idp.authenticators.site_key import service
from idp.authenticators.site_key.models import SiteKey
from idp.authenticators.site_key.rules import Reason, Shown
from idp.foundation import vault
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.foundation.vault import SealingKeys
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.subjects import legacy
from idp.subjects.legacy import OldLogin
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from tests.authenticators.conftest import Work
from tests.factories import Make

pytestmark = pytest.mark.both

ORIGIN = Origin.local("test")
PORTAL = "ozark-exchange"


def choose(subject: Subject, picture: str, phrase: str, *, now: datetime) -> Shown | Refused:
    with writing() as tx:
        return service.set_site_key(
            tx, subject_id=subject.id, picture=picture, phrase=phrase, now=now, actor=subject.id, origin=ORIGIN
        )


def shown(login_key: str, portal: str = PORTAL) -> Shown:
    with reading() as tx:
        return service.shown_for(tx, portal=portal, login_key=login_key)


def test_A6_what_was_chosen_is_shown_and_what_is_chosen_later_replaces_it(make: Make, now: datetime) -> None:
    rosa = make.subject("rosa.delgado")
    assert choose(rosa, "balloon", " morning over  the river ", now=now) == Shown("balloon", "morning over the river")
    assert shown("rosa.delgado") == Shown("balloon", "morning over the river")
    choose(rosa, "owl", "night shift", now=now)
    assert shown("rosa.delgado") == Shown("owl", "night shift")
    with reading() as tx:
        assert service.site_key_of(tx, subject_id=rosa.id) == Shown("owl", "night shift")
    told = [
        (row.type, row.subject_id, row.details) for row in sorted(make.rows(AuditEvent), key=lambda row: row.sequence)
    ]
    assert told == [("site_key_set", rosa.id, {}), ("site_key_changed", rosa.id, {})]


def test_A6_an_unfit_one_changes_nothing(make: Make, now: datetime) -> None:
    rosa = make.subject("rosa.delgado")
    choose(rosa, "balloon", "morning", now=now)
    assert choose(rosa, "dragon", "evening", now=now) == Refused(Reason.NO_PICTURE)
    assert shown("rosa.delgado") == Shown("balloon", "morning")
    assert [row.type for row in make.rows(AuditEvent)] == ["site_key_set"]


def test_A6_whoever_has_none_and_whoever_does_not_exist_has_a_stable_decoy(make: Make, now: datetime) -> None:
    make.subject("rosa.delgado")
    for login in ("rosa.delgado", "nobody.at.all", "nobody@mail.test"):
        before = shown(login)
        assert before == shown(login)
        assert before != shown(login, "another-portal")
    assert len({(one.picture, one.phrase) for one in map(shown, (f"nobody.{n}" for n in range(50)))}) > 45


def test_A6_a_decoy_stays_the_same_when_the_account_is_made(make: Make, now: datetime) -> None:
    before = shown("rosa.delgado")
    make.subject("rosa.delgado")
    assert shown("rosa.delgado") == before


def test_G5_the_same_statements_for_chosen_none_and_nobody(make: Make, now: datetime, work: Work) -> None:
    choose(make.subject("rosa.delgado"), "balloon", "morning", now=now)
    make.subject("without.one")
    costs = [work.of(lambda login=login: shown(login)) for login in ("rosa.delgado", "without.one", "nobody")]
    assert costs[0] == costs[1] == costs[2] == (0, ["SELECT", "SELECT"])


def test_X4_an_old_user_id_shows_its_persons_key_at_its_portal_only(make: Make, now: datetime) -> None:
    rosa = make.subject("rosa.delgado")
    choose(rosa, "balloon", "morning", now=now)
    with writing() as tx:
        old = OldLogin(PORTAL, "rdelgado", "RDELGADO", None)
        legacy.add(tx, old, subject_id=rosa.id, actor="system", now=now, origin=ORIGIN)
    assert shown("rdelgado") == Shown("balloon", "morning")
    assert shown("rdelgado", "another-portal") != Shown("balloon", "morning")


def test_A6_a_subject_id_typed_as_a_user_id_shows_nobodys_key(make: Make, now: datetime) -> None:
    """`sub` stands in tokens: it must not be a second way to a person's picture."""
    rosa = make.subject("rosa.delgado")
    choose(rosa, "balloon", "morning over the river", now=now)
    assert shown(rosa.id).phrase != "morning over the river"


def test_ST_05_a_site_key_moved_to_another_person_does_not_open(make: Make, now: datetime) -> None:
    rosa, other = make.subject("rosa.delgado"), make.subject("somebody.else")
    choose(rosa, "balloon", "morning", now=now)
    with writing() as tx:
        sealed = tx.get_one(SiteKey, rosa.id).shown_sealed
        tx.add(SiteKey(subject_id=other.id, shown_sealed=sealed, set_at=now))
    with pytest.raises(vault.Unopenable):
        shown("somebody.else")


def test_ST_05_site_keys_and_typed_questions_come_under_the_new_vault_key(
    make: Make, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    rosa, keys = make.subject("rosa.delgado"), {"old": b"o" * 32, "new": b"n" * 32}

    def seal_with(*kids: str) -> None:
        held = SealingKeys.of(active=kids[-1], keys={kid: keys[kid] for kid in kids})
        monkeypatch.setattr(Keyring, "vault", property(lambda _: held))

    seal_with("old")
    choose(rosa, "balloon", "morning", now=now)
    own = Prepared(1, None, "Who taught me to fish?", "$argon2id$", True)
    with writing() as tx:
        questions.set_questions(tx, subject_id=rosa.id, prepared=(own,), now=now, actor=rosa.id, origin=ORIGIN)
    seal_with("old", "new")
    moved = resealing.reseal()
    assert (moved["site_key.shown"], moved["challenge_question.question"]) == (1, 1)
    seal_with("new")
    assert shown("rosa.delgado") == Shown("balloon", "morning")
    with reading() as tx:
        [question] = questions.questions_of(tx, subject_id=rosa.id)
    assert question.text == "Who taught me to fish?"
