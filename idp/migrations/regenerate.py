"""Write `0001_tables.py` anew from the models: only while no release has a schema (`make first-migration`)."""

import textwrap
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from idp.foundation.database import UtcDateTime
from idp.migrations.tables import metadata

_HEAD = '''"""All tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
'''


def _render(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(thing, UtcDateTime) else False


def main() -> None:
    """Compare the models with an empty database and write what is missing."""
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection, opts={"render_item": _render, "target_metadata": metadata()})
        operations = produce_migrations(context, metadata()).upgrade_ops
        assert operations is not None
        code = render_python_code(operations, render_item=_render)
    body = (
        textwrap.indent(textwrap.dedent(code), "    ")
        .replace(", astext_type=Text()", "")
        .replace("astext_type=Text()", "")
    )
    path = Path(__file__).parent / "versions" / "0001_tables.py"
    path.write_text(f"{_HEAD}{body.rstrip()}\n", "utf-8")


if __name__ == "__main__":
    main()
