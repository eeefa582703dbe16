# ruff: noqa: F811 - fixtures are imported, and asked for by name
"""ST: what is stored, what leaks, what is run (SECURITY §4)."""

import io
import logging
import pickle
import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.audit.rules import clean_text
from idp.directory.models import Practice
from idp.foundation import house, logs, vault
from idp.foundation.database import reading, see_as, writing
from idp.foundation.store import Store
from idp.keyring.service import Keyring
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession, Transaction
from tests.attacks import invariants
from tests.attacks.scene import (  # noqa: F401 - a fixture
    BASIC,
    BROWSER,
    CALLBACK,
    PORTAL,
    SCOPE,
    SESSION,
    VERIFIER,
    Scene,
    Watched,
    query_names,
    scene,
)  # fmt: skip
from tests.attacks.strings import INJECTIONS, SURROGATE, UNSTORABLE
from tests.authenticators.browsing import post_form
from tests.conftest import ISSUER
from tests.factories.make import CLIENT_SECRET, PASSWORD

TIN = "987654321"
FORM = "application/x-www-form-urlencoded"
AUTHORIZE = (
    "client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt", "max_age", "ui_locales", "claims",
    "id_token_hint", "login_hint", "acr_values", "response_mode", "display", "request", "request_uri", "resource",
    "code_challenge", "code_challenge_method", "claims_locales", "registration", "provider_id", "kid", "order_by", "page",
)  # fmt: skip
CALLS = {
    "/oauth/token": ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "client_id",
                     "client_secret", "client_assertion", "client_assertion_type", "resource"),
    "/oauth/introspect": ("token", "token_type_hint", "client_id", "client_secret"),
    "/oauth/revoke": ("token", "token_type_hint", "client_id"),
    "/oauth/userinfo": ("access_token",),
    "/oauth/logout": ("id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"),
    "/oauth/authorize": AUTHORIZE,
}  # fmt: skip
NO_ERROR = {"/oauth/logout", "/oauth/introspect", "/oauth/revoke"}
"""An unknown token is no error there (RFC 7662 §2.2, RFC 7009 §2.2), however long."""
FIELDS = {
    "/sign-in/forgot-password": ("username", "csrf_token"),
    "/sign-in/forgot-user-id": ("email", "csrf_token"),
    "/sign-in/reset": ("token", "new_password", "repeat_password", "csrf_token"),
    "/language": ("language", "back", "csrf_token"),
    "/account/profile": ("locale", "zoneinfo", "csrf_token"),
    "/account/security": ("current_password", "new_password", "repeat_password", "csrf_token"),
    "/sign-in/{txn}/password": ("username", "password", "csrf_token"),
    "/sign-in/{txn}/identify": ("username", "csrf_token"),
    "/sign-in/{txn}/choose": ("choice", "remember", "csrf_token"),
    "/sign-in/{txn}/consent": ("decision", "scope", "csrf_token"),
    "/sign-in/{txn}/agreement": ("accept", "version", "csrf_token"),
    "/sign-in/{txn}/change-password": ("new_password", "repeat_password", "csrf_token"),
    "/oauth/logout/{txn}": ("csrf_token",),
    "/account/sessions/end-others": ("csrf_token",),
    f"/account/apps/{PORTAL}/revoke": ("csrf_token",),
}


def token_of(browser: Watched) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sign-in/forgot-password").text)
    assert found is not None
    return found[1]


# ST-01


