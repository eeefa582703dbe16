"""How the database finds a grant: by an index, however many there are."""

from flask import Flask
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from idp.consent import grants
from idp.foundation.database import reading


def test_the_grants_of_a_session_are_found_by_an_index(app: Flask) -> None:
    asked = str(grants._STANDING.compile(dialect=sqlite.dialect())).replace("?", "'x'")
    with reading() as tx:
        plan = [row.detail for row in tx.execute(text(f"EXPLAIN QUERY PLAN {asked}"))]
    assert any("USING INDEX" in step for step in plan)
    assert not any(step.startswith("SCAN") for step in plan), plan
