"""What Alembic runs; the connection comes from `run.py`, inside whose transaction everything happens."""

from alembic import context

from idp.migrations.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata(),
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
