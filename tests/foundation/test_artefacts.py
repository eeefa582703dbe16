"""Single-use things: redeemed by one, noticed when twice, dead when late, never mistaken for another (SECURITY D1)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from idp.foundation import artefacts
from idp.foundation.artefacts import Artefact, Kind, Reason, Redeemed, digest_of
from idp.foundation.database import reading, writing
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret
from tests.conftest import Hands
from tests.factories import Make
from tests.races import ROUNDS, race

pytestmark = pytest.mark.both
CODE = Kind.AUTHORIZATION_CODE


def issue(now: datetime, **changed: Any) -> tuple[Secret, UUID]:
    values: dict[str, Any] = {"kind": CODE, "now": now, "lifetime": timedelta(minutes=1), "bound_to": "client"}
    with writing() as tx:
        return artefacts.issue(tx, **(values | changed))


def redeem(secret: Secret, now: datetime, **changed: Any) -> Redeemed | Refused:
    values: dict[str, Any] = {"kind": CODE, "digest": digest_of(secret.reveal()), "now": now, "bound_to": "client"}
    with writing() as tx:
        return artefacts.redeem(tx, **(values | changed))


def test_it_is_redeemed_once_and_a_second_time_is_noticed(app: Flask, now: datetime) -> None:
    family = uuid4()
    secret, identity = issue(now, subject_id="rosa", family=family, payload={"scope": "openid"})
    found = redeem(secret, now)
    assert isinstance(found, Redeemed)
    assert (found.id, found.subject_id, found.family, found.payload) == (identity, "rosa", family, {"scope": "openid"})
    assert redeem(secret, now) == Refused(Reason.REPLAYED)
    with reading() as tx:
        assert artefacts.family_of_digest(tx, kind=CODE, digest=digest_of(secret.reveal())) == family


def test_TK_02_somebody_elses_try_leaves_it_usable(app: Flask, now: datetime) -> None:
    secret, _ = issue(now)
    for stranger in ("other", None):
        assert redeem(secret, now, bound_to=stranger) == Refused(Reason.UNKNOWN)
    assert isinstance(redeem(secret, now), Redeemed)


def test_TK_07_a_secret_of_one_kind_is_nothing_as_another(app: Flask, now: datetime) -> None:
    secret, _ = issue(now)
    for kind in set(Kind) - {CODE}:
        assert redeem(secret, now, kind=kind) == Refused(Reason.UNKNOWN)
    assert isinstance(redeem(secret, now), Redeemed)


def test_it_dies_at_its_second(app: Flask, hands: Hands) -> None:
    secret, _ = issue(hands.now)
    late, _ = issue(hands.now)
    assert isinstance(redeem(secret, hands.forward(seconds=59)), Redeemed)
    assert redeem(late, hands.forward(seconds=1)) == Refused(Reason.EXPIRED)


def test_the_secret_is_kept_nowhere(make: Make, now: datetime) -> None:
    secret, identity = issue(now)
    row = make.row(Artefact, identity)
    assert secret.reveal() not in repr({name: getattr(row, name) for name in Artefact.__table__.columns.keys()})  # noqa: SIM118
    assert row.digest == digest_of(secret.reveal())
    assert len(secret.reveal()) == 43


def test_RC_09_looking_uses_nothing_up(app: Flask, now: datetime) -> None:
    secret, _ = issue(now)
    digest = digest_of(secret.reveal())
    with reading() as tx:
        assert isinstance(artefacts.peek(tx, kind=CODE, digest=digest, now=now, bound_to="client"), Redeemed)
        assert artefacts.peek(tx, kind=CODE, digest=digest, now=now) == Refused(Reason.UNKNOWN)
    assert isinstance(redeem(secret, now), Redeemed)
    with reading() as tx:
        again = artefacts.peek(tx, kind=CODE, digest=digest, now=now, bound_to="client")
    assert again == Refused(Reason.REPLAYED)


def test_a_rolled_back_redemption_never_happened(app: Flask, now: datetime) -> None:
    secret, _ = issue(now)
    with pytest.raises(LookupError), writing() as tx:
        artefacts.redeem(tx, kind=CODE, digest=digest_of(secret.reveal()), now=now, bound_to="client")
        raise LookupError
    assert isinstance(redeem(secret, now), Redeemed)


@pytest.mark.races
def test_RA_01_sixteen_at_once_and_one_wins(app: Flask, now: datetime) -> None:
    for _ in range(ROUNDS):
        secret, _identity = issue(now)
        outcomes = race(app, lambda secret=secret: redeem(secret, now))
        assert sum(isinstance(outcome, Redeemed) for outcome in outcomes) == 1
        assert outcomes.count(Refused(Reason.REPLAYED)) == len(outcomes) - 1


def advance(identity: UUID, number: int, now: datetime) -> Redeemed | Refused:
    with writing() as tx:
        return artefacts.advance(
            tx, kind=Kind.REFRESH, identity=identity, number=number, now=now, expires_at=now + timedelta(days=1)
        )


def test_TK_26_a_family_moves_on_by_one_and_an_old_number_is_a_replay(app: Flask, hands: Hands) -> None:
    _, identity = issue(hands.now, kind=Kind.REFRESH)
    first = advance(identity, 0, hands.now)
    assert isinstance(first, Redeemed)
    assert first.number == 1
    assert advance(identity, 0, hands.now) == Refused(Reason.REPLAYED)
    with reading() as tx:
        family = artefacts.family_of(tx, kind=Kind.REFRESH, identity=identity)
    assert family is not None
    assert (family.number, family.rotated_at) == (1, hands.now)
    assert advance(identity, 5, hands.now) == Refused(Reason.EXPIRED)
    assert advance(uuid4(), 0, hands.now) == Refused(Reason.UNKNOWN)
    assert advance(identity, 1, hands.forward(days=1)) == Refused(Reason.EXPIRED)


@pytest.mark.races
def test_RA_02_sixteen_rotations_at_once_make_one_successor(app: Flask, now: datetime) -> None:
    for _ in range(ROUNDS):
        _secret, identity = issue(now, kind=Kind.REFRESH)
        outcomes = race(app, lambda identity=identity: advance(identity, 0, now))
        assert sum(isinstance(outcome, Redeemed) for outcome in outcomes) == 1
        assert outcomes.count(Refused(Reason.REPLAYED)) == len(outcomes) - 1


def once(value: str, now: datetime, kind: Kind = Kind.ASSERTION_JTI) -> bool:
    with writing() as tx:
        return artefacts.record_once(tx, kind=kind, value=value, now=now, lifetime=timedelta(minutes=5))


def test_a_foreign_value_is_new_once_for_each_kind(app: Flask, hands: Hands) -> None:
    assert once("jti", hands.now)
    assert not once("jti", hands.now)
    assert once("jti", hands.now, Kind.REVOKED_JTI)
    with reading() as tx:
        assert artefacts.known(tx, kind=Kind.ASSERTION_JTI, value="jti", now=hands.now)
        assert not artefacts.known(tx, kind=Kind.ASSERTION_JTI, value="other", now=hands.now)
        assert not artefacts.known(tx, kind=Kind.ASSERTION_JTI, value="jti", now=hands.forward(minutes=5))


def test_a_known_value_leaves_the_transaction_usable(app: Flask, now: datetime) -> None:
    once("jti", now)
    with writing() as tx:
        lived = artefacts.record_once(tx, kind=Kind.ASSERTION_JTI, value="jti", now=now, lifetime=timedelta(1))
        fresh = artefacts.record_once(tx, kind=Kind.ASSERTION_JTI, value="new", now=now, lifetime=timedelta(1))
    assert (lived, fresh) == (False, True)


@pytest.mark.races
def test_RA_one_assertion_sent_sixteen_times_at_once_counts_once(app: Flask, now: datetime) -> None:
    for number in range(ROUNDS):
        assert race(app, lambda number=number: once(f"jti-{number}", now)).count(True) == 1


@pytest.mark.parametrize("by", ["family", "subject_id", "identity"])
def test_voiding_reaches_its_own_and_no_others(app: Flask, now: datetime, by: str) -> None:
    family = uuid4()
    doomed, identity = issue(now, family=family, subject_id="rosa")
    kept, _ = issue(now, family=uuid4(), subject_id="ines")
    named = {"family": family, "subject_id": "rosa", "identity": identity}[by]
    with writing() as tx:
        assert artefacts.void(tx, now=now, **{by: named}) == 1  # type: ignore[arg-type]
    assert isinstance(redeem(doomed, now), Refused)
    assert isinstance(redeem(kept, now), Redeemed)


def test_RC_01_voiding_one_kind_leaves_a_persons_others(app: Flask, now: datetime) -> None:
    doomed, _ = issue(now, kind=Kind.PASSWORD_RESET, subject_id="rosa")
    kept, _ = issue(now, subject_id="rosa")
    with writing() as tx:
        assert artefacts.void(tx, now=now, kind=Kind.PASSWORD_RESET, subject_id="rosa") == 1
    assert redeem(doomed, now, kind=Kind.PASSWORD_RESET) == Refused(Reason.EXPIRED)
    assert isinstance(redeem(kept, now), Redeemed)


def test_voiding_everybody_by_mistake_is_a_programming_error(app: Flask, now: datetime) -> None:
    with pytest.raises(ValueError, match="family, a subject or a row"), writing() as tx:
        artefacts.void(tx, now=now, kind=CODE)


def test_R_33_after_a_restore_nothing_unused_is_good_but_what_was_refused_stays_refused(
    app: Flask, now: datetime
) -> None:
    secret, _ = issue(now)
    once("jti", now)
    with writing() as tx:
        artefacts.void_everything(tx, now=now)
    assert redeem(secret, now) == Refused(Reason.EXPIRED)
    assert not once("jti", now)


def test_few_tries_are_counted_exactly_down_to_none(app: Flask, now: datetime) -> None:
    _, identity = issue(now, attempts=5)

    def fail() -> int:
        with writing() as tx:
            return artefacts.fail_attempt(tx, identity=identity)

    outcomes = race(app, fail)
    assert sorted(outcomes) == [0] * 12 + [1, 2, 3, 4]


def test_with_no_try_left_even_the_right_secret_is_refused(app: Flask, now: datetime) -> None:
    secret, identity = issue(now, attempts=1)
    with writing() as tx:
        assert artefacts.fail_attempt(tx, identity=identity) == 0
    assert redeem(secret, now) == Refused(Reason.EXHAUSTED)


def test_a_short_code_is_bound_to_its_key_and_its_context() -> None:
    def digest(code: str, pepper: bytes, context: str) -> bytes:
        return artefacts.short_digest(code, pepper=pepper, context=context)

    made = {digest(*each) for each in (("1", b"k", "a"), ("1", b"k", "b"), ("1", b"l", "a"), ("2", b"k", "a"))}
    assert len(made) == 4


def test_ruling_22_a_links_life_starts_at_sending_unless_it_is_over(app: Flask, hands: Hands) -> None:
    secret, identity = issue(hands.now)
    sent = hands.forward(seconds=50)
    with writing() as tx:
        assert artefacts.start_life(tx, identity=identity, now=sent, expires_at=sent + timedelta(minutes=30))
    assert isinstance(redeem(secret, hands.forward(minutes=29)), Redeemed)
    with writing() as tx:
        assert not artefacts.start_life(tx, identity=identity, now=hands.now, expires_at=hands.now + timedelta(1))


def test_purging_takes_small_batches_of_what_expired(make: Make, hands: Hands) -> None:
    for _ in range(3):
        issue(hands.now)
    _, kept = issue(hands.now, lifetime=timedelta(days=1))
    with writing() as tx:
        before = hands.forward(minutes=2)
        assert [artefacts.purge(tx, before=before, batch=2) for _ in range(3)] == [2, 1, 0]
    assert [row.id for row in make.rows(Artefact)] == [kept]
