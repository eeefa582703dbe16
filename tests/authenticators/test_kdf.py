"""Hashing: the same work for everybody, bounded in memory and in waiting."""

import resource
import threading
from datetime import timedelta

import pytest

from idp.authenticators.password.kdf import Kdf, Verdict
from idp.authenticators.password.rules import Reason
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


def small(**changed):
    usual = {"memory_kib": 8, "time_cost": 1, "parallelism": 1, "concurrency": 2, "queue": 4}
    return Kdf(**(usual | changed))


@pytest.mark.parametrize(
    "plain", [" lead and trail ", "🔑" * 20, "e\u0301" * 20, "é" * 20, "x" * 128, "x" * 72 + "a", "tab\tand\nline"]
)
def test_SI_16_a_password_is_verified_as_typed(plain):
    kdf = small()
    digest = kdf.digest(Secret(plain))
    assert kdf.check(Secret(plain), digest=digest) == Verdict(True)
    for other in (plain.strip() + "?", plain[:72] + "b", plain.upper() + "1", plain + " "):
        assert kdf.check(Secret(other), digest=digest) == Verdict(False)


def test_SI_16_nfc_and_nfd_are_two_passwords():
    kdf = small()
    assert kdf.check(Secret("e\u0301"), digest=kdf.digest(Secret("\u00e9"))) == Verdict(False)


@pytest.mark.parametrize("digest", [None, "", "!", "*", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$broken"])
def test_SI_18_no_empty_or_foreign_digest_ever_matches(digest):
    kdf = small()
    before = kdf.made
    for plain in ("", "!", "*", "x"):
        assert kdf.check(Secret(plain), digest=digest) == Verdict(False)
    assert kdf.made - before == 4


def test_a_digest_of_other_parameters_is_outdated():
    old = small(time_cost=2).digest(Secret("kettle"))
    assert small().check(Secret("kettle"), digest=old) == Verdict(True, outdated=True)


def test_RX_02_more_than_slots_and_queue_are_refused_at_once():
    kdf = small(concurrency=1, queue=1)
    inside, leave = threading.Event(), threading.Event()

    class Slow:
        def hash(self, _plain):
            inside.set()
            assert leave.wait(10)
            return "digest"

    kdf._hasher = Slow()
    threads = [threading.Thread(target=kdf.digest, args=(Secret("a"),)) for _ in range(2)]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    while kdf._places.acquire(blocking=False):
        kdf._places.release()
    assert kdf.digest(Secret("b")) == Refused(Reason.BUSY)
    leave.set()
    for thread in threads:
        thread.join()
    assert kdf.made - 0 == 2


def test_RX_02_nobody_waits_longer_than_the_deadline():
    kdf = small(concurrency=1, queue=3, wait=timedelta(milliseconds=20))
    assert kdf._slots.acquire(blocking=False)
    assert kdf.check(Secret("a"), digest=None) == Refused(Reason.BUSY)
    kdf._slots.release()
    assert kdf.check(Secret("a"), digest=None) == Verdict(False)


def test_RX_02_thirty_two_at_once_use_the_memory_of_two():
    kdf = small(memory_kib=32 * 1024, concurrency=2, queue=32, wait=timedelta(seconds=60))
    digest = kdf.digest(Secret("kettle"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verdicts = []
    threads = [
        threading.Thread(target=lambda: verdicts.append(kdf.check(Secret("kettle"), digest=digest))) for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert verdicts == [Verdict(True)] * 32
    assert grown < 4 * 32 * 1024
