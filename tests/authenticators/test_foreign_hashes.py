"""Hashes of other systems: right ones of known form and bounded cost are compared, everything else never matches."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.authenticators.password import foreign, sha512_crypt
from idp.authenticators.password.foreign import Fast, Reason, Slow
from idp.authenticators.password.kdf import Kdf, Verdict
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

WREN = "wren harbour 7"
DJANGO = "pbkdf2_sha256$30000$seasalt$VrX+V8drCGo68wlvy6rfu8i1d1pfkdeXA4LJkRGJodY="
PASSLIB = "$pbkdf2-sha256$6400$13oPQcjZOydECOHcmxNibA$9QPcog0joq62re8sO2B7cT52cQh/RPzL7IxOcbqrSs8"
PASSLIB_512 = (
    "$pbkdf2-sha512$19000$V8p5rxXCOMc4x5iT8l6rVQ"
    "$Wj6wlflW8NKzZXCrQyAjxAgDnNBDB62awlR9r5hm21h085JnLNjVpMpesJPiHLFBOn4tPrv5j7BbmGAIXrPkNg"
)
CRYPT = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
CRYPT_ROUNDS = (
    "$6$rounds=10000$saltstringsaltst"
    "$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."
)
CRYPT_LONG = (
    "$6$rounds=1000$tX3huvSQ9LFVzePw"
    "$dsKpy9xhrlDadS7gO7t/VbM37Rj2C2nEAuneUGIzwUbrf80mGFONgqlJi0pggO71W0lv0rfNcOGN/zxjvgykj/"
)
KNOWN = {
    "pbkdf2 by Django": (DJANGO, "lètmein"),
    "pbkdf2 by passlib": (PASSLIB, WREN),
    "pbkdf2 by passlib, sha512": (PASSLIB_512, WREN),
    "sha512 crypt": (CRYPT, "Hello world!"),
    "sha512 crypt with rounds": (CRYPT_ROUNDS, "Hello world!"),
    "sha512 crypt of a long password": (CRYPT_LONG, "é" * 60),
}
FAST = {
    "SSHA": "{SSHA}wizM3m/PDP4g1MZWYJHwf5bvBTiptVaK",
    "SSHA256": "{SSHA256}G125mcy9NM6Q6kY9BGxoc6n1H6jHDaLtNhO5zQsYSGHdGwNgrFVqzQ==",
    "SSHA512": "{SSHA512}PyrX1VIMdOEUHkcGrYZ+6oS1qze8qcyXJGqOoCZPaseCt5o6vEwoj3wKcMTHB6CQNY4JYOuZoWHWqnChDbRzYScEwFgL4XwP",
}
"""Made by passlib, Django and glibc, not by what is tested."""


@pytest.fixture(scope="module")
def kdf():
    return Kdf(memory_kib=8, time_cost=1, parallelism=1, concurrency=2, queue=4)


@pytest.mark.parametrize("known", KNOWN)
def test_an_imported_hash_is_verified_outdated_by_nature_and_costs_one_turn(kdf, known):
    stored, plain = KNOWN[known]
    assert kdf.adopt(stored) == stored
    before = kdf.made
    assert kdf.check(Secret(plain), digest=stored) == Verdict(True, outdated=True)
    for wrong in (plain + " ", plain.swapcase(), "", stored):
        assert kdf.check(Secret(wrong), digest=stored) == Verdict(False)
    assert kdf.made - before == 5


@pytest.mark.parametrize("scheme", FAST)
def test_a_fast_hash_is_kept_only_under_argon2id(kdf, scheme):
    stored = kdf.adopt(FAST[scheme])
    assert isinstance(stored, str)
    assert stored.startswith(f"{{{scheme}}}")
    assert "$argon2id$" in stored
    assert len(stored) <= 255
    read = foreign.read(FAST[scheme])
    assert isinstance(read, Fast)
    assert read.inner not in stored
    assert kdf.check(Secret(WREN), digest=stored) == Verdict(True, outdated=True)
    for wrong in (WREN + " ", read.inner, FAST[scheme]):
        assert kdf.check(Secret(wrong), digest=stored) == Verdict(False)
    assert kdf.check(Secret(WREN), digest=FAST[scheme]) == Verdict(False), "a bare one never matches"


BCRYPT = "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DJANGO.replace("30000", "2000001"), Reason.COSTLY_HASH),
        (DJANGO.replace("30000", "999999999"), Reason.COSTLY_HASH),
        (PASSLIB_512.replace("19000", "1000001"), Reason.COSTLY_HASH),
        (CRYPT_ROUNDS.replace("10000", "700001"), Reason.COSTLY_HASH),
        (BCRYPT.replace("$06$", "$14$"), Reason.COSTLY_HASH),
        (BCRYPT.replace("$06$", "$31$"), Reason.COSTLY_HASH),
        (DJANGO.replace("30000", "1"), Reason.CHEAP_HASH),
        (CRYPT_ROUNDS.replace("10000", "0"), Reason.CHEAP_HASH),
        (BCRYPT.replace("$06$", "$03$"), Reason.UNKNOWN_HASH),
        (DJANGO.replace("30000", "9999999999"), Reason.UNKNOWN_HASH),
        (DJANGO.replace("pbkdf2_sha256", "pbkdf2_sha512"), Reason.UNKNOWN_HASH),
        (DJANGO + "\n", Reason.UNKNOWN_HASH),
        ("{SSHA}wizM3m/PDP4g1MZWYJHwf5bvBTg=", Reason.UNKNOWN_HASH),
        ("5f4dcc3b5aa765d61d8327deb882cf99", Reason.UNKNOWN_HASH),
        ("plain-text-password", Reason.UNKNOWN_HASH),
        ("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$AAAA", Reason.UNKNOWN_HASH),
        ("$6$" + "a" * 500, Reason.UNKNOWN_HASH),
        ("", Reason.UNKNOWN_HASH),
    ],
)
def test_RX_02_what_is_unknown_or_costs_too_much_is_not_taken_and_never_matches(kdf, text, reason):
    assert kdf.adopt(text) == Refused(reason)
    assert kdf.check(Secret("a"), digest=text) == Verdict(False)


def test_SI_16_bcrypt_compares_every_byte_or_nothing(kdf):
    bcrypt = pytest.importorskip("bcrypt", reason="install the packages of requirements-dev.lock")
    assert kdf.check(Secret("a"), digest=BCRYPT) == Verdict(True, outdated=True)
    assert kdf.check(Secret("b"), digest=BCRYPT) == Verdict(False)
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert kdf.check(Secret("x" * 72), digest=stored) == Verdict(True, outdated=True)
    for other in ("x" * 73, "x" * 71, "x" * 72 + "\x00", "a\x00b", "é" * 300):
        assert kdf.check(Secret(other), digest=stored) == Verdict(False)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=220))
def test_G2_no_text_makes_the_reader_fall(text):
    assert isinstance(foreign.read(text), Slow | Fast | Refused)
    foreign.under_argon2(text, b"x")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([PASSLIB, DJANGO, CRYPT_LONG]), st.binary(max_size=40))
def test_SI_18_no_other_text_matches_an_imported_hash(stored, plain):
    read = foreign.read(stored)
    assert isinstance(read, Slow)
    assert not read.matches(plain)


def test_the_checksum_stretches_over_passwords_longer_than_one_block():
    assert len(sha512_crypt.checksum(b"x" * 200, salt=b"salt", rounds=1000)) == 86
