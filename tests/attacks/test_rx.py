# ruff: noqa: F811 - fixtures are imported, and asked for by name
"""RX: exhausting us — by hashes, bodies, parameters, patterns, mails, logs (SECURITY §4). Judged by work (ruling 12)."""

import importlib
import os
import pkgutil
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

import idp
from idp.authenticators.password import rules as password_rules
from idp.authenticators.password.kdf import Kdf
from idp.foundation import clock, house
from idp.foundation.bridge import BODY_SECONDS
from idp.foundation.database import db, reading, writing
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession, LogoutDelivery, Participant, Transaction
from idp.sessions.rules import Ended
from idp.settings import Settings
from tests.attacks import invariants
from tests.attacks.scene import PORTAL, Scene, scene  # noqa: F401 - a fixture
from tests.attacks.served import HOST, Serve, Served, Visitor, drain, one_served, serve, statuses  # noqa: F401 - a fixture
from tests.authenticators.browsing import open_sign_in, post_form
from tests.factories import Make
from tests.factories.make import PASSWORD

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
HEAD = f"POST /oauth/token HTTP/1.1\r\nHost: {HOST}\r\n{FORM}"
SOAK = bool(os.environ.get("CREDENCE_SOAK"))
LOGINS, CONCURRENCY, QUEUE, MEMORY = 200 if SOAK else 32, 2, 6, 19_456
SLOW = 250 if SOAK else 100
HERD, A_SECOND = (12_000, 200) if SOAK else (40, 40)
"""Sign-ins, and how many come in each second: those of 08:00 for a minute (R-31)."""


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_RX_02_R_31_a_storm_of_sign_ins_is_bounded_in_memory_and_keeps_nobody_else_waiting(serve: Serve) -> None:
    """A herd at once, 8 admitted: memory of 2 hashes, the rest told to come back, pages answered while hashes run."""
    served = serve(
        workers=1, kdf_concurrency=CONCURRENCY, kdf_queue=QUEUE, password_memory_kib=MEMORY, password_time_cost=16,
        trusted_proxies=1,
    )  # fmt: skip
    visitors = [Visitor(served, address=f"198.51.100.{number}") for number in range(LOGINS)]
    forms = [visitor.open_sign_in() for visitor in visitors]
    before, most, done = served.resident_kib(), [0], []
    started, over = threading.Barrier(LOGINS + 1), threading.Event()

    def log_in(visitor: Visitor, path: str, token: str, number: int) -> None:
        form = {"csrf_token": token, "username": f"nobody.{number}", "password": "CNRY-wrong-password"}
        started.wait(20)
        status, _, retry, _ = visitor.ask("POST", path, form)
        done.append((time.monotonic(), status, retry))

    def watch() -> None:
        while not over.wait(0.01):
            most[0] = max(most[0], served.resident_kib())

    threads = [
        threading.Thread(target=log_in, args=(visitor, *form, number))
        for number, (visitor, form) in enumerate(zip(visitors, forms, strict=True))
    ]
    watching = threading.Thread(target=watch)
    for thread in (*threads, watching):
        thread.start()
    started.wait(20)
    paths = ("/oauth/jwks", "/sign-in/forgot-password", "/.well-known/openid-configuration") * 3
    pages = [(statuses(served.get(path, timeout=60)), time.monotonic()) for path in paths]
    for thread in threads:
        thread.join(60)
    over.set()
    watching.join(5)
    by_status = [status for _, status, _ in done]
    assert by_status.count(422) > CONCURRENCY, (
        "some waited for their turn; a slow machine tells the last of them to come back"
    )
    assert by_status.count(503) > 0
    assert set(by_status) == {422, 503}
    assert all(int(retry) >= 1 for _, status, retry in done if status == 503)
    assert [status for status, _ in pages] == [[200]] * len(pages)
    last_login = max(moment for moment, status, _ in done if status == 422)
    assert max(moment for _, moment in pages) < last_login, "pages waited behind the hashes"
    assert most[0] - before < CONCURRENCY * MEMORY + 60_000
    a_herd_comes_at_its_pace(served, visitors, forms)


