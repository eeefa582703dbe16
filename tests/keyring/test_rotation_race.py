"""RA-10: signing while another process rotates."""

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from idp.foundation import jose
from idp.foundation.jose import Purpose
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused
from tests.factories.keys import MADE
from tests.foundation.jose_bench import CLIENT, ISSUER, claims

ROTATOR = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from idp.foundation.algorithms import Alg
from idp.keyring import rotation
now = datetime.fromisoformat(sys.argv[2])
for turn, _ in enumerate(sys.stdin):
    done = rotation.rotate(Path(sys.argv[1]), now=now + timedelta(minutes=2 * turn), alg=Alg.ES256)
    assert isinstance(done, rotation.Rotated), done
    print(done.created[0], flush=True)
"""
ROUNDS = 8


def test_RA_10_every_token_verifies_with_the_set_published_when_it_was_signed_or_later(
    folder_of_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.keyring.service.LOOK_EVERY", 0.0)
    now = MADE + timedelta(minutes=2)
    signer, verifier = (Keyring.open(folder_of_keys, production=True, read_clock=lambda: now) for _ in range(2))
    at = int(now.timestamp())
    body = claims(Purpose.ACCESS_TOKEN, iat=at, exp=at + 300)
    wrong: list[object] = []
    kids: set[str] = set()
    stop = threading.Event()

    def sign_and_verify() -> None:
        while True:
            last = stop.is_set()
            key = signer.signing("ES256")
            text = jose.sign(body, key=key, typ="at+jwt")
            kids.add(key.kid)
            for ring in (signer, verifier):
                outcome = jose.verify(
                    text,
                    purpose=Purpose.ACCESS_TOKEN,
                    keys=ring.verification_keys(),
                    issuer=ISSUER,
                    audience=CLIENT,
                    now=now,
                )
                if isinstance(outcome, Refused):
                    wrong.append((key.kid, outcome))
            if last:
                return

    threads = [threading.Thread(target=sign_and_verify) for _ in range(2)]
    for thread in threads:
        thread.start()
    command = [sys.executable, "-c", ROTATOR, str(folder_of_keys), now.isoformat()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as rotator:
        assert rotator.stdin is not None
        assert rotator.stdout is not None
        for _ in range(ROUNDS):
            rotator.stdin.write("turn\n")
            waiting = rotator.stdout.readline().strip()
            assert waiting, "the rotator died"
            # what a minute does in life: every node has seen the key before it is used
            while not all(waiting in ring.verification_keys() for ring in (signer, verifier)):
                pass
        rotator.stdin.close()
    stop.set()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert len(kids) > 1


def test_two_rotators_take_turns(folder_of_keys: Path) -> None:
    commands = [
        [sys.executable, "-c", ROTATOR, str(folder_of_keys), (MADE + timedelta(hours=hours)).isoformat()]
        for hours in (1, 2)
    ]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    said = [process.communicate("turn\n", timeout=60) for process in running]
    ring = Keyring.open(folder_of_keys, production=True)
    assert len([process for process in running if process.returncode == 0]) >= 1, said
    assert ring.signing("ES256")
