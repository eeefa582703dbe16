"""The keys of a running node."""

import json
import logging
import shutil
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from idp.foundation import jose, vault
from idp.foundation.algorithms import Alg
from idp.foundation.jose import Purpose
from idp.keyring import rotation, rules
from idp.keyring.folder import KeysUnusable
from idp.keyring.rules import Reason, State, Use
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused
from tests.factories.keys import MADE
from tests.foundation.jose_bench import CLIENT, ISSUER, claims

LATER = MADE + timedelta(minutes=5)


class Hand:
    def __init__(self) -> None:
        self.now = MADE

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def ring(folder_of_keys: Path, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    """A keyring that looks at its folder every time."""
    monkeypatch.setattr("idp.keyring.service.LOOK_EVERY", 0.0)
    return Keyring.open(folder_of_keys, production=True, read_clock=hand)


def one(path: Path, use: Use, state: State, alg: str | None = None) -> Path:
    found = [
        file for file in rotation.listed(path) if (file.use, file.state) == (use, state) and alg in (None, file.alg)
    ]
    return path / use / state / f"{found[0].kid}.jwk"


def test_a_sound_folder_signs_seals_and_derives(ring: Keyring) -> None:
    assert ring.algs == {"ES256", "RS256", "EdDSA"}
    assert ring.signing("ES256").alg is Alg.ES256
    with pytest.raises(KeyError):
        ring.signing("PS256")
    sealed = vault.seal(b"x", keys=ring.vault, context="a")
    assert vault.unseal(sealed, keys=ring.vault, context="a") == b"x"
    assert len(ring.index) == 32
    assert len({ring.index, ring.derive("a"), ring.derive("b"), ring.derive("a")}) == 3


def test_derived_keys_are_the_same_on_every_node(ring: Keyring, folder_of_keys: Path) -> None:
    other = Keyring.open(folder_of_keys, production=True)
    assert other.derive("flask") == ring.derive("flask")


def test_DI_06_the_published_set_has_public_members_and_distinct_kids(ring: Keyring) -> None:
    document = json.loads(ring.jwks())
    assert len(document["keys"]) == 6
    assert len({key["kid"] for key in document["keys"]}) == 6
    for key in document["keys"]:
        assert set(key) <= {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}
        assert key["use"] == "sig"
        assert "=" not in "".join(key.values())
    assert {key["kid"] for key in document["keys"]} == set(ring.verification_keys())


def test_files_are_private_and_folders_too(folder_of_keys: Path) -> None:
    for path in folder_of_keys.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def break_missing(path: Path) -> None:
    shutil.rmtree(path / "vault")


def break_corrupt(path: Path) -> None:
    one(path, Use.SIGNING, State.ACTIVE, "ES256").write_text('{"kty": "EC", "d": "CNRY-secret"')


def break_empty(path: Path) -> None:
    one(path, Use.INDEX, State.ACTIVE).write_text("")


def break_public_only(path: Path) -> None:
    file = one(path, Use.SIGNING, State.ACTIVE, "ES256")
    members = json.loads(file.read_text())
    del members["d"]
    file.write_text(json.dumps(members))


def break_other_alg(path: Path) -> None:
    file = one(path, Use.SIGNING, State.ACTIVE, "ES256")
    file.write_text(json.dumps({**json.loads(file.read_text()), "alg": "RS256"}))


def break_duplicate(path: Path) -> None:
    file = one(path, Use.SIGNING, State.ACTIVE, "ES256")
    shutil.copy(file, path / Use.SIGNING / State.NEXT / file.name)


def break_short_secret(path: Path) -> None:
    file = one(path, Use.VAULT, State.ACTIVE)
    file.write_text(json.dumps({**json.loads(file.read_text()), "k": "AAAA"}))


def break_renamed(path: Path) -> None:
    file = one(path, Use.SIGNING, State.ACTIVE, "ES256")
    file.rename(file.with_name("other.jwk"))


def break_readable(path: Path) -> None:
    one(path, Use.SIGNING, State.ACTIVE, "ES256").chmod(0o640)


def break_open_folder(path: Path) -> None:
    (path / Use.VAULT).chmod(0o755)


BROKEN = [
    break_missing,
    break_corrupt,
    break_empty,
    break_public_only,
    break_other_alg,
    break_duplicate,
    break_short_secret,
    break_renamed,
    break_readable,
    break_open_folder,
]


@pytest.mark.parametrize("spoil", BROKEN)
def test_R_21_KY_14_a_broken_folder_is_refused_at_start(folder_of_keys: Path, spoil: object) -> None:
    spoil(folder_of_keys)  # type: ignore[operator]
    with pytest.raises(KeysUnusable) as caught:
        Keyring.open(folder_of_keys, production=True)
    assert caught.value.problems
    assert "CNRY" not in str(caught.value)


@pytest.mark.parametrize("spoil", BROKEN)
def test_R_21_a_running_node_keeps_its_keys_and_says_so_once(
    ring: Keyring, folder_of_keys: Path, spoil: object, caplog: pytest.LogCaptureFixture
) -> None:
    before, published = ring.signing("ES256"), ring.jwks()
    spoil(folder_of_keys)  # type: ignore[operator]
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            assert ring.signing("ES256") is before
            assert ring.jwks() == published
    assert len(caplog.records) == 1
    assert "CNRY" not in caplog.text


def test_R_21_an_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="idp keys create"):
        Keyring.open(tmp_path / "nothing", production=True)