def a_herd_comes_at_its_pace(served: Served, visitors: list[Visitor], forms: list[tuple[str, str]]) -> None:
    """At so many a second, however long the answers take: each is told something, and who is signed in is served."""
    mine = Visitor(served, address="203.0.113.9")
    sign_in(mine)

    def log_in(number: int) -> int:
        path, token = forms[number % LOGINS]
        one = Visitor(served, address=f"{11 + number % 200}.{number // 200 % 250}.{number % 250}.7")
        one.cookies = dict(visitors[number % LOGINS].cookies)
        form = {"csrf_token": token, "username": f"herd.{number}", "password": "CNRY-wrong-password"}
        return one.ask("POST", path, form)[0]

    began, nobody = time.monotonic(), threading.Event()
    with ThreadPoolExecutor(32) as pool:
        coming = []
        for number in range(HERD):
            nobody.wait(began + number / A_SECOND - time.monotonic())
            coming.append(pool.submit(log_in, number))
            if number % 20 == 0:
                assert mine.ask("GET", "/account/")[0] == 200, "who is signed in is served"
    told = {each.result() for each in coming}
    assert told <= {422, 429, 503}
    assert not SOAK or 503 in told
    assert mine.ask("GET", "/account/")[0] == 200


def sign_in(visitor: Visitor) -> None:
    """Somebody of the house's, as the herd's first."""
    rosa = Make(now=clock.now(), settings=house.get(Settings)).subject()
    path, token = visitor.open_sign_in()
    status, onward, _, _ = visitor.ask(
        "POST", path, {"csrf_token": token, "username": rosa.email, "password": PASSWORD}
    )
    while status == 303 and onward != "/account/":
        status, onward, _, _ = visitor.ask("GET", onward)
    assert (status, visitor.ask("GET", "/account/")[0]) == (303, 200)


@pytest.mark.both
def test_RX_03_unknown_people_are_limited_before_anything_is_hashed(client, make) -> None:
    kdf = house.get(Kdf)
    page = open_sign_in(client)
    for _ in range(5):
        post_form(client, page, "login-form", username="no.such.person", password="CNRY-wrong-password")
    before = kdf.made
    for _ in range(10):
        answer = post_form(client, page, "login-form", username="no.such.person", password="CNRY-wrong-password")
        assert answer.status_code == 422
    assert kdf.made == before


def test_RX_03_a_request_over_its_address_limit_hashes_nothing(client, make) -> None:
    kdf = house.get(Kdf)
    before = kdf.made
    page = open_sign_in(client)
    answers = [
        post_form(client, page, "login-form", username=f"nobody.{number}", password="CNRY-wrong-password")
        for number in range(25)
    ]
    assert [answer.status_code for answer in answers].count(429) == 5
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.status_code == 429)
    assert kdf.made - before <= 20


@one_served
@pytest.mark.faults
def test_RX_04_a_gigabyte_is_refused_by_its_announcement(served: Served) -> None:
    answer = served.raw(f"{HEAD}Content-Length: 1073741824\r\n\r\n".encode() + b"a" * 65_536)
    assert statuses(answer) == [413]


@one_served
@pytest.mark.faults
def test_RX_04_an_endless_body_is_cut_at_the_limit(served: Served) -> None:
    before, sent = served.resident_kib(), 0
    with served.connect() as wire:
        wire.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
        try:
            for _ in range(2000):
                wire.sendall(chunk)
                sent += 65_536
        except OSError:
            pass
        answer = drain(wire)
    assert sent < 64 * 1024 * 1024, "it went on reading"
    assert statuses(answer) in ([413], [411], []), "a reset may overtake the answer"
    assert served.resident_kib() - before < 32_000
    assert statuses(served.get("/oauth/jwks")) == [200]


@one_served
@pytest.mark.faults
def test_RX_04_R_32_slow_bodies_and_slow_headers_hold_no_worker(served: Served) -> None:
    """So many idle POSTs and as many half headers: the one worker answers on; each slow one is told or closed."""
    slow = [served.connect(timeout=30) for _ in range(2 * SLOW)]
    for wire in slow[:SLOW]:
        wire.sendall(f"{HEAD}Content-Length: 100\r\n\r\na=".encode())
    for wire in slow[SLOW:]:
        wire.sendall(f"GET /oauth/jwks HTTP/1.1\r\nHost: {HOST}\r\nX-Slow".encode())
    assert statuses(served.get("/oauth/jwks")) == [200]
    assert statuses(served.get("/sign-in/forgot-password")) == [200]
    assert statuses(served.post("/oauth/token", b"grant_type=x")) == [401]
    visitor = Visitor(served)
    path, token = visitor.open_sign_in()
    wrong = {"csrf_token": token, "username": "nobody", "password": "CNRY-wrong-password"}
    assert visitor.ask("POST", path, wrong)[0] == 422
    started = time.monotonic()
    ends = [statuses(drain(wire)) for wire in slow]
    for wire in slow:
        wire.close()
    assert ends == [[408]] * SLOW + [[]] * SLOW
    assert time.monotonic() - started < 2 * BODY_SECONDS + 10


