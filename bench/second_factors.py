"""What second factors cost, in this process: an app's code, and a sign-in that a remembered browser spares the question.

CPU µs on an own SQLite file, with passwords hashed as lightly as can be: what is told is what stands beside the hash.
"""

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pyotp
from sqlalchemy import delete, event, insert

from bench import report
from bench.report import Figure
from idp import create_app
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.password import people, service
from idp.authenticators.password.service import Attempt
from idp.authenticators.remembered_devices import service as devices
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.authenticators.totp import rules as totp
from idp.demo.cli import overrides
from idp.foundation import clock, house
from idp.foundation.database import db, new_id, writing
from idp.foundation.origin import Origin
from idp.keyring import rotation
from idp.migrations import run as migrations
from idp.sessions import transactions
from idp.sessions.models import BrowserSession, Transaction
from idp.sessions.service import NewSession
from idp.settings import Settings, load
from idp.sign_in.requests import parked
from idp.sign_in.rules import AuthorizationRequest
from idp.subjects.models import Subject
from idp.subjects.rules import NewSubject, SubjectFacts
from idp.vocabulary.assurance import Factor
from idp.vocabulary.secret import Secret

ROUNDS: Final = 5
TIMES: Final = 100
_MEMORY: Final = Path("/dev/shm")
"""Where there is one, the file lies there: the disk is not what is asked about."""
MANY: Final = 10_000
_PASSWORD: Final = Secret("Copper-bellows-49")
_ORIGIN: Final = Origin("203.0.113.7", "bench", user_agent="bench")
_BROWSER: Final = secrets.token_bytes(32)


@dataclass
class Somebody:
    """A person in one browser, with what it was remembered by."""

    login: str
    cookie: Secret | None = None

    def sign_in(self) -> None:
        """One sign-in by password for our own pages."""
        now = clock.now()
        with writing() as tx:
            asked = parked(AuthorizationRequest(client_id=None, return_to="account.overview"))
            lifetime = timedelta(minutes=60)
            txn = transactions.park(
                tx, browser_digest=_BROWSER, client_id=None, request=asked, now=now, lifetime=lifetime
            )
            transactions.await_step(tx, txn=txn, step=service.STEP)
        sent = () if self.cookie is None else (self.cookie,)
        made = service.sign_in(Attempt(txn, _BROWSER, self.login, _PASSWORD, None, _ORIGIN, now, sent))
        if not isinstance(made, NewSession) or (made.device is None) != (self.cookie is None):
            raise SystemExit(f"{self.login} was not signed in as the bench means it: {made}")
        self.cookie = made.device.value if made.device is not None else None


def costs() -> Iterator[Figure]:
    """Of each sign-in the CPU, taken in turns, and the statements."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        settings = load(
            overrides=overrides(8990, Path(folder)) | {"password_memory_kib": "8", "password_time_cost": "1"}
        )
        rotation.create(settings.keys_dir, now=clock.now(), demo=True)
        migrations.upgrade(settings)
        with create_app(settings).app_context():
            plain, one, many = Somebody("bench.plain"), _remembered("bench.one", 1), _remembered("bench.many", MANY)
            _person(plain.login)
            named = {"plain sign-in": plain, "remembered browser": one, f"one of {MANY:,} remembered browsers": many}
            yield from _measured({name: person.sign_in for name, person in named.items()})


def code_us() -> list[float]:
    """CPU of one typed code against the three steps that may be."""
    secret, now = totp.new_secret(), clock.now()
    code = pyotp.TOTP(secret).at(now)
    return [_us(lambda: totp.matching_step(secret, code, now=now)) for _ in range(ROUNDS)]


def _measured(acts: dict[str, Callable[[], None]]) -> Iterator[Figure]:
    counts = {name: _statements(act) for name, act in acts.items()}
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(ROUNDS):
        for name, act in acts.items():
            taken[name].append(_us(act, tidy=_tidy))
    for name, figures in taken.items():
        yield Figure(f"{name}, beside the hash", "µs CPU", figures)
        yield Figure(f"{name}, what it asks", "statements", [counts[name]])


def _us(act: Callable[[], Any], *, tidy: Callable[[], None] = lambda: None) -> float:
    taken = 0.0
    for _ in range(TIMES):
        begun = time.process_time()
        act()
        taken += time.process_time() - begun
        tidy()
    return taken / TIMES * 1e6


def _tidy() -> None:
    """Nobody keeps hundreds of sessions, which each sign-in would look through for browsers that it knows."""
    with writing() as tx:
        tx.execute(delete(Transaction))
        tx.execute(delete(BrowserSession))


def _statements(act: Callable[[], None]) -> int:
    act()
    with _counting() as seen:
        act()
    return len(seen)


@contextmanager
def _counting() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def _person(login: str) -> SubjectFacts:
    new = NewSubject(user_id=login, email=f"{login}@people.example", email_proven=True)
    made = people.create(new, plain=_PASSWORD, temporary=False, checked=False, now=clock.now(), origin=_ORIGIN)
    if not isinstance(made, SubjectFacts):
        raise SystemExit(f"{login} was not made: {made}")
    return made


def _remembered(login: str, how_many: int) -> Somebody:
    """Somebody with an authenticator app, remembered in as many browsers."""
    person, now = _person(login), clock.now()
    with writing() as tx:
        row = tx.get(Subject, person.id)
        assert row is not None
        tx.add(
            HeldFactor(
                subject_id=person.id, kind=Factor.TOTP.value, name="App", gives=["aal2"], amr=["otp"], created_at=now
            )
        )
        device = devices.remember(tx, subject=row, sent=(), now=now, origin=_ORIGIN)
        assert device is not None
        others = [_device(person.id, now=now, epoch=row.epoch) for _ in range(how_many - 1)]
        if others:
            tx.execute(insert(RememberedDevice), others)
    return Somebody(login, device.value)


def _device(subject_id: str, *, now: Any, epoch: int) -> dict[str, Any]:
    until = now + (house.get(Settings).remember_device or timedelta(days=30))
    return {
        "id": new_id(), "subject_id": subject_id, "digest": secrets.token_bytes(32), "former_digest": secrets.token_bytes(32),
        "rotated_at": now, "remembered_at": now, "last_used_at": now, "expires_at": until, "subject_epoch": epoch,
        "system_epoch": 1, "user_agent": "bench", "address": "203.0.113.7",
    }  # fmt: skip


def main() -> None:
    """Measure, print, keep."""
    code = Figure("a code of an authenticator app, against three steps", "µs CPU", code_us())
    report.tell("second-factors", [code, *costs()])


if __name__ == "__main__":
    main()