def test_KY_14_demo_keys_do_not_start_production(tmp_path: Path) -> None:
    rotation.create(tmp_path / "keys", now=MADE, demo=True)
    Keyring.open(tmp_path / "keys", production=False)
    with pytest.raises(KeysUnusable, match="demo key in production"):
        Keyring.open(tmp_path / "keys", production=True)


def test_KY_10_through_a_rotation_old_tokens_verify_and_the_new_key_was_published_before(
    ring: Keyring, folder_of_keys: Path, hand: Hand
) -> None:
    def verified(text: str) -> bool:
        return not isinstance(
            jose.verify(
                text,
                purpose=Purpose.ID_TOKEN_HINT,
                keys=ring.verification_keys(),
                issuer=ISSUER,
                audience=CLIENT,
                now=hand.now,
            ),
            Refused,
        )

    moment = int(MADE.timestamp())
    old, published = ring.signing("ES256"), set(ring.verification_keys())
    text = jose.sign(claims(Purpose.ID_TOKEN_HINT, iat=moment, exp=moment + 300), key=old, typ="JWT")
    hand.now = LATER
    assert isinstance(rotation.rotate(folder_of_keys, now=LATER), rotation.Rotated)
    assert ring.signing("ES256").kid != old.kid
    assert ring.signing("ES256").kid in published
    assert verified(text)
    hand.now = LATER + rules.RETIRED_LIFE
    assert old.kid not in ring.verification_keys()
    assert old.kid.encode() not in ring.jwks()
    assert not verified(text)


def test_a_rotation_too_soon_moves_nothing(folder_of_keys: Path) -> None:
    before = rotation.listed(folder_of_keys)
    soon = MADE + timedelta(seconds=59)
    assert rotation.rotate(folder_of_keys, now=soon) == Refused(Reason.NEXT_TOO_YOUNG)
    assert rotation.listed(folder_of_keys) == before
    assert isinstance(rotation.rotate(folder_of_keys, now=soon, at_once=True), rotation.Rotated)


def test_one_algorithm_may_rotate_alone(ring: Keyring, folder_of_keys: Path) -> None:
    kept = ring.signing("RS256")
    assert isinstance(rotation.rotate(folder_of_keys, now=LATER, alg=Alg.ES256), rotation.Rotated)
    assert ring.signing("RS256").kid == kept.kid
    assert rotation.rotate(folder_of_keys, now=LATER, alg=Alg.PS256) == Refused(Reason.NO_NEXT)