@pytest.mark.both
@pytest.mark.parametrize("evil", INJECTIONS)
def test_ST_01_no_parameter_is_sql(scene: Scene, evil: str) -> None:
    """Every parameter of every endpoint: no failure, and everything is still there."""
    browser = scene.browser(f"198.51.100.{INJECTIONS.index(evil)}")
    for name in AUTHORIZE:
        browser.get(scene.request(**{name: evil}))
    for path, names in CALLS.items():
        for name in names:
            browser.post(path, data={name: evil}, headers=BASIC)
    for path in ("/account/", "/sign-in", "/sign-in/reset", "/sign-in/forgot-password", "/oauth/logout"):
        for name in ("to", "token", "txn", "page", "order_by", "sort", "filter", "id"):
            browser.get(f"{path}?{urlencode({name: evil})}")
    for path in (
        f"/brand/{quote(evil, safe='')}.css",
        f"/help/{PORTAL}/{quote(evil, safe='')}",
        f"/account/apps/{quote(evil, safe='')}/revoke",
    ):
        browser.get(path)
    csrf = token_of(browser)
    browser.post("/sign-in/forgot-password", data={"csrf_token": csrf, "username": evil}, headers={"Origin": ISSUER})
    browser.post("/sign-in/forgot-user-id", data={"csrf_token": csrf, "email": evil}, headers={"Origin": ISSUER})
    login = scene.open(browser)
    answer = post_form(browser, login, "login-form", username=evil, password=evil)
    assert answer.status_code in {400, 422}
    browser.get("/oauth/userinfo", headers={"Authorization": f"Bearer {evil}"})
    browser.get("/account/", headers={"Cookie": f"{SESSION}={quote(evil)}; {BROWSER}={quote(evil)}"})
    assert scene.make.rows(BrowserSession) == []
    assert scene.make.row(type(scene.rosa), scene.rosa.id).status == "active"
    invariants.hold()


# ST-03


def _sent(name: str, value: str, csrf: str) -> str:
    pairs = {} if name == "csrf_token" else {"csrf_token": csrf}
    return "&".join([*(f"{key}={quote(held)}" for key, held in pairs.items()), f"{name}={value}"])


@pytest.mark.both
@pytest.mark.parametrize("what", [*UNSTORABLE, "surrogate", "bad utf-8"])
def test_ST_03_what_a_database_cannot_hold_is_400_everywhere(scene: Scene, what: str) -> None:
    """Each field of each POST: 400 or the form's 422, and the same on both databases."""
    raw = {"surrogate": SURROGATE, "bad utf-8": "%ff%fe"}.get(what) or quote(UNSTORABLE[what])
    browser = scene.browser()
    scene.sign_in_at(browser)
    txn = urlsplit(scene.open(browser, prompt="login").request.path).path.split("/")[2]
    csrf, number = token_of(browser), 0
    for path, names in FIELDS.items():
        for name in names:
            number += 1
            browser.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
            answer = browser.post(
                path.format(txn=txn), data=_sent(name, raw, csrf), content_type=FORM, headers={"Origin": ISSUER}
            )
            allowed = {400, 403} if name == "csrf_token" else {400, 422, 303}
            assert answer.status_code in allowed, (path, name, answer.status_code)
            if answer.status_code == 303:
                assert answer.location.startswith("/sign-in/") or path == "/language", (
                    "to the dispatcher, or nothing done"
                )
    for path, names in CALLS.items():
        for name in names:
            answer = browser.post(path, data=f"{name}={raw}", content_type=FORM, headers=BASIC)
            assert answer.status_code in {400, 401, 413} or path in NO_ERROR, (path, name, answer.status_code)
    _nothing_kept(scene)


def _nothing_kept(scene: Scene) -> None:
    kept = invariants.dump_database()
    assert "a\x00b" not in kept
    assert "x" * 300 not in kept
    invariants.hold()


@pytest.mark.both
@pytest.mark.parametrize("what", [*UNSTORABLE, "surrogate"])
def test_ST_03_in_an_authorization_request_too(scene: Scene, what: str) -> None:
    raw = SURROGATE if what == "surrogate" else quote(UNSTORABLE[what])
    for name in AUTHORIZE:
        answer = scene.browser().get(scene.request(**{name: None}) + f"&{name}={raw}")
        located = answer.headers.get("Location", "")
        assert answer.status_code in {400, 414} or "error=" in located, (name, located)
    assert scene.make.rows(Transaction) == []


