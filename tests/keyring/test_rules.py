"""Which keys sign, are published, may move; and what is wrong with a folder."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from idp.keyring import rules
from idp.keyring.rules import KeyFile, Reason, State, Use
from idp.vocabulary.refused import Refused

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ACTIVE = KeyFile(Use.SIGNING, State.ACTIVE, "es256-1", "ES256", NOON)
SOUND = (
    ACTIVE,
    KeyFile(Use.SIGNING, State.ACTIVE, "rs256-1", "RS256", NOON),
    KeyFile(Use.VAULT, State.ACTIVE, "vault-1", None, NOON),
    KeyFile(Use.INDEX, State.ACTIVE, "index-1", None, NOON),
)


def test_a_sound_folder_has_no_problems() -> None:
    assert rules.problems(SOUND, production=True) == ()


def test_R_21_every_problem_is_listed_with_what_to_do() -> None:
    assert len(rules.problems((), production=True)) == 3
    lacking = rules.problems(SOUND[1:], production=True)
    assert lacking == ("there is no active ES256 signing key: run `idp keys create`",)
    twice = rules.problems((*SOUND, replace(ACTIVE, state=State.RETIRED)), production=True)
    assert twice == ("signing/retired/es256-1: another key has the same kid",)


def test_KY_14_demo_and_exposed_keys_are_refused_in_production_only() -> None:
    demo = (replace(ACTIVE, kid="demo-es256-1"), *SOUND[1:])
    exposed = (replace(ACTIVE, exposed=True), *SOUND[1:])
    assert rules.problems(demo, production=True) == ("signing/active/demo-es256-1: a demo key in production",)
    assert "chmod 600" in rules.problems(exposed, production=True)[0]
    assert rules.problems(demo, production=False) == rules.problems(exposed, production=False) == ()


def test_of_two_active_keys_the_later_one_signs() -> None:
    later = replace(ACTIVE, kid="a", created_at=NOON - timedelta(days=1), active_since=NOON + timedelta(days=1))
    assert rules.newest([ACTIVE, later]) is later
    assert rules.newest([]) is None


def test_KY_10_a_retired_key_is_published_until_nothing_it_signed_is_accepted() -> None:
    retired = replace(ACTIVE, state=State.RETIRED, retired_at=NOON)
    assert rules.published(retired, now=NOON + rules.RETIRED_LIFE - timedelta(seconds=1))
    assert not rules.published(retired, now=NOON + rules.RETIRED_LIFE)
    assert rules.published(ACTIVE, now=NOON + timedelta(days=999))


def test_KY_10_a_key_signs_only_after_it_was_published_for_a_while() -> None:
    waiting = replace(ACTIVE, state=State.NEXT)
    early, late = NOON + timedelta(seconds=59), NOON + timedelta(seconds=60)
    assert rules.may_promote(waiting, now=early, at_once=False) == Refused(Reason.NEXT_TOO_YOUNG)
    assert rules.may_promote(waiting, now=early, at_once=True) is None
    assert rules.may_promote(waiting, now=late, at_once=False) is None
    assert rules.may_promote(None, now=late, at_once=True) == Refused(Reason.NO_NEXT)