@one_served
@pytest.mark.faults
def test_RX_05_headers_without_end_are_431(served: Served) -> None:
    line = "X-{}: " + "y" * 1000 + "\r\n"
    for lines in (40, 64, 200):
        more = "".join(line.format(number) for number in range(lines))
        assert statuses(served.get("/oauth/jwks", more=more)) == [431]
    assert statuses(served.get("/oauth/jwks", more="".join(f"X-{n}: y\r\n" for n in range(300)))) == [431]


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/authorize", "/oauth/logout", "/sign-in/forgot-password"])
@pytest.mark.parametrize("count", [51, 5_000, 60_000])
def test_RX_05_thousands_of_parameters_are_refused(scene: Scene, path: str, count: int) -> None:
    body = "&".join(f"p{number}=1" for number in range(count))
    answer = scene.browser().post(path, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in {400, 401, 403, 413}
    assert answer.status_code != 401 or "invalid_client" in answer.text


@pytest.mark.parametrize("path", ["/oauth/authorize", "/oauth/logout", "/sign-in/reset", "/sign-in", "/account/"])
def test_RX_05_thousands_of_query_parameters_are_refused(scene: Scene, path: str) -> None:
    for count in (60, 2_000, 5_000):
        answer = scene.browser().get(path + "?" + "&".join(f"p{number}=1" for number in range(count)))
        expected = {400, 414} if path in {"/oauth/authorize", "/oauth/logout", "/sign-in/reset"} else {303, 400, 414}
        assert answer.status_code in expected
        assert answer.status_code == 414 or count < 5_000


CLAIMS = {
    "deep arrays": '{"userinfo":{"email":{"x":' + "[" * 3000 + "]" * 3000 + "}}}",
    "deep objects": '{"userinfo":{"email":{"x":' + '{"a":' * 700 + "1" + "}" * 700 + "}}}",
    "deep at all": "[" * 8000,
    "rather deep": '{"userinfo":{"email":{"x":' + "[" * 300 + "]" * 300 + "}}}",
    "5,000 digits": '{"userinfo":{"email":{"value":' + "9" * 5000 + "}}}",
    "4,000 digits": '{"userinfo":{"email":{"value":' + "9" * 4000 + "}}}",
    "NaN": '{"userinfo":{"email":{"value":NaN}}}',
    "NaN aside": '{"userinfo":{"email":{"x":NaN}}}',
    "Infinity aside": '{"userinfo":{"email":{"x":-Infinity}}}',
    "NaN outside": '{"x":NaN}',
    "1e999": '{"userinfo":{"email":{"value":1e999}}}',
    "surrogate": '{"userinfo":{"email":{"value":"\\ud800"}}}',
    "surrogate name": '{"userinfo":{"\\udfff":null}}',
    "NUL": '{"userinfo":{"email":{"value":"\\u0000"}}}',
    "twice": '{"userinfo":{"email":null},"userinfo":{"email":null}}',
    "not closed": '{"userinfo":',
    "a list": "[]",
    "many": '{"userinfo":{' + ",".join(f'"c{number}":null' for number in range(500)) + "}}",
    "empty": "",
}


@pytest.mark.both
@pytest.mark.parametrize("name", CLAIMS)
def test_RX_06_a_claims_parameter_that_no_client_sends_is_invalid_request(scene: Scene, name: str) -> None:
    browser = scene.browser()
    answer = browser.get(scene.request(claims=CLAIMS[name]))
    if "error=" not in answer.headers.get("Location", ""):
        assert answer.status_code in {400, 414}, answer.headers.get("Location")
    else:
        assert "error=invalid_request" in answer.location


@pytest.mark.both
@pytest.mark.parametrize("max_age", ["9" * 30, "9" * 5000, "1e9", "-1", "1.5", "٣", "0x10", " 1", ""])
def test_RX_06_a_max_age_beyond_reason_is_invalid_request(scene: Scene, max_age: str) -> None:
    answer = scene.browser().get(scene.request(max_age=max_age))
    assert "error=invalid_request" in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    "path", ["/oauth/token", "/oauth/introspect", "/oauth/userinfo", "/oauth/authorize", "/oauth/logout", "/language",
             "/sign-in/forgot-password", "/sign-in/reset", "/account/profile"],
)  # fmt: skip
def test_RX_07_multipart_is_415_before_it_is_parsed(scene: Scene, path: str) -> None:
    bomb = b"".join(b'--b\r\nContent-Disposition: form-data; name="p%d"\r\n\r\n1\r\n' % n for n in range(1000))
    for kind in ("multipart/form-data; boundary=b", "Multipart/Form-Data; boundary=b", "multipart/mixed"):
        answer = scene.browser().post(path, data=bomb, content_type=kind)
        assert answer.status_code == 415


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern that a module of ours keeps, by name; those of pydantic fields too."""
    for found in pkgutil.walk_packages(idp.__path__, "idp."):
        if ".versions" in found.name or found.name.endswith((".env", "__main__")):
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                yield f"{found.name}.{name}", value
            elif isinstance(value, str) and name.endswith("PATTERN"):
                yield f"{found.name}.{name}", re.compile(value, re.ASCII)


SOUP = (
    "a",
    "0",
    " ",
    "-",
    ".",
    "@",
    "/",
    "\\",
    "<",
    "a.",
    "a-",
    "a@",
    "0.",
    "aA0",
    "()",
    "[[",
    "&#",
    "%0",
    "https://a.",
    "a,",
)


@pytest.mark.parametrize(("name", "pattern"), [pytest.param(*found, id=found[0]) for found in patterns()])
def test_RX_08_every_pattern_is_linear(name: str, pattern: re.Pattern[str]) -> None:
    """30,000 characters of what it nearly matches, in CPU time that only a linear pattern can keep.

    One that ends with `\\Z` is matched from the start, as the code does; the others are searched with.
    """
    uses = (pattern.match,) if pattern.pattern.endswith("\\Z") else (pattern.match, pattern.search)
    for piece in SOUP:
        evil = piece * (30_000 // len(piece))
        for text_ in (evil, evil + "!", "a" + evil + "\n", "0" + evil + "\x00"):
            started = time.thread_time()
            for use in uses:
                use(text_)
            assert time.thread_time() - started < 0.5, f"{name} on {piece!r}"


@pytest.mark.parametrize("piece", ["a", "ab", "1234567890", "qwertyuiop", "é", "\U0001f511", "aA1!", "abcabcabd"])
def test_RX_08_the_password_rules_are_linear(piece: str) -> None:
    """The longest that may be typed, judged by the calls it costs at n and 2n."""
    person = password_rules.Person(user_id="rosa.delgado", email="rosa@mail.test", words=("Rosa", "Delgado"))

    def calls(length: int) -> int:
        count, plain = [0], (piece * length)[:length]
        import sys

        sys.setprofile(lambda *_: count.__setitem__(0, count[0] + 1))
        try:
            password_rules.unmet(plain, policy=password_rules.DEFAULT_POLICY, person=person)
        finally:
            sys.setprofile(None)
        return count[0]

    half, whole = calls(password_rules.LONGEST_TYPED // 2), calls(password_rules.LONGEST_TYPED)
    assert whole <= 2.5 * half + 200


@pytest.mark.both
def test_RX_10_one_mailbox_gets_a_few_mails_however_often_it_is_asked_for(new_browser, make) -> None:
    make.subject("rosa.delgado")
    for number in range(40):
        browser = new_browser()
        browser.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
        for path, form, field, typed in (
            ("/sign-in/forgot-password", None, "username", "rosa.delgado"),
            ("/sign-in/forgot-password", None, "username", "Rosa.Delgado@mail.test"),
            ("/sign-in/forgot-user-id", None, "email", "rosa.delgado@mail.test"),
        ):
            assert post_form(browser, browser.get(path), form, **{field: typed}).status_code == 200
    assert 1 <= len(make.rows(OutboxMessage)) <= 10


def test_RX_10_one_address_asks_for_a_few_mails_whomever_it_names(new_browser, make) -> None:
    for number in range(30):
        make.subject(f"person.number.{number}")
    browser = new_browser()
    for number in range(30):
        page = browser.get("/sign-in/forgot-password")
        post_form(browser, page, None, username=f"person.number.{number}")
    assert len(make.rows(OutboxMessage)) <= 10


@pytest.mark.postgres
def test_RX_11_no_statement_runs_for_ever(app) -> None:
    with pytest.raises(DBAPIError, match="statement timeout"), reading() as tx:
        tx.execute(text("SELECT pg_sleep(20)"))
    with reading() as tx:
        assert tx.execute(text("SHOW lock_timeout")).scalar_one() == "2s"


def test_RX_11_what_a_page_lists_is_capped(scene: Scene) -> None:
    for _ in range(130):
        scene.make.session(scene.rosa)
    with reading() as tx:
        assert len(sessions.list_sessions(tx, subject_id=scene.rosa.id, now=scene.make.now)) == 100
    browser = scene.browser()
    scene.sign_in_at(browser)
    for query in ("page=1000000000", "size=1000000000", "page=-1", "per_page=1e9", "sort=id;--", "limit=0"):
        assert browser.get(f"/account/sessions?{query}").status_code == 200


@pytest.mark.both
def test_RX_12_signing_out_of_hundreds_of_portals_only_queues(scene: Scene) -> None:
    """No portal is called in the request, and the statements do not grow with the portals."""
    session, _ = scene.make.session(scene.rosa)
    for number in range(60):
        scene.make.client(f"portal-{number}")
    with writing() as tx:
        for number in range(60):
            tx.add(Participant(session_id=session.id, client_id=f"portal-{number}", sub="s", joined_at=scene.make.now))
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    with writing() as tx:
        sessions.end_session(
            tx, session_id=session.id, reason=Ended.SIGNED_OUT, now=scene.make.now, origin=Origin.local("test")
        )
    assert len(scene.make.rows(LogoutDelivery)) == 60
    assert len(statements) < 30


def test_RX_14_a_flood_leaves_short_lines_and_exact_counters(scene: Scene) -> None:
    import io

    from idp.foundation import logs, metrics

    caught = io.BytesIO()
    logs.setup(level="INFO", sink=caught)
    try:
        before = _refused(metrics.exposition())
        browser = scene.browser()
        for number in range(200):
            browser.get(f"/no/such/{'x' * 3000}%0a{{}}/{number}", headers={"User-Agent": "x" * 8000}).close()
        after = _refused(metrics.exposition())
    finally:
        logs.setup(sink=io.BytesIO())
    lines = caught.getvalue().splitlines()
    assert after - before == 200
    assert len(lines) == 200
    assert max(map(len, lines)) < 1000
    assert len(scene.make.rows(Transaction)) == 0


def _refused(exposition: bytes) -> float:
    lines = [line for line in exposition.decode().splitlines() if line.startswith("credence_requests_total{")]
    return sum(float(line.split()[-1]) for line in lines if 'route="-"' in line and 'status="404"' in line)


def test_RX_14_what_a_person_types_never_becomes_a_metric(scene: Scene) -> None:
    from idp.foundation import metrics

    scene.browser().get("/" + quote("CNRY-path"))
    scene.browser().open("/oauth/token", method="CNRYMETHOD")
    assert b"CNRY" not in metrics.exposition()


def test_RX_a_session_of_nobody_costs_nothing(scene: Scene) -> None:
    """Requests with an invented cookie write no row (G2, R-31)."""
    for number in range(20):
        browser = scene.browser()
        browser.plant("__Host-credence_session", f"{number:043d}")
        browser.get("/account/")
    assert scene.make.rows(BrowserSession) == []
    invariants.hold()


def test_RX_parked_requests_end(scene: Scene, hands) -> None:
    """What a flood of authorization requests parks is purged when it is over."""
    from idp.sessions import transactions

    for _ in range(5):
        scene.browser().get(scene.request())
    with writing() as tx:
        assert transactions.purge(tx, before=hands.now + timedelta(hours=2), batch=3) == 3
    assert len(scene.make.rows(Transaction)) == 2