def test_what_is_past_its_time_goes_at_the_next_rotation(folder_of_keys: Path) -> None:
    first = rotation.rotate(folder_of_keys, now=LATER)
    assert isinstance(first, rotation.Rotated)
    second = rotation.rotate(folder_of_keys, now=LATER + rules.RETIRED_LIFE)
    assert isinstance(second, rotation.Rotated)
    assert set(second.pruned) == set(first.retired)


def test_KY_10_a_leaked_key_is_gone_at_once(ring: Keyring, folder_of_keys: Path) -> None:
    leaked = ring.signing("ES256").kid
    assert isinstance(rotation.retire(folder_of_keys, kid=leaked, now=MADE), rotation.Rotated)
    assert leaked not in ring.verification_keys()
    assert ring.signing("ES256").kid != leaked
    assert not list(folder_of_keys.rglob(f"{leaked}*"))
    waiting = one(folder_of_keys, Use.SIGNING, State.NEXT, "ES256").stem
    assert isinstance(rotation.retire(folder_of_keys, kid=waiting, now=MADE), rotation.Rotated)
    assert one(folder_of_keys, Use.SIGNING, State.NEXT, "ES256").stem != waiting
    assert rotation.retire(folder_of_keys, kid="../../x", now=MADE) == Refused(Reason.UNKNOWN_KID)


def test_a_vault_key_stays_while_it_opens_something(ring: Keyring, folder_of_keys: Path) -> None:
    sealed = vault.seal(b"x", keys=ring.vault, context="a")
    old = ring.vault.active
    assert rotation.retire(folder_of_keys, kid=old, now=LATER) == Refused(Reason.STILL_NEEDED)
    assert isinstance(rotation.rotate(folder_of_keys, now=LATER, use=Use.VAULT), rotation.Rotated)
    assert ring.vault.active != old
    assert vault.unseal(sealed, keys=ring.vault, context="a") == b"x"
    assert rotation.retire(folder_of_keys, kid=old, now=LATER, still_sealed=True) == Refused(Reason.STILL_NEEDED)
    assert isinstance(rotation.retire(folder_of_keys, kid=old, now=LATER), rotation.Rotated)
    assert set(ring.vault.ciphers).isdisjoint({old})


def test_index_keys_neither_rotate_nor_go(ring: Keyring, folder_of_keys: Path) -> None:
    kid = one(folder_of_keys, Use.INDEX, State.ACTIVE).stem
    assert rotation.rotate(folder_of_keys, now=LATER, use=Use.INDEX) == Refused(Reason.STILL_NEEDED)
    assert rotation.retire(folder_of_keys, kid=kid, now=LATER) == Refused(Reason.STILL_NEEDED)


def test_create_fills_what_is_missing_and_replaces_nothing(folder_of_keys: Path) -> None:
    before = set(rotation.listed(folder_of_keys))
    assert rotation.create(folder_of_keys, now=LATER) == Refused(Reason.ALREADY_THERE)
    made = rotation.create(folder_of_keys, now=LATER, algs=(Alg.ES384,))
    assert isinstance(made, tuple)
    assert len(made) == 2
    assert before < set(rotation.listed(folder_of_keys))


