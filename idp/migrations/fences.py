"""What the database itself refuses: changes of the audit, and affiliations outside the scope that was named.

SECURITY rulings 20 and 21. `give_rights_to_new` runs with every migration, `give_rights` after the last: a table added later is
covered too, from its first moment.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, inspect, text

AUDIT_TRIGGERS: Final = tuple(
    f"CREATE TRIGGER audit_event_no_{verb.lower()} BEFORE {verb} ON audit_event"
    " BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END"
    for verb in ("UPDATE", "DELETE")
)
"""For SQLite, which has no roles."""

_IN_SCOPE: Final = (
    "subject_id = current_setting('credence.subject', true)"
    " OR target_id = nullif(current_setting('credence.target', true), '')::uuid"
    " OR current_setting('credence.everything', true) = 'on'"
)
_OF_A_SEEN_AFFILIATION: Final = "EXISTS (SELECT 1 FROM affiliation WHERE affiliation.id = affiliation_id)"
ROW_FENCES: Final = (
    "ALTER TABLE affiliation ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY scope ON affiliation USING ({_IN_SCOPE}) WITH CHECK ({_IN_SCOPE})",
    "ALTER TABLE affiliation_evidence ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY scope ON affiliation_evidence USING ({_OF_A_SEEN_AFFILIATION})",
    "ALTER TABLE held_level ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY scope ON held_level USING ({_OF_A_SEEN_AFFILIATION})",
)
"""For PostgreSQL; `database.see_as` opens them for one transaction. The owner is outside."""

_ASKED_OF_IT: Final = f"{_IN_SCOPE} OR practice_id = nullif(current_setting('credence.target', true), '')::uuid"
REQUEST_FENCES: Final = (
    "ALTER TABLE access_request ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY scope ON access_request USING ({_ASKED_OF_IT}) WITH CHECK ({_ASKED_OF_IT})",
)
"""A practice sees what is asked of its providers too: its managers decide it (MODEL §1)."""

_AT_THE_TARGET: Final = (
    "target_id = nullif(current_setting('credence.target', true), '')::uuid"
    " OR current_setting('credence.everything', true) = 'on'"
)
COMMENT_FENCES: Final = (
    "ALTER TABLE comment ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY scope ON comment USING ({_AT_THE_TARGET}) WITH CHECK ({_AT_THE_TARGET})",
)
"""What managers wrote about a person is not even the person's to read."""

REVIEW_FENCES: Final = tuple(
    statement
    for table in ("access_review", "review_item")
    for statement in (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY scope ON {table} USING ({_AT_THE_TARGET}) WITH CHECK ({_AT_THE_TARGET})",
    )
)
"""Who has which access, and what a manager said of it, is for who acts for this target."""

WORD_FENCES: Final = (
    "ALTER TABLE affiliation_word ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY scope ON affiliation_word USING ({_AT_THE_TARGET}) WITH CHECK ({_AT_THE_TARGET})",
)
"""Names and addresses of a target's people are for who acts for this target."""

EPOCH_VIEW: Final = (
    "CREATE VIEW affiliation_epoch AS SELECT id, epoch, status, starts_at, ends_at, subject_id, registry, target_kind,"
    " target_id, last_used_at, activated_at FROM affiliation"
)
"""Tokens are checked against this view, which belongs to the owner and so lies outside the row fences."""

_RIGHTS: Final = {
    "alembic_version": "SELECT",
    "affiliation_epoch": "SELECT",
    "audit_event": "SELECT, INSERT",
    "audit_head": "SELECT, UPDATE",
    "system_state": "SELECT, UPDATE",
    "clients_version": "SELECT, UPDATE",
}
_USUAL: Final = "SELECT, INSERT, UPDATE, DELETE"


def give_rights(connection: Connection, *, role: str | None) -> None:
    """Give the application's role what it needs on every table, and nothing else. The owner itself needs nothing."""
    if role is not None and role != _owner(connection):
        looked = inspect(connection)
        _give(connection, role, sorted({*looked.get_table_names(), *looked.get_view_names()}))


def give_rights_to_new(connection: Connection, *, role: str | None) -> None:
    """The same for what the role cannot read yet: in the transaction of the migration that made it."""
    if role is not None and role != _owner(connection):
        _give(connection, role, list(connection.execute(_UNREADABLE, {"role": role}).scalars()))


_UNREADABLE: Final = text(
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
    " AND NOT has_table_privilege(:role, oid, 'SELECT') ORDER BY relname"
)


def _owner(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_user")).scalar_one())


def _give(connection: Connection, role: str, names: Sequence[str]) -> None:
    preparer = connection.dialect.identifier_preparer
    grantee = preparer.quote(role)
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {grantee}"))
    for name in names:
        table = preparer.quote(name)
        connection.execute(text(f"REVOKE ALL ON {table} FROM {grantee}"))
        connection.execute(text(f"GRANT {_RIGHTS.get(name, _USUAL)} ON {table} TO {grantee}"))
