"""G1–G12: what holds after every attack, whichever it was (SECURITY §4). Plain functions that assert.

`watch` looks at one answer (G1, G2, G8); `hold` at the whole house (G3, G6, G10); `keeps_secret` at any text (G4).
"""

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import inspect, text

from idp.audit import service as audit
from idp.audit.models import AuditEvent
from idp.consent.models import Grant
from idp.foundation.artefacts import Artefact, Kind
from idp.foundation.database import db, reading, see_as
from idp.relying_parties.models import Client
from idp.relying_parties.stored import from_row
from tests.conftest import ISSUER

SINGLE_USE: Final = frozenset({Kind.AUTHORIZATION_CODE, Kind.PASSWORD_RESET})
_MAY_BE_KEPT: Final = ("/static/", "/brand/", "/.well-known/", "/oauth/jwks")
_MAY_BE_BUSY: Final = {503}
_TRACES: Final = re.compile(r"Traceback|\bFile \"|site-packages|werkzeug|sqlalchemy|psycopg|sqlite3\.|idp/[a-z_]+/")


def watch(answer: Any) -> None:
    """One answer: no redirect to strangers (G1), no failure and no trace of code (G2), kept by nobody (G8)."""
    location = answer.headers.get("Location")
    assert location is None or is_registered(location), f"G1: {location}"
    assert answer.status_code < 500 or answer.status_code in _MAY_BE_BUSY, f"G2: {answer.status_code}"
    shown = answer.text if answer.mimetype in ("text/html", "application/json", "text/plain") else ""
    assert answer.status_code < 400 or not _TRACES.search(shown), f"G2: {shown[:500]}"
    if not answer.request.path.startswith(_MAY_BE_KEPT):
        assert answer.headers["Cache-Control"] == "no-store", f"G8: {answer.request.path}"


def is_registered(location: str) -> bool:
    """Home, or at one of the addresses that a client registered."""
    parts = urlsplit(location)
    if not parts.scheme and not parts.netloc:
        return location.startswith("/") and not location.startswith(("//", "/\\"))
    if f"{parts.scheme}://{parts.netloc}" == ISSUER:
        return True
    return location.partition("?")[0] in registered_addresses()


def registered_addresses() -> frozenset[str]:
    """Every redirect URI and post-logout URI of every client."""
    with reading() as tx:
        rows = tx.query(Client).all()
        parties = [from_row(row.manifest, client_id=row.client_id) for row in rows]
    found: set[str] = set()
    for manifest in parties:
        registration = manifest.registration
        for uri in (*registration.redirect_uris, *registration.post_logout_redirect_uris):
            found.add(uri if "://" in uri else manifest.base_url + uri)
    return frozenset(found)


def hold() -> None:
    """The whole house: nothing redeemed twice (G3), a whole audit (G6), every refresh family of a known grant (G10)."""
    with reading() as tx:
        see_as(tx, everything=True)
        assert audit.verify(tx) == [], "G6: the chain is broken"
        used = [row for row in tx.query(Artefact) if row.kind in SINGLE_USE and row.used_at is not None]
        redeemed = tx.query(AuditEvent).filter(AuditEvent.type == "code_redeemed").count()
        codes = sum(row.kind == Kind.AUTHORIZATION_CODE for row in used)
        assert redeemed <= codes, "G3: more redemptions than codes"
        grants = {grant.id for grant in tx.query(Grant)}
        refresh = [row for row in tx.query(Artefact) if row.kind == Kind.REFRESH]
        assert all(row.family in grants for row in refresh), "G10: a family without its grant"


def keeps_secret(shown: str, secrets: Iterable[str]) -> None:
    """G4: none of these stands in that text, in clear or as hex or base64 of its bytes."""
    for secret in secrets:
        assert secret not in shown, f"G4: {secret[:24]}"


def dump_database() -> str:
    """Everything that the database holds, as text; bytes also as latin-1, so that plain secrets in them show."""
    engine = db.engine
    lines: list[str] = []
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('credence.everything', 'on', false)"))
        for table in inspect(engine).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"'))
            lines.extend(f"{table}: " + " | ".join(_shown(value) for value in row) for row in rows)
        connection.rollback()
    return "\n".join(lines)


def events_of() -> list[tuple[str, str]]:
    """What the audit noted: type and outcome, in order."""
    with reading() as tx:
        rows = tx.query(AuditEvent).order_by(AuditEvent.at, AuditEvent.sequence).all()
        return [(row.type, row.outcome) for row in rows]


def _shown(value: Any) -> str:
    if isinstance(value, memoryview):
        value = bytes(value)
    return f"{value.hex()} {value.decode('latin-1')}" if isinstance(value, bytes) else str(value)