def test_a_rotation_cut_short_leaves_a_folder_that_works_and_is_finished_by_the_next(
    ring: Keyring, folder_of_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-01: killed between the new key's promotion and the old one's retirement."""
    moved: list[str] = []
    real = rotation.folder.move

    def dies(path: Path, **rest: object) -> None:
        if moved:
            raise KeyboardInterrupt
        moved.append("")
        real(path, **rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(rotation.folder, "move", dies)
        with pytest.raises(KeyboardInterrupt):
            rotation.rotate(folder_of_keys, now=LATER, alg=Alg.ES256)
    active = [
        file
        for file in rotation.listed(folder_of_keys)
        if (file.use, file.alg, file.state) == (Use.SIGNING, "ES256", State.ACTIVE)
    ]
    assert len(active) == 2
    newest = rules.newest(active)
    assert newest is not None
    assert ring.signing("ES256").kid == newest.kid
    assert isinstance(rotation.rotate(folder_of_keys, now=LATER, alg=Alg.ES256, at_once=True), rotation.Rotated)
    left = [
        file
        for file in rotation.listed(folder_of_keys)
        if (file.use, file.alg, file.state) == (Use.SIGNING, "ES256", State.ACTIVE)
    ]
    assert len(left) == 1


def test_what_is_written_is_whole_or_absent(folder_of_keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-22: a full disk leaves neither an empty key nor a temporary file."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(folder_of_keys.rglob("*"))
    monkeypatch.setattr("idp.keyring.folder.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        rotation.rotate(folder_of_keys, now=LATER)
    assert sorted(folder_of_keys.rglob("*")) == before


def test_keys_for_providers_elsewhere_are_published_apart_from_those_of_tokens(folder_of_keys: Path) -> None:
    """KY-08: an assertion or a SAML request is signed by a key that signs nothing else."""
    ring = Keyring.open(folder_of_keys, production=False, read_clock=lambda: LATER)
    tokens = set(ring.verification_keys())
    for use, alg, count in ((Use.FEDERATION, "ES256", 4), (Use.SAML, "RS256", 2)):
        keys = ring.upstream(use)
        assert keys is not None
        assert keys.key.alg == alg
        assert tokens.isdisjoint(shown.key.kid for shown in keys.shown)
        assert [key["kid"] for key in json.loads(keys.jwks)["keys"]] == [shown.key.kid for shown in keys.shown]
        assert len(keys.shown) == count
        assert isinstance(rotation.rotate(folder_of_keys, now=LATER, use=use), rotation.Rotated)
        turned = Keyring.open(folder_of_keys, production=False, read_clock=lambda: LATER).upstream(use)
        assert turned is not None and turned.key.kid != keys.key.kid
        assert turned.key.kid in {shown.key.kid for shown in keys.shown}
        assert keys.key.kid not in {shown.key.kid for shown in turned.shown}


def test_a_folder_without_keys_for_providers_elsewhere_works(folder_of_keys: Path) -> None:
    shutil.rmtree(folder_of_keys / Use.SAML)
    shutil.rmtree(folder_of_keys / Use.ENCRYPTION)
    ring = Keyring.open(folder_of_keys, production=False, read_clock=lambda: LATER)
    assert ring.upstream(Use.SAML) is None
    assert ring.encryption_jwks() == ring.decryption_keys() == ()
    assert ring.upstream(Use.FEDERATION) is not None
    lacking = {use for use, _alg, _state in rotation.missing(rotation.listed(folder_of_keys))}
    assert lacking == {Use.SAML, Use.ENCRYPTION}
    assert isinstance(rotation.create(folder_of_keys, now=LATER), tuple)
    assert rotation.missing(rotation.listed(folder_of_keys)) == []


def test_push_keys_rotate_and_a_retired_one_still_rings_who_subscribed_to_it(folder_of_keys: Path) -> None:
    ring = Keyring.open(folder_of_keys, production=True, read_clock=lambda: LATER)
    first = ring.push_key()
    assert first is not None and ring.push_key("es256-unknown") is None
    assert first.kid not in ring.verification_keys(), "it signs nothing that anybody takes for a token"
    assert isinstance(rotation.rotate(folder_of_keys, now=LATER, use=Use.PUSH), rotation.Rotated)
    again = Keyring.open(folder_of_keys, production=True, read_clock=lambda: LATER)
    second, former = again.push_key(), again.push_key(first.kid)
    assert second is not None and former is not None and second.kid != first.kid == former.kid
    assert isinstance(rotation.retire(folder_of_keys, kid=first.kid, now=LATER), rotation.Rotated)
    assert Keyring.open(folder_of_keys, production=True, read_clock=lambda: LATER).push_key(first.kid) is None
    shutil.rmtree(folder_of_keys / "push")
    assert Keyring.open(folder_of_keys, production=True, read_clock=lambda: LATER).push_key() is None, (
        "nobody waits for it"
    )
