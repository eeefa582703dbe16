"""AD-15 over everything at once: whatever text is stored, wherever, is text on every page of the URL map and in every mail."""

from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any, Final
from uuid import UUID

import pytest
from flask import Flask
from jinja2 import UndefinedError
from sqlalchemy import Column, String, select, update
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from idp.affiliations.deciding.models import Comment
from idp.console.help_desk.models import HelpCase
from idp.directory.models import ImportRun
from idp.foundation.database import db, reading
from idp.messaging.email import compose
from idp.messaging.render import render_mail
from idp.messaging.rules import NOTICES, Link, Payload
from idp.migrations.tables import metadata
from idp.relying_parties import service as relying_parties
from idp.relying_parties.models import Client
from idp.subjects.models import Subject
from idp.vocabulary.staff import StaffRole
from tests.factories import Make
from tests.messaging.letters import BRAND, CONTEXTS, ROSA
from tests.test_matrix import MANAGER, OPEN, House, ask, everybody, expected, filled, routes  # noqa: F401

EVIL: Final = "<zq>'\"><img src=x onerror=zq()>{{7*7}}</title></script><script>zq()</script>"
"""Ends attributes, titles and scripts; its first letters are markup that none of our pages has."""
LINES: Final = "<zq>'\"><img src=x onerror=zq()>\r\nBcc: all@evil.test\r\n\r\n{{7*7}}</title></td><script>zq()</script>"
LINK: Final = Link(UUID(int=1), timedelta(minutes=30))
SHORTEST: Final = 40
READERS: Final = (MANAGER, *StaffRole)
OURS: Final = frozenset((
    "access_review.confirmed_by", "artefact.bound_to", "audit_event.outcome", "audit_event.actor",
    "audit_event.client_id", "audit_event.address", "client.manifest_digest", "logout_delivery.client_id",
    "logout_delivery.sub", "outbox.notice", "access_request.portal", "access_request.decided_by",
    "agreement_acceptance.text_digest", "challenge_question.question_key", "challenge_question.digest",
    "factor_recovery.client_id", "factor_recovery.started_actor", "factor_recovery.evidence_by", "invitation.portal",
    "invitation.email_key", "legacy_login.email_key", "password_credential.digest", "push_request.client_id",
    "staff_proposal.closed_by", "staff_role.proposed_by", "staff_role.confirmed_by", "staff_role.ended_by",
    "engagement.ended_by", "affiliation_evidence.portal", "affiliation_evidence.by", "comment.author",
    "consent.scopes", "engagement_staff.by", "held_level.portal", "held_level.level", "held_level.by",
    "oauth_grant.sub", "oauth_grant.scopes", "participant.client_id", "participant.sub", "push_phone.x",
    "push_phone.y", "push_phone.push_kid", "review_item.said_by", "sign_in_transaction.client_id",
    "sign_in_transaction.consented_scopes", "upstream_link.connection", "subject.zoneinfo", "access_request.zoneinfo",
    "invitation.zoneinfo",
))  # fmt: skip
"""Keys, digests and names of ours, which nobody types; every other column of text holds what somebody wrote."""


def typed() -> list[Column[Any]]:
    """Each column of text that can hold as much, and that no key, index or other row depends on."""
    found = []
    for table in metadata().sorted_tables:
        keyed = {column.name for index in table.indexes for column in index.columns}
        for column in table.columns:
            free = not (column.primary_key or column.foreign_keys or column.unique or column.name in keyed)
            long = isinstance(column.type, String) and (column.type.length or SHORTEST) >= SHORTEST
            if free and long and f"{table.name}.{column.name}" not in OURS:
                found.append(column)
    return found


def write_everywhere() -> None:
    """The hostile text in every such column of every row, and as the name of every portal."""
    with Session(db.engine.execution_options(credence_write=True)) as tx, tx.begin():
        for column in typed():
            length = column.type.length or len(EVIL)  # type: ignore[attr-defined]
            tx.execute(update(column.table).values({column.name: EVIL[:length]}))
        for row in tx.scalars(select(Client)):
            row.manifest = {**row.manifest, "name": EVIL[:80]}
        relying_parties.changed(tx)


