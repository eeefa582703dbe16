"""Sealing and blind indexes."""

import secrets

import pytest

from idp.foundation import vault
from idp.foundation.vault import SealingKeys, Unopenable

OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)
KEYS = SealingKeys.of(active="old", keys={"old": OLD})
ROTATED = SealingKeys.of(active="new", keys={"old": OLD, "new": NEW})


def test_what_was_sealed_opens_in_its_place() -> None:
    sealed = vault.seal(b"JBSWY3DP", keys=KEYS, context="totp.secret:1")
    assert vault.unseal(sealed, keys=KEYS, context="totp.secret:1") == b"JBSWY3DP"
    assert b"JBSWY3DP" not in sealed


def test_ST_05_a_value_moved_to_another_row_or_column_does_not_open() -> None:
    sealed = vault.seal(b"JBSWY3DP", keys=KEYS, context="totp.secret:1")
    for place in ("totp.secret:2", "totp.other:1", "totp.secret:", ""):
        with pytest.raises(Unopenable):
            vault.unseal(sealed, keys=KEYS, context=place)


def test_a_changed_bit_anywhere_is_noticed() -> None:
    sealed = vault.seal(b"x", keys=ROTATED, context="a")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Unopenable):
            vault.unseal(bytes(changed), keys=ROTATED, context="a")


@pytest.mark.parametrize("length", range(33))
def test_a_truncated_value_is_noticed(length: int) -> None:
    sealed = vault.seal(b"", keys=KEYS, context="a")
    assert len(sealed) == 33
    with pytest.raises(Unopenable):
        vault.unseal(sealed[:length], keys=KEYS, context="a")


def test_the_same_value_is_sealed_differently_each_time() -> None:
    assert len({vault.seal(b"same", keys=KEYS, context="a") for _ in range(50)}) == 50


def test_after_a_rotation_old_values_open_and_are_resealed_once() -> None:
    sealed = vault.seal(b"x", keys=KEYS, context="a")
    assert vault.unseal(sealed, keys=ROTATED, context="a") == b"x"
    moved = vault.reseal(sealed, keys=ROTATED, context="a")
    assert moved is not None
    assert vault.key_of(moved) == "new"
    assert moved.startswith(vault.key_prefix("new"))
    assert vault.reseal(moved, keys=ROTATED, context="a") is None
    with pytest.raises(Unopenable, match="not in the vault"):
        vault.unseal(moved, keys=KEYS, context="a")


def test_reseal_does_not_bless_a_moved_value() -> None:
    with pytest.raises(Unopenable):
        vault.reseal(vault.seal(b"x", keys=KEYS, context="a"), keys=ROTATED, context="b")


def test_keys_are_256_bits_and_never_printed() -> None:
    for wrong in (b"", b"x" * 16, b"x" * 31, b"x" * 33):
        with pytest.raises(ValueError, match="256 bits"):
            SealingKeys.of(active="old", keys={"old": wrong})
    with pytest.raises(ValueError, match="active"):
        SealingKeys.of(active="gone", keys={"old": OLD})
    assert repr(KEYS) == "SealingKeys(active='old')"


def test_a_blind_index_finds_equal_values_of_one_context_only() -> None:
    index = vault.blind_index("123456789", key=OLD, context="practice.tin")
    assert index == vault.blind_index("123456789", key=OLD, context="practice.tin")
    assert len(index) == 32
    others = [
        vault.blind_index("123456780", key=OLD, context="practice.tin"),
        vault.blind_index("123456789", key=OLD, context="provider.tin"),
        vault.blind_index("123456789", key=NEW, context="practice.tin"),
        vault.blind_index("n123456789", key=OLD, context="practice.ti"),
    ]
    assert index not in others
