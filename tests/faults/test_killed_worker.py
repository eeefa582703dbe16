"""A worker killed in the middle of a request (R-01, R-02): all of it or none of it, nothing twice, and a way on.

The moments are before a commit, after it, and between the last commit and the reply.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from idp.audit.models import AuditEvent
from idp.foundation import artefacts
from idp.foundation.artefacts import Artefact, Kind
from idp.foundation.database import reading, see_as
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession, LogoutDelivery
from tests.attacks import invariants
from tests.faults.mortal import MOMENTS, SECOND, Mortal, Stubborn, mortal
from tests.servers import Postgres, binary

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240), pytest.mark.xdist_group("mortal")]
PASSWORD = "POST /sign-in/[0-9a-f-]+/password"
ANSWER = "GET /oauth/authorize/[0-9a-f-]+"
each_moment = pytest.mark.parametrize(("moment", "count"), MOMENTS)


on_both = pytest.mark.parametrize("provider", ["sqlite", "postgres"], indirect=True, scope="module")
on_sqlite = pytest.mark.parametrize("provider", ["sqlite"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    folder = tmp_path_factory.mktemp("mortal")
    if request.param == "sqlite":
        with mortal(folder) as served:
            yield served
        return
    if binary("postgres") is None:
        pytest.skip("needs Debian's postgresql: apt-get install -y --no-install-recommends postgresql")
    server = Postgres().start()
    server.create_database("credence")
    urls = {"database_url": server.url("credence_app", "credence")}
    urls |= {"database_owner_url": server.url("credence_owner", "credence")}
    with mortal(folder, **urls) as served:
        yield served
    server.remove()


@pytest.fixture(autouse=True)
def whole(provider: Mortal) -> Iterator[None]:
    """What holds after every death: the audit is whole, a code began at most one refresh family, no session is half made."""
    yield
    invariants.hold()
    with reading() as tx:
        see_as(tx, everything=True)
        begun = Counter(tx.scalars(select(Artefact.family).where(Artefact.kind == Kind.REFRESH)))
        burned = Artefact.kind == Kind.AUTHORIZATION_CODE, Artefact.used_at.is_not(None)
        assert begun == Counter(tx.scalars(select(Artefact.family).where(*burned))), "one refresh family a burned code"
        made = tx.scalar(select(func.count()).select_from(BrowserSession))
        noted = select(func.count()).select_from(AuditEvent).where(AuditEvent.type == "signed_in")
        assert made == tx.scalar(noted.where(AuditEvent.outcome == "ok"))


@on_both
@each_moment
def test_R_02_a_code_is_burned_with_what_it_brought_or_not_at_all(provider: Mortal, moment: str, count: int) -> None:
    with Stubborn(provider) as browser:
        code = browser.code()
        assert provider.dying(moment, count, code.exchange) is None
        assert is_burned(code.code) == (moment != "before_commit")
        again = code.exchange()
        assert again.status_code == (200 if moment == "before_commit" else 400), again.text
        assert is_burned(code.code)
        assert browser.code().exchange().status_code == 200, "signing in anew helps"


@on_both
@each_moment
def test_R_02_a_refresh_turns_once_or_not_at_all(provider: Mortal, moment: str, count: int) -> None:
    with Stubborn(provider) as browser:
        turn = {"grant_type": "refresh_token", "refresh_token": browser.code().exchange().json()["refresh_token"]}
        assert provider.dying(moment, count, lambda: provider.send("/oauth/token", **turn)) is None
        again = provider.send("/oauth/token", **turn)
        if again.status_code == 200:
            later = provider.send("/oauth/token", **(turn | {"refresh_token": again.json()["refresh_token"]}))
            assert later.status_code == 200
        else:
            assert moment != "before_commit"
            assert again.json()["error"] == "invalid_grant"
            assert browser.code().exchange().status_code == 200, "signing in anew helps"


@on_sqlite
@pytest.mark.parametrize(
    ("path", "moment", "count"),
    [
        *((PASSWORD, *each) for each in (*MOMENTS, *SECOND)),
        *(("GET /oauth/authorize", *each) for each in MOMENTS),
        *((ANSWER, *each) for each in MOMENTS),
    ],
)
def test_R_01_a_sign_in_goes_on_after_its_worker_died(provider: Mortal, path: str, moment: str, count: int) -> None:
    chooses = "marcus.oyelaran" if path == ANSWER else "rosa.delgado"
    with Stubborn(provider) as before, Stubborn(provider, user_id=chooses) as browser:
        issued = before.code()
        browser.dies_at(path, moment, count)
        assert browser.code().exchange().status_code == 200
        assert browser.died, f"nobody died {moment}"
        assert issued.exchange().status_code == 200, "what was issued before is not touched"


@on_sqlite
@each_moment
def test_R_01_a_silent_sign_in_is_asked_for_again(provider: Mortal, moment: str, count: int) -> None:
    with Stubborn(provider) as browser:
        browser.code()
        browser.dies_at("GET /oauth/authorize", moment, count)
        assert browser.code().exchange().status_code == 200
        assert browser.died, f"nobody died {moment}"


@on_sqlite
@each_moment
def test_R_01_a_token_is_revoked_by_asking_again(provider: Mortal, moment: str, count: int) -> None:
    with Stubborn(provider) as browser:
        token = browser.code().exchange().json()["refresh_token"]
    assert provider.dying(moment, count, lambda: provider.send("/oauth/revoke", token=token)) is None
    assert provider.send("/oauth/revoke", token=token).status_code == 200
    refused = provider.send("/oauth/token", grant_type="refresh_token", refresh_token=token)
    assert refused.json()["error"] == "invalid_grant"


@on_both
@each_moment
def test_R_01_a_mail_is_owed_exactly_when_its_link_exists(provider: Mortal, moment: str, count: int) -> None:
    with Stubborn(provider) as browser:
        page = f"{provider.issuer}/sign-in/forgot-password"
        browser.dies_at("POST /sign-in/forgot-password", moment, count)
        assert browser.fill(page, username="rosa.delgado").status_code == 200
        assert browser.died
    with reading() as tx:
        resets = select(func.count()).select_from(Artefact).where(Artefact.kind == Kind.PASSWORD_RESET)
        mails = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.notice == "password_reset")
        owed = tx.scalar(mails)
        assert owed == tx.scalar(resets)
        assert owed


@on_sqlite
@pytest.mark.parametrize(
    ("user_id", "step", "moment", "count"),
    [
        *(("rosa.delgado", "consent", *each) for each in MOMENTS),
        ("june.harwood", "agreement", *MOMENTS[0]),
    ],
)
def test_R_01_what_is_agreed_to_on_the_way_leads_on_after_a_death(
    provider: Mortal, user_id: str, step: str, moment: str, count: int
) -> None:
    with Stubborn(provider, user_id=user_id) as browser:
        browser.dies_at(f"POST /sign-in/[0-9a-f-]+/{step}", moment, count)
        assert browser.code(prompt="consent").exchange().status_code == 200
        assert browser.died, f"nobody died {moment}"


def is_burned(code: str) -> bool:
    with reading() as tx:
        digest = artefacts.digest_of(code.removeprefix("ac_"))
        return tx.scalars(select(Artefact.used_at).where(Artefact.digest == digest)).one() is not None


@on_sqlite
@each_moment
def test_R_01_whom_to_act_for_is_chosen_once(provider: Mortal, moment: str, count: int) -> None:
    with Stubborn(provider, user_id="marcus.oyelaran") as browser:
        browser.dies_at("POST /sign-in/[0-9a-f-]+/choose", moment, count)
        answer = browser.code().exchange()
        assert answer.status_code == 200
        assert browser.died, f"nobody died {moment}"


@on_sqlite
@each_moment
def test_R_01_a_sign_out_ends_the_session_and_owes_each_portal_one_call(
    provider: Mortal, moment: str, count: int
) -> None:
    with Stubborn(provider) as browser:
        code = browser.code()
        assert code.exchange().status_code == 200
        asked = browser.send("GET", f"{provider.issuer}/oauth/logout")
        owed = calls_owed()
        browser.dies_at("POST /oauth/logout/[0-9a-f-]+", moment, count)
        assert browser.fill(f"{provider.issuer}{asked.headers['Location']}").status_code == 200
        assert browser.died
        assert calls_owed() == owed + 1
        assert browser.send("GET", f"{provider.issuer}/account/").status_code == 303, "signed out"


def calls_owed() -> int:
    with reading() as tx:
        return tx.scalar(select(func.count()).select_from(LogoutDelivery)) or 0