class Read(HTMLParser):
    """The tags and attributes of a page, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


def is_text(html: str) -> bool:
    read = Read()
    read.feed(html)
    escaped = (
        "<zq" not in html and "<img src=x" not in html and "<script>zq" not in html and "zq()</script>" not in html
    )
    return escaped and "zq" not in read.tags and not {name for name in read.names if name.startswith("on")}


IDENTITIES: Final = {
    "practice_id": "practice", "provider_id": "provider", "partner_id": "trading_partner", "run_id": "import_run",
    "case_id": "help_case", "session_id": "browser_session", "factor_id": "factor", "subject_id": "subject",
}  # fmt: skip
"""Where the ids in an address are found."""


def rows_besides(make: Make, house: House) -> None:
    """What the people of the matrix have not written themselves."""
    somebody = make.rows(Subject)[0].id
    run = ImportRun(
        registry_name="heartland", format="nppes", file_name="x", started_at=make.now, counts={"rejected": 0}
    )
    comment = Comment(affiliation_id=house.a.affiliation_id, target_id=house.a.target_id, number=1,
                      action="comment", text="x", author="y", at=make.now)  # fmt: skip
    case = HelpCase(opened_by=somebody, subject_id=somebody, reason="x", opened_at=make.now)
    for row in (run, comment, case):
        make._save(row)


def found(address: str, rule: Rule) -> str:
    """The address with things that exist, where the matrix asks for what nobody has."""
    parts, wanted = address.split("/"), rule.rule.split("/")
    for place, name in enumerate(wanted):
        table = IDENTITIES.get(name.strip("<>").removeprefix("uuid:"))
        if table is not None:
            with reading() as tx:
                parts[place] = str(tx.execute(select(metadata().tables[table].c.id).limit(1)).scalar_one())
    return "/".join(parts)


@pytest.fixture
def hostile(make: Make, everybody: House) -> House:  # noqa: F811
    rows_besides(make, everybody)
    write_everywhere()
    return everybody


def test_AD_15_whatever_is_stored_is_text_on_every_page(app: Flask, hostile: House) -> None:
    wrong, shown, asked = set(), set(), set()
    for rule, method, policy in routes(app):
        if method != "GET" or policy.auth in ("client", "token"):
            continue
        for role in READERS:
            if expected(rule, policy, role) is not OPEN:
                continue
            answer = ask(hostile, role, "GET", found(filled(rule, hostile.a), rule))
            if answer.status_code >= 500 or (answer.mimetype == "text/html" and not is_text(answer.text)):
                wrong.add(rule.rule)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                asked.add(rule.rule)
                if "&lt;zq" in answer.text:
                    shown.add(rule.rule)
                break
    assert wrong == set()
    assert len(shown) > 60


def test_AD_15_whatever_a_mail_tells_is_text_and_no_header(app: Flask, now: datetime) -> None:
    """Each word of each notice in turn, with the person's name and the portal's; a word that picks a sentence is no text."""
    wrong, told = [], 0
    for notice in NOTICES:
        for key, value in CONTEXTS[notice].items():
            if not isinstance(value, str):
                continue
            payload = Payload(
                replace(ROSA, name=LINES, locale="es-US"),
                replace(BRAND, name=LINES),
                {**CONTEXTS[notice], key: LINES},
                LINK,
            )
            try:
                mail = render_mail(payload, notice=notice, happened_at=now, now=now)
            except (LookupError, ValueError, UndefinedError):
                continue
            told += 1
            sent = compose(
                mail, identity=UUID(int=2), address="rosa@mail.test", sender="us@bench.example", now=now,
                brand=replace(BRAND, name=LINES), domain="bench.example",
            )  # fmt: skip
            assert isinstance(sent, EmailMessage)
            headers = {name.lower() for name in message_from_bytes(sent.as_bytes())}
            if not is_text(mail.html) or "49" in mail.subject or "bcc" in headers or "\n" in mail.subject:
                wrong.append((notice, key))
    assert wrong == []
    assert told > 20
