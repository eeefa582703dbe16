"""What the tests of signing in share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from idp.authenticators.password.kdf import Kdf
from idp.foundation import house
from idp.foundation.database import db


class Work:
    """What a request costs: password hashes, and statements by their kind (ruling 12)."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def of(self, act: Callable[[], Any]) -> tuple[int, list[str]]:
        kdf = house.get(Kdf)
        before, self.statements = kdf.made, []
        act()
        return kdf.made - before, list(self.statements)


@pytest.fixture
def work(app: Flask) -> Iterator[Work]:
    counted = Work()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        words = statement.split()
        if words[0] in {"INSERT", "UPDATE", "DELETE", "SELECT"}:
            counted.statements.append(words[0])

    event.listen(db.engine, "before_cursor_execute", note)
    yield counted
    event.remove(db.engine, "before_cursor_execute", note)