# ST-04, ST-07, ST-08


@pytest.fixture
def everything_logged() -> Iterator[io.BytesIO]:
    """All loggers at DEBUG, ours and foreign ones, into one buffer."""
    caught, root = io.BytesIO(), logging.getLogger()
    before, level = list(root.handlers), root.level
    logs.setup(level="DEBUG", sink=caught)
    root.setLevel(logging.DEBUG)
    plain = io.TextIOWrapper(caught, write_through=True)
    root.addHandler(logging.StreamHandler(plain))
    yield caught
    plain.detach()
    logs.setup(sink=io.BytesIO())
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)


def whole_run(scene: Scene) -> list[str]:
    """Sign in, exchange, read, refresh, introspect, fail, reset by mail, sign out; every secret that was used."""
    browser = scene.browser()
    page = scene.open(browser)
    post_form(browser, page, "login-form", username="rosa.delgado", password="CNRY-wrong-password")
    code = scene.sign_in_at(browser)
    tokens = scene.exchange(code).get_json()
    scene.userinfo(tokens["access_token"])
    scene.introspect(tokens["access_token"])
    again = scene.refresh(tokens["refresh_token"]).get_json()
    scene.call("/oauth/token", {"grant_type": "refresh_token", "refresh_token": "rt_CNRY-invented"})
    scene.call("/oauth/token", {"grant_type": "authorization_code", "code": "ac_CNRY-invented"})
    scene.browser().post("/oauth/token", data={"client_id": PORTAL, "client_secret": "CNRY-wrong-secret"})
    scene.browser().get("/sign-in/reset?token=CNRY-token-of-nobody-CNRY-token-of-nobody-x")
    asked = scene.browser()
    post_form(asked, asked.get("/sign-in/forgot-password"), None, username="rosa.delgado")
    secrets = [code, VERIFIER, PASSWORD, CLIENT_SECRET, "CNRY-", again["access_token"], again["refresh_token"]]
    secrets += [tokens[name] for name in ("access_token", "refresh_token", "id_token")]
    secrets += [found for name in (SESSION, BROWSER) if (found := browser.cookie(name))]
    secrets += [part for token in secrets[-2:] for part in (token[:20],)]
    return secrets


@pytest.mark.both
def test_ST_04_a_dump_of_database_and_redis_holds_no_secret(scene: Scene, settings) -> None:
    practice = scene.make.row(Practice, scene.provider.practice_id)
    scene.make.practice(TIN)
    secrets = [*whole_run(scene), TIN]
    dump = invariants.dump_database()
    assert practice.tin_last4 in dump, "the dump is real"
    invariants.keeps_secret(dump, secrets)
    for secret in secrets:
        if len(secret) > 12:
            assert secret.encode().hex() not in dump
    if settings.redis_url:
        with Redis.from_url(settings.redis_url) as redis:
            keys = list(redis.scan_iter())
            shown = " ".join(f"{key!r} {redis.get(key)!r}" for key in keys)
        assert keys
        invariants.keeps_secret(shown, [*secrets, "rosa", "192.0.2.10"])


@pytest.mark.both
def test_ST_07_all_logs_at_debug_hold_no_secret_and_nobody(scene: Scene, everything_logged: io.BytesIO) -> None:
    secrets = whole_run(scene)
    for answer in scene.seen.answers:
        answer.close()
    shown = everything_logged.getvalue().decode()
    assert '"route":"/oauth/token"' in shown
    ours = "\n".join(line for line in shown.splitlines() if line.startswith("{"))
    invariants.keeps_secret(ours, [*secrets, "rosa", "Delgado", "mail.test", "970000001"])
    invariants.keeps_secret(shown, secrets)


