"""What PostgreSQL refuses the application's role, whoever speaks through it (AU-02, ruling 21)."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from idp.foundation.database import writing

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE audit_event",
        "DROP TABLE audit_event",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head (stream, sequence, hash) VALUES (99, 0, '')",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    ],
)
def test_AU_02_the_application_s_role_cannot_take_the_tables_away(app: Flask, statement: str):
    with pytest.raises(DBAPIError), writing() as tx:
        tx.execute(text(statement))
