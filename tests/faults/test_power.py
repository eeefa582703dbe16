"""The power goes (R-04): everything is killed at once, PostgreSQL too; what was committed is there, and stays used."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine, func, select, text

from idp.audit import service as audit
from idp.audit.models import AuditEvent
from idp.foundation.database import db, engine_options, prepare, reading, see_as
from tests.faults.mortal import Code, Mortal, Stubborn, mortal
from tests.servers import Postgres, binary

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240), pytest.mark.xdist_group("mortal")]
CODES = 12


@pytest.fixture
def durable() -> Iterator[Postgres]:
    """With `fsync` and `synchronous_commit`, as production has it."""
    if binary("postgres") is None:
        pytest.skip("needs Debian's postgresql: apt-get install -y --no-install-recommends postgresql")
    server = Postgres(durable=True).start()
    server.create_database("credence")
    yield server
    server.remove()


def strike(server: Postgres) -> None:
    """SIGKILL for PostgreSQL and for all that it started."""
    assert server.process is not None
    pid = server.process.pid
    family = [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    for each in family:
        os.kill(each, signal.SIGKILL)
    server.process.wait(10)
    server.process = None


def spend(codes: list[Code], *, until_dark: list[httpx2.Response]) -> None:
    """Redeem them side by side; whoever gets no answer knows nothing."""

    def redeem(code: Code) -> httpx2.Response | None:
        try:
            return code.exchange()
        except httpx2.TransportError:
            return None

    with ThreadPoolExecutor(4) as pool:
        until_dark.extend(answer for answer in pool.map(redeem, codes) if answer is not None)


def events() -> int:
    with reading() as tx:
        see_as(tx, everything=True)
        assert audit.verify(tx) == []
        return int(tx.scalar(select(func.count()).select_from(AuditEvent)) or 0)


def judge(provider: Mortal, spent: list[Code], answers: list[httpx2.Response], *, before: int) -> None:
    """After the light is back: a whole audit, nothing lost that was answered, nothing usable twice."""
    assert len(answers) == len(spent)
    assert all(answer.status_code == 200 for answer in answers)
    assert events() >= before + len(spent)
    refreshed = [
        provider.send("/oauth/token", grant_type="refresh_token", refresh_token=answer.json()["refresh_token"])
        for answer in answers
    ]
    assert [answer.status_code for answer in refreshed] == [200] * len(answers), "an answered token is a committed one"
    assert {code.exchange().status_code for code in spent} == {400}, "a redeemed code came back to life"
    with Stubborn(provider) as browser:
        assert browser.code().exchange().status_code == 200


def test_R_04_postgresql_and_everything_else_killed_at_once(durable: Postgres, tmp_path: Path) -> None:
    urls = {"database_url": durable.url("credence_app", "credence")}
    urls |= {"database_owner_url": durable.url("credence_owner", "credence")}
    with mortal(tmp_path, **urls) as provider:
        with Stubborn(provider) as browser:
            spent = [browser.code() for _ in range(CODES)]
            unspent = [browser.code() for _ in range(CODES)]
        before = events()
        answers: list[httpx2.Response] = []
        spend(spent, until_dark=answers)
        with ThreadPoolExecutor(1) as background:
            dark: list[httpx2.Response] = []
            busy = background.submit(spend, unspent, until_dark=dark)
            strike(durable)
            provider.kill()
            busy.result(60)
        db.engine.dispose()
        durable.start()
        provider.start()
        judge(provider, spent, answers, before=before)
        for code in unspent:
            assert {code.exchange().status_code, code.exchange().status_code} <= {200, 400}
            assert code.exchange().status_code == 400, "a code was good twice"


def test_R_04_sqlite_survives_the_death_of_all_its_writers(tmp_path: Path) -> None:
    with mortal(tmp_path) as provider:
        with Stubborn(provider) as browser:
            spent = [browser.code() for _ in range(CODES)]
            unspent = [browser.code() for _ in range(CODES)]
        before = events()
        answers: list[httpx2.Response] = []
        spend(spent, until_dark=answers)
        with ThreadPoolExecutor(1) as background:
            dark: list[httpx2.Response] = []
            busy = background.submit(spend, unspent, until_dark=dark)
            provider.kill()
            busy.result(60)
        db.engine.dispose()
        provider.start()
        judge(provider, spent, answers, before=before)
        for code in unspent:
            code.exchange()
            assert code.exchange().status_code == 400, "a code was good twice"


def test_R_04_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'credence.sqlite3'}"
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    with engine.execution_options(credence_read=True).connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2, "FULL"
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    engine.dispose()
