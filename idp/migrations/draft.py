"""Draft the next revision from what the models have and the migrated tables have not (`make migration NAME=…`).

A draft is read before it is committed: it knows nothing of rows, row fences, or what a release still running needs.
"""

import re
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any, Final, Literal

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from idp.foundation.database import UtcDateTime
from idp.migrations.tables import metadata

_HERE: Final = Path(__file__).parent
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\Z", re.ASCII)
_HEAD: Final = '''"""Say what this brings, and why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
'''


def draft(name: str) -> Path:
    """Write `versions/<name>.py` after the newest revision; its name is its id, so that two branches never collide."""
    if not _NAME.match(name):
        raise ValueError("a revision is named by lower-case words with underscores")
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "os")
    before = ScriptDirectory.from_config(config).get_current_head()
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/draft.sqlite3")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"render_item": _render, "target_metadata": metadata(), "render_as_batch": True}
            )
            operations = produce_migrations(context, metadata()).upgrade_ops
            assert operations is not None
            code = render_python_code(operations, render_item=_render, render_as_batch=True)
        engine.dispose()
    lines = [line for line in code.splitlines() if not line.lstrip().startswith("# ###")]
    body = textwrap.indent(textwrap.dedent("\n".join(lines)), "    ").replace(", astext_type=Text()", "")
    path = _HERE / "versions" / f"{name}.py"
    path.write_text(_HEAD.format(revision=name, before=before) + body.replace("astext_type=Text()", "").rstrip() + "\n")
    return path


def _render(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(thing, UtcDateTime) else False


if __name__ == "__main__":
    draft(sys.argv[1])