def test_ST_08_no_address_carries_more_than_code_and_state_to_the_portal(scene: Scene) -> None:
    secrets = [secret for secret in whole_run(scene) if not secret.startswith("ac_") and secret != "CNRY-"]
    sent = [answer for answer in scene.seen.answers if answer.headers.get("Location", "").startswith(CALLBACK)]
    assert sent
    for answer in sent:
        assert query_names(answer.headers["Location"]) == {"code", "state", "iss"}
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    for address in (*scene.seen.locations, *scene.seen.addresses):
        invariants.keeps_secret(address, secrets)
        assert "rosa" not in address
        assert address.startswith(CALLBACK) or "code=" not in address


# ST-05


def test_ST_05_a_sealed_value_moved_to_another_row_cannot_be_opened(scene: Scene) -> None:
    """The context is bound as associated data: what is sealed for one row opens in no other (TIN here)."""
    other = scene.make.practice("981111111")
    keys = house.get(Keyring).vault
    from idp.directory import service as directory

    row = scene.make.row(Practice, scene.provider.practice_id)
    assert vault.unseal(row.tin_sealed, keys=keys, context=directory.practice_context(row.id))
    for context in (directory.practice_context(other.id), directory.provider_context(row.id), ""):
        with pytest.raises(vault.Unopenable):
            vault.unseal(row.tin_sealed, keys=keys, context=context)
    for place in range(0, len(row.tin_sealed), 7):
        bent = row.tin_sealed[:place] + bytes([row.tin_sealed[place] ^ 1]) + row.tin_sealed[place + 1 :]
        with pytest.raises(vault.Unopenable):
            vault.unseal(bent, keys=keys, context=directory.practice_context(row.id))


# ST-09, ST-11


class _Exploit:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('CNRY: it was run')",))


@pytest.mark.postgres
def test_ST_09_garbage_in_redis_is_a_miss_and_is_never_run(scene: Scene, settings) -> None:
    """Pickle, YAML, wrong types and huge numbers under every key that was used, and under every key we know of."""
    scene.sign_in_at(scene.browser())
    evil: list[bytes] = [
        pickle.dumps(_Exploit()), b"!!python/object/apply:os.system ['true']", b"\x00\xff", b"9" * 5000, b"{}", b"-1", b"NaN",
    ]  # fmt: skip
    with Redis.from_url(settings.redis_url) as redis:
        keys = [*redis.scan_iter(), b"credence:version:clients"]
        for value in evil:
            for key in keys:
                redis.set(key, value)
            scene.app.extensions["credence"][Store].forget()
            browser = scene.browser()
            assert scene.exchange(scene.sign_in_at(browser)).status_code == 200
        for key in keys:
            redis.delete(key)
            redis.lpush(key, b"not a string")
        scene.app.extensions["credence"][Store].forget()
        assert scene.exchange(scene.sign_in_at(scene.browser())).status_code == 200
    invariants.hold()


@pytest.mark.parametrize(
    "planted", [b"\x80\x04\x95", b"!!python/object/apply:os.system ['true']", b".eJ.x.y", b"{}", b"\xff" * 43]
)
def test_ST_09_garbage_in_cookies_is_nobody(scene: Scene, planted: bytes) -> None:
    browser = scene.browser()
    header = f"{SESSION}={planted.decode('latin-1')}; {BROWSER}={planted.decode('latin-1')}; session={planted.decode('latin-1')}"
    assert browser.get("/account/", headers={"Cookie": header}).status_code == 303
    assert browser.get("/sign-in/forgot-password", headers={"Cookie": header}).status_code == 200


@pytest.mark.postgres
def test_ST_11_after_a_time_out_no_connection_answers_an_older_question(scene: Scene, settings) -> None:
    """A client that gave up must not read the late answer as the next one's (the whole class: hang, then go on)."""
    store = scene.app.extensions["credence"][Store]
    with Redis.from_url(settings.redis_url) as redis:
        redis.set("credence:st11:first", "first")
        redis.set("credence:st11:second", "second")
        redis.client_pause(400, all=True)
        assert store.get("st11:first") is None
        redis.client_unpause()
    for _ in range(5):
        store.forget()
        assert store.get("st11:second") == b"second"
        assert store.get("st11:first") == b"first"


