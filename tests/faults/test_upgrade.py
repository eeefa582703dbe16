"""Rolling upgrade (R-26): the next release's migration runs beside this release, and this release's code works on after it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx2
import psycopg
import pytest

from idp.settings import PROJECT, Settings
from tests.faults.mortal import Mortal, Stubborn, mortal
from tests.faults.test_serve import workers
from tests.servers import Postgres, binary, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240), pytest.mark.xdist_group("mortal")]
EXPANDED = (
    "SET lock_timeout = '2s'",
    "ALTER TABLE subject ADD COLUMN honorific text",
    "ALTER TABLE oauth_grant ADD COLUMN of_later text DEFAULT 'x'",
    "CREATE TABLE of_later (id integer PRIMARY KEY)",
    "UPDATE alembic_version SET version_num = '9999_later'",
)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    if binary("postgres") is None:
        pytest.skip("needs Debian's postgresql: apt-get install -y --no-install-recommends postgresql")
    server = Postgres().start()
    server.create_database("credence")
    urls = {"database_url": server.url("credence_app", "credence")}
    urls |= {"database_owner_url": server.url("credence_owner", "credence")}
    with mortal(tmp_path_factory.mktemp("upgraded"), **urls) as served:
        yield served
    server.remove()


def owner_url(provider: Mortal) -> str:
    return provider.settings.database_owner_url.replace("+psycopg", "")


def idp(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = {
        "PATH": os.environ["PATH"], "IDP_MODE": "demo", "IDP_ISSUER": settings.issuer, "IDP_DATA_DIR": str(settings.data_dir),
        "IDP_DATABASE_URL": settings.database_url, "IDP_DATABASE_OWNER_URL": settings.database_owner_url,
    }  # fmt: skip
    command = [sys.executable, "-m", "idp", *arguments]
    return subprocess.run(command, env=own, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)


def test_R_26_a_migration_that_cannot_get_its_lock_gives_up_at_once_and_changes_nothing(provider: Mortal) -> None:
    with psycopg.connect(owner_url(provider)) as owner:
        owner.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        ran = idp(provider.settings, "db", "upgrade")
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    assert idp(provider.settings, "db", "upgrade").stdout == "nothing to do\n"


def test_R_26_R_03_a_later_release_migrates_and_takes_over_under_load_and_going_back_works(provider: Mortal) -> None:
    """Last in this module: it leaves the database of a later release. No sign-in fails, whole ones over HTTP."""
    enough = threading.Event()
    failed: list[object] = []
    served: list[int] = []
    signed_in: list[int] = []
    with Stubborn(provider) as browser:
        held = browser.code().exchange().json()

    def ask() -> None:
        headers = {"Authorization": f"Bearer {held['access_token']}", "Connection": "close"}
        while not enough.is_set():
            try:
                answer = httpx2.get(f"{provider.issuer}/oauth/userinfo", headers=headers, timeout=20, trust_env=False)
            except httpx2.TransportError as error:
                failed.append(error)
                continue
            served.append(answer.status_code)

    def sign_in() -> None:
        while not enough.is_set():
            try:
                with Stubborn(provider) as anew:
                    signed_in.append(anew.code().exchange().status_code)
            except (httpx2.TransportError, AssertionError) as error:
                failed.append(error)

    asking = [threading.Thread(target=each) for each in (ask, ask, sign_in)]
    for each in asking:
        each.start()
    with psycopg.connect(owner_url(provider)) as owner:
        for statement in EXPANDED:
            owner.execute(statement)
    assert provider.process is not None
    before = workers(provider.process.pid)
    provider.process.send_signal(signal.SIGHUP)
    until(lambda: (now := workers(provider.process.pid)) and not now & before, seconds=90, what="no fresh workers")
    seen, entered = len(served), len(signed_in)
    until(lambda: len(served) > seen + 5 and len(signed_in) > entered + 1, what="nothing is served after the reload")
    enough.set()
    for each in asking:
        each.join(20)
    assert (failed, set(served), set(signed_in)) == ([], {200}, {200})
    assert entered, "a sign-in was under way at the reload"
    provider.kill()
    provider.start()
    with Stubborn(provider) as browser:
        assert browser.code().exchange().status_code == 200
    later = "the database is of a later release (9999_later), which this one works with\n"
    for arguments in (("db", "check"), ("db", "upgrade")):
        ran = idp(provider.settings, *arguments)
        assert (ran.returncode, ran.stdout) == (0, later), ran.stderr
