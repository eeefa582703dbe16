"""A worker killed in the middle of a request (R-01, R-02): all of it or none of it, nothing twice, and a way on.

The moments are before a commit, after it, and between the last commit and the reply.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import func, select

from idp.affiliations.invitations.models import Invitation
from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.password.models import PasswordCredential
from idp.authenticators.totp import rules as totp
from idp.console.help_desk.models import HelpCase
from idp.console.staff.models import StaffMember
from idp.enrollment.models import Enrollment
from idp.foundation import artefacts, clock
from idp.foundation.artefacts import Artefact, Kind
from idp.foundation.database import Model, reading, see_as, writing
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession, LogoutDelivery
from idp.subjects import service as subjects
from tests.attacks import invariants
from tests.faults.mortal import MOMENTS, SECOND, BeginAnew, Mortal, Stubborn, mortal
from tests.servers import Postgres, binary

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240), pytest.mark.xdist_group("mortal")]
PASSWORD = "POST /sign-in/[0-9a-f-]+/password"
ANSWER = "GET /oauth/authorize/[0-9a-f-]+"
each_moment = pytest.mark.parametrize(("moment", "count"), MOMENTS)
around_the_commit = pytest.mark.parametrize(("moment", "count"), MOMENTS[:2])
"""Where a death before the reply leaves what one after the commit leaves."""


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
@around_the_commit
def test_R_01_a_silent_sign_in_is_asked_for_again(provider: Mortal, moment: str, count: int) -> None:
    with Stubborn(provider) as browser:
        browser.code()
        browser.dies_at("GET /oauth/authorize", moment, count)
        assert browser.code().exchange().status_code == 200
        assert browser.died, f"nobody died {moment}"


@on_sqlite
@around_the_commit
def test_R_01_a_token_is_revoked_by_asking_again(provider: Mortal, moment: str, count: int) -> None:
    with Stubborn(provider) as browser:
        token = browser.code().exchange().json()["refresh_token"]
    assert provider.dying(moment, count, lambda: provider.send("/oauth/revoke", token=token)) is None
    assert provider.send("/oauth/revoke", token=token).status_code == 200
    refused = provider.send("/oauth/token", grant_type="refresh_token", refresh_token=token)
    assert refused.json()["error"] == "invalid_grant"


@on_both
@around_the_commit
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
        *(("rosa.delgado", "consent", *each) for each in MOMENTS[:2]),
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
@around_the_commit
def test_R_01_whom_to_act_for_is_chosen_once(provider: Mortal, moment: str, count: int) -> None:
    with Stubborn(provider, user_id="marcus.oyelaran") as browser:
        browser.dies_at("POST /sign-in/[0-9a-f-]+/choose", moment, count)
        answer = browser.code().exchange()
        assert answer.status_code == 200
        assert browser.died, f"nobody died {moment}"


@on_sqlite
@around_the_commit
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


@dataclass(frozen=True)
class Act:
    """A form that somebody sends, and what is there when it was done once: its event, its mail, its row."""

    page: str
    event: str
    notice: str
    rows: type[Model]
    typed: dict[str, str] = field(default_factory=dict)
    whole: tuple[int, int, int] = (1, 1, 1)
    writes: int = 1

    def ledger(self) -> tuple[int, ...]:
        """How many there are of each."""
        events = select(func.count()).select_from(AuditEvent)
        with reading() as tx:
            see_as(tx, everything=True)
            counts = (
                events.where(AuditEvent.type == self.event, AuditEvent.outcome == "ok"),
                select(func.count()).select_from(OutboxMessage).where(OutboxMessage.notice == self.notice),
                select(func.count()).select_from(self.rows),
            )
            return tuple(tx.scalar(count) or 0 for count in counts)

    def dies(self, browser: Stubborn, moment: str, send: Callable[[], object]) -> None:
        """At the last commit of the act: the dead worker left nothing or all of it, and asking again does it."""
        before, left = self.ledger(), []
        browser.at_death = lambda: left.append(self.ledger())
        browser.dies_at(f"POST .*{self.page}", moment, self.writes)
        with suppress(BeginAnew):
            send()
        now = tuple(here - there for here, there in zip(self.ledger(), before, strict=True))
        [at_death] = (tuple(here - there for here, there in zip(each, before, strict=True)) for each in left)
        assert at_death == ((0, 0, 0) if moment == "before_commit" else self.whole), self
        assert now in (self.whole, tuple(2 * each for each in self.whole)), "done by asking again, and each time wholly"


STRONGLY = "/sign-in?to=account.overview&fresh=1"
SET_UP = Act("/set-up-mfa/totp", "factor_added", "factor_added", HeldFactor, writes=2)
CHECK = Act("/second-factor/totp", "signed_in", "", BrowserSession, whole=(1, 0, 1), writes=2)
INVITING = Act(
    "/invitations/new", "invitation_sent", "invitation", Invitation,
    {"email": "new.one@people.example", "first_name": "New", "last_name": "One"},
)  # fmt: skip
EMAIL = Act("/account/email", "email_change_asked", "confirm_email", Artefact, {"email": "other@people.example"})
CASE = Act("/console/help", "help_case_opened", "", HelpCase, {"login": "rosa.delgado", "reason": "calls"}, (1, 0, 1))
CHANGING = {"new_password": "Pewter-sundial-70", "repeat_password": "Pewter-sundial-70"}
PASSWORD_CHANGE = Act(
    "/account/security", "password_changed", "password_changed", PasswordCredential, CHANGING, (1, 1, 0), writes=2
)
ENROLLING = Act(
    "/enroll/heartland-selfservice/register/", "enrollment_mailed", "verify_email", Enrollment,
    {
        "first_name": "New", "last_name": "Two", "user_id": "new.two", "phone": "417-555-0142",
        "email": "new.two@people.example", "confirm_email": "new.two@people.example",
        "password": "Pewter-sundial-71", "confirm_password": "Pewter-sundial-71",
    },
)  # fmt: skip


@on_both
def test_R_01_an_act_whose_answer_is_lost_was_done_with_its_event_and_its_mail(provider: Mortal) -> None:
    """A practice managed, an address, a factor set up; on SQLite also the console, a password, a ceremony, the factor shown."""
    acts = (INVITING, EMAIL, *((CASE, PASSWORD_CHANGE, ENROLLING, CHECK) if provider.settings.sqlite else ()))
    perform(provider, acts, user_id="lena.fairbanks", moment="after_commit")
    with Stubborn(provider, user_id="hugo.ibarra") as browser:
        set_up(browser, "after_commit")


@on_sqlite
def test_R_01_an_act_that_was_not_committed_left_nothing_and_is_done_by_asking_again(provider: Mortal) -> None:
    perform(provider, (INVITING, PASSWORD_CHANGE, CHECK), user_id="ximena.avila", moment="before_commit")


def perform(provider: Mortal, acts: Sequence[Act], *, user_id: str, moment: str) -> None:
    """Each in turn, by one who sets up a second factor first. Where that answer is lost, the new session's cookie is too."""
    make_staff(user_id)
    with Stubborn(provider, user_id=user_id) as browser:
        key = set_up(browser, moment if moment == "before_commit" else None)
        managed = browser.followed(browser.send("GET", f"{provider.issuer}/manage/"))
        places = re.findall(r'/manage/[^"/]*/[^"/]*(?=/people)', f"{managed.url} {managed.text}")
        for act in acts:
            if act in (ENROLLING, CHECK):
                continue
            at = provider.issuer + (places[0] if act is INVITING else "") + act.page
            typed = act.typed | ({"current_password": browser.listed.password} if act is PASSWORD_CHANGE else {})
            act.dies(browser, moment, lambda at=at, typed=typed: browser.fill(at, **typed))
    if ENROLLING in acts:
        with Stubborn(provider, user_id=user_id) as stranger:
            ENROLLING.dies(stranger, moment, lambda: stranger.fill(provider.issuer + ENROLLING.page, **ENROLLING.typed))
    if CHECK in acts:
        with Stubborn(provider, user_id=user_id) as elsewhere:
            elsewhere.types(password=CHANGING["new_password"])
            page = led_to(elsewhere, "/second-factor/totp", f"{provider.issuer}{STRONGLY}")
            next_one = totp.code_at(key, now=clock.now() + timedelta(seconds=totp.PERIOD))
            CHECK.dies(elsewhere, moment, lambda: elsewhere.fill(str(page.url), code=next_one))


def set_up(browser: Stubborn, moment: str | None) -> str:
    """An authenticator app in a session that is then strong; its key."""
    page = led_to(browser, "/set-up-mfa", f"{browser.provider.issuer}{STRONGLY}&set-up=1")
    shown = browser.followed(browser.fill(f"{page.url}/totp")).text
    key = re.sub(r"\s", "", shown.partition('id="totp-key">')[2].partition("<")[0])

    def confirm() -> None:
        assert browser.fill(f"{page.url}/totp", code=totp.code_at(key, now=clock.now())).status_code == 303

    SET_UP.dies(browser, moment, confirm) if moment else confirm()
    return key


def make_staff(user_id: str) -> None:
    with writing() as tx:
        found = subjects.find_by_login(tx, key=user_id)
        assert found is not None
        tx.add(StaffMember(subject_id=found.id, role="help_desk", given_at=clock.now(), proposed_by="cli:test"))


def led_to(browser: Stubborn, end: str, url: str) -> httpx2.Response:
    """The page that a sign-in comes to."""
    page = browser.followed(browser.send("GET", url))
    while not str(page.url).endswith(end):
        page = browser.followed(browser.go_on(page))
    return page