# ST-12


@pytest.mark.postgres
def test_ST_12_the_application_without_a_scope_sees_no_affiliation(scene: Scene) -> None:
    tables = ("affiliation", "affiliation_evidence", "held_level")
    with reading() as tx:
        for table in tables:
            assert tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
        assert tx.execute(text("SELECT current_user")).scalar_one() == "credence_app"
    with reading() as tx:
        see_as(tx, subject_id="somebody-else")
        assert tx.scalars(select(Affiliation)).all() == []
    with reading() as tx:
        see_as(tx, target_id=uuid4())
        assert tx.scalars(select(Affiliation)).all() == []
    with reading() as tx:
        see_as(tx, subject_id=scene.rosa.id)
        assert [row.id for row in tx.scalars(select(Affiliation))] == [scene.affiliation.id]
    with reading() as tx:
        assert tx.execute(text("SELECT count(*) FROM affiliation")).scalar_one() == 0, (
            "the scope outlived its transaction"
        )


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE affiliation SET status = 'active'", "DELETE FROM affiliation",
        "ALTER TABLE affiliation DISABLE ROW LEVEL SECURITY", "DROP POLICY scope ON affiliation",
        "SET ROLE credence_owner", "SET row_security = off; SELECT * FROM affiliation", "TRUNCATE affiliation",
        "TRUNCATE audit_event", "UPDATE audit_event SET outcome = 'ok'", "CREATE TABLE planted (x int)",
    ],
)  # fmt: skip
def test_ST_12_the_application_cannot_open_its_own_fence(scene: Scene, statement: str) -> None:
    before = [(row.id, row.status) for row in scene.make.rows(Affiliation)]
    changed = 0
    try:
        with writing() as tx:
            changed = tx.execute(text(statement)).rowcount  # type: ignore[attr-defined]
    except DBAPIError:
        changed = 0
    assert changed <= 0
    assert [(row.id, row.status) for row in scene.make.rows(Affiliation)] == before


# ST-13


@pytest.mark.parametrize(
    ("evil", "shown"),
    [
        ("a\r\nBcc: evil@evil.test", None),
        ("=HYPERLINK(1)", None),
        ("a\u2028b\u202ec\x1b[31m", None),
    ],
)
def test_ST_13_stored_text_is_encoded_at_each_sink(evil: str, shown: str | None) -> None:
    """For the audit's text and its CSV; mail headers and pages have their own tests (AD-15, AD-16)."""
    from idp.audit import rules as audit_rules

    cleaned = clean_text(evil)
    assert not set("\r\n\u2028\u202e\x1b") & set(cleaned)
    cell = audit_rules.spreadsheet_cell(evil) if hasattr(audit_rules, "spreadsheet_cell") else None
    assert cell is None or not cell.startswith(("=", "+", "-", "@"))


def test_ST_13_a_browser_cannot_write_lines_or_formulas_into_the_audit(scene: Scene) -> None:
    browser = scene.browser("=cmd|' /C calc'!A0")
    scene.open(browser)
    page = scene.open(browser)
    post_form(browser, page, "login-form", username="=1+1", password="=1+1")
    for row in scene.make.rows(AuditEvent):
        assert "\n" not in row.address
        assert "1+1" not in str(vars(row))
    assert scene.make.rows(OutboxMessage) == []


def test_ST_a_plain_app_has_no_secret_in_its_configuration(app: Flask) -> None:
    """What a template or an error page could reach holds no client secret, no key and no database address with one."""
    shown = str({name: value for name, value in app.config.items() if name != "SECRET_KEY"})
    assert "PRIVATE" not in shown
    assert SCOPE not in shown
    assert "config" not in app.jinja_env.globals
